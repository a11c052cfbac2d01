import MartletLayers
import MartletOptimization
import MartletTensor

/// Steps of Adam on the measurement error `||F(D(v)) - y||²` of what a trained ``RegressionDecoder`` has recovered, from the measurements
/// alone: the decoder gives the start, the measurements the direction.
public struct MeasurementRefinement: Sendable {
  /// What takes the steps.
  public enum Target: String, Sendable, CaseIterable {
    /// The input of the decoder as a latent vector, which starts at the measurements: latent optimisation with the decoder as generator.
    case input
    /// The weights of a copy of the decoder, shared by the images that are recovered together (test-time training; Sun et al., 2020).
    case weights
  }

  /// What takes the steps.
  public var target: Target
  /// The number of steps.
  public var steps: Int
  /// The learning rate of Adam.
  public var learningRate: Double
  /// The weight of the squared distance of the input from its start, over that of the measurement error; for the target input alone. Where
  /// another operator measured, the distance of the input from what the recovered signal would give as input.
  public var anchorWeight: Double

  /// A refinement.
  public init(_ target: Target, steps: Int, learningRate: Double, anchorWeight: Double = 0) {
    self.target = target
    self.steps = max(0, steps)
    self.learningRate = learningRate
    self.anchorWeight = anchorWeight
  }

  /// Signals `[rows, signal]` of measurements.
  /// - Parameters:
  ///   - measurements: `[rows, measurements]`.
  ///   - isKnown: `[measurements]`, 1 for a measurement that was taken and 0 for one that is missing, whose error does not count; nil if
  ///     none is missing. The decoder's input starts with what the recovered signal would measure there.
  ///   - model: the decoder with its measurement.
  public func recover(_ measurements: Tensor, isKnown: Tensor? = nil, by model: RegressionDecoder) -> Tensor {
    let start = isKnown.map { Self.filled(measurements, isKnown: $0, by: model) } ?? measurements
    func error(_ signals: Tensor) -> Tensor {
      let difference = model.measurement(signals) - measurements
      return (isKnown.map { difference * $0 } ?? difference).squared.sum()
    }
    var optimizer = Optimizer(.adam(learningRate: learningRate))
    switch target {
    case .input:
      var input = start
      for _ in 0..<steps {
        let (_, slopes) = valueAndGradient(at: [input]) { variables in
          let misfit = error(model.decoder(variables[0]))
          return anchorWeight > 0 ? misfit + (variables[0] - start).squared.sum() * anchorWeight : misfit
        }
        optimizer.update(&input, gradient: slopes[0])
      }
      return model.decoder(input).detached()
    case .weights:
      var decoder = model.decoder
      for _ in 0..<steps {
        let gradients = decoder.valueAndGradient { error($0(start)) / Double(start.rows) }.gradients
        optimizer.update(&decoder, gradients: gradients, norm: 0)
      }
      return decoder(start).detached()
    }
  }

  /// Signals of measurements by another operator than the decoder was trained with: its input is searched as a latent vector for the signal
  /// that has these measurements, from several starts (``GenerativePriorSearch``). A start is what the decoder's own measurement gives of
  /// the signal of a random input, so that it lies where inputs of training lay.
  /// - Parameters:
  ///   - measurements: `[rows, measurements]`.
  ///   - matrix: `[signal, measurements]`.
  ///   - restarts: the number of starts.
  ///   - random: draws the starts.
  ///   - model: the decoder with the measurement that it was trained with.
  public func recover(
    _ measurements: Tensor, by matrix: Tensor, restarts: Int, random: RandomSource, model: RegressionDecoder
  ) -> Tensor {
    let search = GenerativePriorSearch(
      steps: steps, restarts: restarts, learningRate: learningRate, priorWeight: anchorWeight)
    func asInput(_ z: Tensor) -> Tensor { model.measurement(model.decoder(z)) }
    let found = search.recover(
      measurements, latents: model.measurement.measurementCount, random: random, measure: { matmul($0, matrix) },
      generate: { model.decoder($0) }, begin: asInput, prior: { ($0 - model.measurement($1)).squared.sum() })
    return found.signals.detached()
  }

  /// Measurements whose missing ones are those of what is recovered, found by repetition.
  private static func filled(_ measurements: Tensor, isKnown: Tensor, by model: RegressionDecoder) -> Tensor {
    var input = measurements * isKnown
    for _ in 0..<20 {
      input = measurements * isKnown + model.measurement(model.decoder(input)) * (1 - isKnown)
    }
    return input.detached()
  }
}
