import MartletData
import MartletTensor

/// How a trained model is put to the test: with fewer measurements or other ones than it was trained for.
public struct RecoveryTest: Sendable {
  /// How many measurements are taken, the model's first ones; nil for all.
  public var measurements: Int?
  /// The operator that measures in place of the model's own, which a generator is then searched for.
  public var otherOperator: OperatorDescription?
  /// The number of measurements that are missing, drawn once for all images.
  public var missing = 0
  /// The deviation of normal noise that is added to each measurement.
  public var noise = 0.0
  /// Steps on the measurement error behind a regression decoder.
  public var refinement: MeasurementRefinement?
  /// What noise, missing measurements and starts are drawn from.
  public var seed: UInt64
  /// Which of many starts the seed stands for: other ones give other answers to the same measurements.
  public var attempt = 0

  /// A test as the model was trained.
  /// - Parameter seed: what noise, missing measurements and starts are drawn from.
  public init(seed: UInt64 = 1) { self.seed = seed }

  /// Measures images, recovers them, and says how close they come and how long that took.
  /// - Parameters:
  ///   - images: the true images, of the model's size.
  ///   - model: the model.
  ///   - settings: its settings.
  /// - Throws: ``SensingError`` if the model cannot be tested so.
  public func recover(
    _ images: ImageSet, by model: RecoveryModel, settings: RecoverySettings
  ) throws -> (signals: Tensor, quality: RecoveryQuality) {
    let random = RandomSource(seed: seed)
    guard otherOperator != nil || missing > 0 || refinement != nil || attempt != 0 else {
      return model.recover(images, measurements: measurements, noise: noise, random: random)
    }
    let taken = min(max(measurements ?? model.measurementCount, 1), model.measurementCount)
    let model = taken < model.measurementCount ? model.first(taken) : model
    let other = try otherOperator.map {
      try LearnedReconstruction.matrix(of: $0.linearOperator(height: images.height, width: images.width))
    }
    let count = other?.columns ?? taken
    guard missing < count else {
      throw SensingError("\(missing) of \(count) measurements cannot be missing: leave at least one.")
    }
    let kept = random.stream("missing").permutation(count).dropLast(missing).sorted()
    let before = ProcessorTime.seconds
    let parts = try stride(from: 0, to: images.count, by: 500).map { start -> Tensor in
      let signals = images.signals.rows(start..<min(start + 500, images.count))
      var y = (other.map { matmul(signals, $0) } ?? model.measure(signals)).detached()
      if noise > 0 { y = y + normal(y.shape, deviation: noise, random: random.stream("noise").stream(start)) }
      return try answer(y, other, kept, model, settings, random.stream(start).stream(attempt)).detached()
    }
    let signals = concatenated(parts), seconds = ProcessorTime.seconds - before
    return (signals, RecoveryQuality(signals, of: images, seconds: seconds))
  }

  private func answer(
    _ y: Tensor, _ other: Tensor?, _ kept: [Int], _ model: RecoveryModel, _ settings: RecoverySettings,
    _ random: RandomSource
  ) throws -> Tensor {
    if case .regression(let decoder) = model, other == nil {
      var known = [Float](repeating: 0, count: y.columns)
      for place in kept { known[place] = 1 }
      let steps = refinement ?? MeasurementRefinement(.input, steps: 0, learningRate: 1)
      return steps.recover(y, isKnown: missing > 0 ? Tensor(known, shape: [y.columns]) : nil, by: decoder)
    }
    if other == nil, missing == 0, refinement == nil { return model.reconstruct(y, random: random) }
    if refinement != nil {
      throw SensingError(
        "Refinement goes on from what a regression decoder recovers from its own measurements: take such a model, or leave it out."
      )
    }
    guard let matrix = other ?? model.measurementMatrix else {
      throw SensingError(
        "The model measures by a network, of which no measurement can be missing: take a model with a matrix.")
    }
    func columns(_ tensor: Tensor) -> Tensor {
      tensor.transposed().contiguous().gatherRows(kept).transposed().contiguous()
    }
    return try LearnedReconstruction(model, settings: settings)
      .search(columns(y), by: columns(matrix), random: random)
  }
}
