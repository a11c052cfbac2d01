import MartletOptimization
import MartletTensor

/// Recovers signals from measurements by a search in the latent space of a generator that knows nothing of the measurement
/// (CSGM; Bora et al., "Compressed Sensing using Generative Models", ICML 2017): `min_z ||F(G(z)) - y||² + weight ||z||²` by Adam from
/// several random starts, of which the one with the smallest measurement error is kept.
///
/// The operator may change after the generator was trained. A search takes about a thousand times as long as the steps of
/// ``DeepCompressedSensing``.
public struct GenerativePriorSearch: Sendable {
  /// The number of steps from each start.
  public var steps: Int
  /// The number of starts.
  public var restarts: Int
  /// The learning rate of Adam.
  public var learningRate: Double
  /// The weight of `||z||²`. Without it few measurements are fitted by unlikely signals.
  public var priorWeight: Double

  /// A search. The defaults are those of the paper for MNIST, with fewer and larger steps.
  public init(steps: Int = 400, restarts: Int = 10, learningRate: Double = 0.1, priorWeight: Double = 0.1) {
    self.steps = max(0, steps)
    self.restarts = max(1, restarts)
    self.learningRate = learningRate
    self.priorWeight = priorWeight
  }

  /// What a search has found.
  public struct Result: Sendable {
    /// The best signals, `[rows, signal]`.
    public var signals: Tensor
    /// The latent vectors of the best signals, `[rows, latents]`.
    public var latents: Tensor
    /// The measurement error `||F(G(z)) - y||²` of every start, `[rows, restarts]`.
    public var errors: Tensor
    /// The signals of every start, `[rows, restarts, signal]`: where their errors are about the same, the measurements do not say which of
    /// them is true.
    public var candidates: Tensor
  }

  /// Signals of measurements. A task that is cancelled ends the search where it is.
  ///
  /// - Parameters:
  ///   - measurements: `[rows, measurements]`.
  ///   - latents: the number of values of a latent vector.
  ///   - random: draws the starts.
  ///   - measure: signals `[n, signal]` to measurements `[n, measurements]`; the same for every row.
  ///   - generate: latent vectors `[n, latents]` to signals `[n, signal]`.
  ///   - begin: latent vectors `[n, latents]` that are drawn from the normal distribution to those where the search starts.
  ///   - prior: latent vectors and their signals to what is weighted by ``priorWeight``; nil for `||z||²`.
  public func recover(
    _ measurements: Tensor, latents: Int, random: RandomSource, measure: (Tensor) -> Tensor,
    generate: (Tensor) -> Tensor, begin: (Tensor) -> Tensor = { $0 }, prior: ((Tensor, Tensor) -> Tensor)? = nil
  ) -> Result {
    let rows = measurements.rows, count = rows * restarts
    // The starts of a row lie next to each other.
    let targets = measurements.gatherRows((0..<count).map { $0 / restarts })
    func errors(_ signals: Tensor) -> Tensor { (measure(signals) - targets).squared.sum(axes: [1]) }

    var z = begin(normal([count, latents], random: random).cast(to: measurements.dtype)).detached()
    var optimizer = Optimizer(.adam(learningRate: learningRate))
    for _ in 0..<steps where !Task.isCancelled {
      let (_, slopes) = valueAndGradient(at: [z]) { variables in
        let signals = generate(variables[0])
        let unlikely = prior.map { $0(variables[0], signals) } ?? variables[0].squared.sum()
        return errors(signals).sum() + unlikely * priorWeight
      }
      optimizer.update(&z, gradient: slopes[0])
    }
    let signals = generate(z)
    let found = errors(signals).reshaped([rows, restarts])
    let best = (-found).argmax(axis: 1).enumerated().map { $0 * restarts + $1 }
    return Result(
      signals: signals.gatherRows(best), latents: z.gatherRows(best), errors: found,
      candidates: signals.reshaped([rows, restarts, signals.columns]))
  }

  /// Signals of measurements by the decoder of an autoencoder.
  public func recover(
    _ measurements: Tensor, by prior: VariationalAutoencoder, random: RandomSource, measure: (Tensor) -> Tensor
  ) -> Result {
    recover(
      measurements, latents: prior.latentCount, random: random, measure: measure, generate: prior.generate)
  }
}
