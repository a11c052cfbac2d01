import MartletData
import MartletTensor

/// How a trained model is put to the test: with fewer measurements or other ones than it was trained for.
public struct RecoveryTest: Sendable {
  /// What a test gave.
  public struct Outcome: Sendable {
    /// The recovered images, `[images, pixels]`.
    public var signals: Tensor
    /// How close they come: means over images.
    public var quality: RecoveryQuality
    /// `||x' - x||` of each image, with pixels from -1 to 1.
    public var errors: [Double]
    /// The measurement error `||F(x') - y||` of each image, over the measurements that were there.
    public var misfits: [Double]
  }

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
  /// For deep compressed sensing: take so many of its own latent steps, of the step size that it learnt, also where measurements are
  /// missing or another operator measured, for which its generator is searched otherwise. nil for the number of training.
  public var latentSteps: Int?
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
  ) throws -> Outcome {
    let random = RandomSource(seed: seed)
    let taken = min(max(measurements ?? model.measurementCount, 1), model.measurementCount)
    // A model that is tested as it was trained recovers by itself.
    let isPlain = otherOperator == nil && missing == 0 && refinement == nil && latentSteps == nil
    let whole = model, model = taken < model.measurementCount && !isPlain ? model.first(taken) : model
    let other = try otherOperator.map {
      try LearnedReconstruction.matrix(of: $0.linearOperator(height: images.height, width: images.width))
    }
    let count = other?.columns ?? taken
    guard missing < count else {
      throw SensingError("\(missing) of \(count) measurements cannot be missing: leave at least one.")
    }
    let kept = random.stream("missing").permutation(count).dropLast(missing).sorted()
    func measured(_ signals: Tensor) -> Tensor {
      other.map { matmul(signals, $0) } ?? model.measure(signals).slice(axis: 1, 0..<taken)
    }
    var parts: [Tensor] = [], misfits: [Double] = [], seconds = 0.0
    for start in stride(from: 0, to: images.count, by: 500) {
      let before = ProcessorTime.seconds
      var y = measured(images.signals.rows(start..<min(start + 500, images.count))).detached()
      if noise > 0 { y = y + normal(y.shape, deviation: noise, random: random.stream("noise").stream(start)) }
      let starts = isPlain && attempt == 0 ? random.stream(start) : random.stream(start).stream(attempt)
      let found =
        isPlain
        ? whole.reconstruct(y, random: starts).detached()
        : try answer(y, other, kept, model, settings, starts).detached()
      seconds += ProcessorTime.seconds - before
      misfits += Self.columns(kept, of: measured(found) - y).squared.sum(axes: [1]).doubleValues.map { $0.squareRoot() }
      parts.append(found)
    }
    let signals = concatenated(parts)
    let errors = (clamp(signals, from: -1, to: 1) - images.signals).squared.sum(axes: [1]).doubleValues
    return Outcome(
      signals: signals, quality: RecoveryQuality(signals, of: images, seconds: seconds),
      errors: errors.map { $0.squareRoot() }, misfits: misfits)
  }

  private func answer(
    _ y: Tensor, _ other: Tensor?, _ kept: [Int], _ model: RecoveryModel, _ settings: RecoverySettings,
    _ random: RandomSource
  ) throws -> Tensor {
    if case .regression(let decoder) = model {
      guard latentSteps == nil else {
        throw SensingError("A regression decoder has no latent steps of its own: take refinement, or a model of dcs.")
      }
      if let other {
        guard let refinement, refinement.target == .input else {
          throw SensingError(
            "The measurements were not taken by the model's own matrix, and regression cannot use any other: search its input by "
              + "refinement of the input, train anew, or take a model of --method csgm or dcs.")
        }
        return refinement.recover(
          Self.columns(kept, of: y), by: Self.columns(kept, of: other), restarts: settings.restarts, random: random,
          model: decoder)
      }
      var known = [Float](repeating: 0, count: y.columns)
      for place in kept { known[place] = 1 }
      let steps = refinement ?? MeasurementRefinement(.input, steps: 0, learningRate: 1)
      return steps.recover(y, isKnown: missing > 0 ? Tensor(known, shape: [y.columns]) : nil, by: decoder)
    }
    if refinement != nil {
      throw SensingError(
        "Refinement goes on from what a regression decoder recovers from its own measurements: take such a model, or leave it out."
      )
    }
    if let latentSteps, other == nil, missing == 0 {
      return try Self.steps(latentSteps, y, by: nil, of: model, settings, random)
    }
    guard let matrix = other ?? model.measurementMatrix else {
      throw SensingError(
        "The model measures by a network, of which no measurement can be missing: take a model with a matrix.")
    }
    let (there, taken) = (Self.columns(kept, of: y), Self.columns(kept, of: matrix))
    if let latentSteps { return try Self.steps(latentSteps, there, by: taken, of: model, settings, random) }
    return try LearnedReconstruction(model, settings: settings).search(there, by: taken, random: random)
  }

  /// Latent steps of deep compressed sensing as it was trained, by a matrix `[pixels, measurements]` in place of its own measurement.
  private static func steps(
    _ count: Int, _ y: Tensor, by matrix: Tensor?, of model: RecoveryModel, _ settings: RecoverySettings,
    _ random: RandomSource
  ) throws -> Tensor {
    guard case .dcs(var adapted) = model else {
      throw SensingError("\(settings.method.rawValue) has no latent steps of its own: take a model of dcs.")
    }
    guard adapted.encoder == nil || matrix == nil else {
      throw SensingError("The model's encoder takes all of its own measurements: leave the latent steps out.")
    }
    if let matrix { adapted.measurement = MeasurementFunction(matrix: matrix, isLearnt: false) }
    adapted.optimization.steps = count
    return adapted.signals(y, from: normal([y.rows, adapted.generator.inputCount], random: random))
  }

  private static func columns(_ places: [Int], of tensor: Tensor) -> Tensor {
    places.count == tensor.columns
      ? tensor : tensor.transposed().contiguous().gatherRows(places).transposed().contiguous()
  }
}
