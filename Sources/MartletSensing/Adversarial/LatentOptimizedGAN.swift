import MartletLayers
import MartletTensor

/// A generative adversarial network whose latent vectors take gradient steps towards what the discriminator holds for real (CS-GAN; Wu,
/// Rosca and Lillicrap, "Deep Compressed Sensing", 2019, section 3.3). Without steps it is a plain GAN.
///
/// The discriminator is the measurement: it has two logits, that of a real signal second.
public struct LatentOptimizedGAN: Sendable, Parameterized {
  /// The losses of a batch.
  public struct Losses: Sendable {
    /// The cross-entropy of the discriminator: real signals as real, generated ones as generated.
    public var discriminator: Tensor
    /// The cross-entropy of generated signals as real, and the weighted transport cost.
    public var generator: Tensor
    /// `mean_b ||z_T - z_0||²`, from the start before its projection.
    public var transportCost: Tensor
    /// The latent vectors behind the last step, `[rows, latents]`.
    public var latents: Tensor
  }

  /// Latent vectors `[rows, latents]` to signals `[rows, signal]`.
  public var generator: any SignalNetwork
  /// Signals to logits `[rows, 2]`.
  public var discriminator: any SignalNetwork
  /// The logarithm of the step size, of shape `[]`, which is learnt with the generator.
  public var logStep: Tensor
  /// The steps in the latent space.
  public var optimization: LatentOptimization
  /// The weight of the transport cost.
  public var transportWeight: Double

  /// A network of given parts.
  public init(
    generator: any SignalNetwork, discriminator: any SignalNetwork, logStep: Tensor,
    optimization: LatentOptimization = LatentOptimization(), transportWeight: Double = 3
  ) {
    self.generator = generator
    self.discriminator = discriminator
    self.logStep = logStep
    self.optimization = optimization
    self.transportWeight = transportWeight
  }

  /// The latent vectors behind the last step for start vectors `[rows, latents]`, drawn from the normal distribution. The error is the mean
  /// over the batch, as in the released code, so that each row's gradient is divided by the number of rows.
  public func optimizedLatents(from start: Tensor) -> Tensor {
    let path = optimization.path(from: start, logStep: logStep) { z in
      let error = Self.crossEntropy(discriminator(generator(z)), real: true)
      // A natural gradient is one of each row by itself.
      return optimization.damping == nil ? error : error * Double(start.rows)
    }
    return path[path.count - 1]
  }

  /// The network as it is used after training (see ``SignalNetwork/forInference``).
  public var forInference: LatentOptimizedGAN {
    var copy = self
    copy.generator = generator.forInference
    copy.discriminator = discriminator.forInference
    return copy
  }

  /// Signals `[rows, signal]` of start vectors `[rows, latents]`, behind the latent steps.
  public func generate(from start: Tensor) -> Tensor { generator(optimizedLatents(from: start)).detached() }

  /// Calls `body` for what the networks keep besides parameters.
  public mutating func visitStatistics(_ body: (_ name: String, _ statistic: inout Tensor) -> Void) {
    generator.visitStatistics { body("generator.\($0)", &$1) }
    discriminator.visitStatistics { body("discriminator.\($0)", &$1) }
  }

  /// The losses of a batch of signals `[rows, signal]` and start vectors `[rows, latents]`.
  public func losses(_ signals: Tensor, from start: Tensor) -> Losses {
    let latents = optimizedLatents(from: start)
    let judged = discriminator(generator(latents))
    let cost = (latents - start).squared.sum(axes: [1]).mean()
    return Losses(
      discriminator: Self.crossEntropy(discriminator(signals), real: true) + Self.crossEntropy(judged, real: false),
      generator: Self.crossEntropy(judged, real: true) + cost * transportWeight, transportCost: cost, latents: latents)
  }

  private static func crossEntropy(_ logits: Tensor, real: Bool) -> Tensor {
    MartletTensor.crossEntropy(logits, targets: Array(repeating: real ? 1 : 0, count: logits.shape[0]))
  }

  public mutating func visitParameters(_ body: (_ name: String, _ parameter: inout Tensor) -> Void) {
    generator.visitParameters("generator", body)
    discriminator.visitParameters("discriminator", body)
    body("log_step", &logStep)
  }

  /// Whether a parameter learns from the discriminator's loss; the others learn from the generator's.
  public static func isOfDiscriminator(_ name: String) -> Bool { name.hasPrefix("discriminator.") }
}
