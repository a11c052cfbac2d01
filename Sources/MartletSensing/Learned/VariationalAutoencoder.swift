import MartletLayers
import MartletTensor

/// A generator of signals that is trained without any measurement (Kingma and Welling, "Auto-Encoding Variational Bayes", 2014). It is the
/// prior of ``GenerativePriorSearch``. Signals have values from -1 to 1, and each value is a shade between two certain colours.
public struct VariationalAutoencoder: Sendable, Parameterized {
  /// Signals `[rows, signal]` to means and logarithms of variances of latent vectors, `[rows, 2 * latents]`.
  public var encoder: MultilayerPerceptron
  /// Latent vectors `[rows, latents]` to logits of signals, `[rows, signal]`.
  public var decoder: MultilayerPerceptron

  /// A model of given parts.
  public init(encoder: MultilayerPerceptron, decoder: MultilayerPerceptron) {
    self.encoder = encoder
    self.decoder = decoder
  }

  /// A model with random parameters and two hidden layers on each side, as Bora et al. (2017) have it for MNIST.
  /// - Parameters:
  ///   - signal: the number of values of a signal.
  ///   - latents: the number of values of a latent vector.
  ///   - hidden: the width of the hidden layers.
  ///   - random: draws the parameters.
  public init(signal: Int, latents: Int = 20, hidden: Int = 500, random: RandomSource) {
    encoder = MultilayerPerceptron(
      widths: [signal, hidden, hidden, 2 * latents], random: random.stream("encoder"))
    decoder = MultilayerPerceptron(widths: [latents, hidden, hidden, signal], random: random.stream("decoder"))
  }

  /// The number of values of a latent vector.
  public var latentCount: Int { decoder.inputCount }
  /// The number of values of a signal.
  public var signalCount: Int { decoder.outputCount }

  /// Signals `[rows, signal]` with values from -1 to 1 of latent vectors `[rows, latents]`.
  public func generate(_ latents: Tensor) -> Tensor { tanh(decoder(latents) * 0.5) }

  /// The mean and the logarithm of the variance of the latent vectors of signals, `[rows, latents]` each.
  public func encode(_ signals: Tensor) -> (mean: Tensor, logVariance: Tensor) {
    let both = encoder(signals)
    return (both.slice(axis: 1, 0..<latentCount), both.slice(axis: 1, latentCount..<2 * latentCount))
  }

  /// The negative evidence lower bound for each signal, in nats: the binary cross entropy of the signal, and the divergence of its latent
  /// vector from the normal distribution.
  /// - Parameters:
  ///   - signals: `[rows, signal]`, values from -1 to 1.
  ///   - noise: normal random numbers, `[rows, latents]`.
  public func loss(_ signals: Tensor, noise: Tensor) -> Tensor {
    let (mean, logVariance) = encode(signals)
    let logits = decoder(mean + exp(logVariance * 0.5) * noise)
    let misfit = binaryCrossEntropy(logits, targets: (signals + 1) * 0.5) * Double(signalCount)
    let divergence = (mean.squared + exp(logVariance) - logVariance - 1).sum(axes: [1]).mean() * 0.5
    return misfit + divergence
  }

  public mutating func visitParameters(_ body: (_ name: String, _ parameter: inout Tensor) -> Void) {
    encoder.visitParameters("encoder", body)
    decoder.visitParameters("decoder", body)
  }
}
