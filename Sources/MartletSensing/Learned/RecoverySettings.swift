import MartletOptimization
import MartletTensor

/// What a learned method of recovering images from measurements is, and how it is trained. Both together with the images determine a trained
/// model bit for bit.
public struct RecoverySettings: Sendable, Codable, Equatable {
  /// The learned methods.
  public enum Method: String, Sendable, Codable, CaseIterable {
    /// A network from measurements to images (``RegressionDecoder``): the best at equal time on images like those of training.
    case regression
    /// Latent optimisation that was trained together with the generator (``DeepCompressedSensing``).
    case dcs
    /// Unrolled proximal gradient descent (``UnrolledShrinkage``).
    case unrolled
    /// A search in the latent space of an autoencoder that knows nothing of the measurement (``GenerativePriorSearch``).
    case csgm
  }

  /// The method.
  public var method = Method.regression
  /// How images are measured.
  public var measurement = MeasurementFunction.Mode.linear
  /// The number of pixels along each axis, after averaging and padding.
  public var height = 28, width = 28
  /// The number of measurements of an image.
  public var measurements = 25
  /// Fewer measurements, in rising order and below ``measurements``, that the model shall recover images from as well: each step of
  /// training takes the first of them only, as many as one of these numbers says. nil for a model of all measurements.
  public var fewerMeasurements: [Int]?
  /// The width of hidden layers, and the number of values of a latent vector.
  public var hidden = 500, latents = 100

  /// The number of steps of training, and of images in each.
  public var steps = 9000, batch = 64
  /// The learning rate of Adam, and its course.
  public var learningRate = 5e-4
  /// The course of the learning rate.
  public var schedule = LearningRateSchedule.Shape.constant
  /// The seed of every random number.
  public var seed: UInt64 = 1
  /// What the factors of the products with the network's weights are rounded to in training; nil for single precision. Rounding is for
  /// gradients that are written out: regression and deep compressed sensing as published, with a matrix as measurement.
  public var precision: MatrixPrecision?

  /// The number of latent steps, and where a latent vector is put back to (deep compressed sensing).
  public var latentSteps = 3
  /// Where a latent vector is put back to after a latent step.
  public var projection = LatentOptimization.Projection.norm
  /// What the generator and the measurement learn from.
  public var objective = DeepCompressedSensingTrainer.Objective.joint
  /// Whether gradients flow through the latent steps.
  public var isExact = true
  /// The weight of the isometry loss; nil for 1, or for 0.1 beside the image loss.
  public var isometryWeight: Double?
  /// Whether latent vectors start at the output of an encoder.
  public var startsFromEncoder = false
  /// Whether the error of the images is learnt from in place of that of their measurements.
  public var learnsFromImages = false

  /// The number of phases and the channels of their convolutions (unrolled).
  public var phases = 5, channels = 8

  /// Steps, starts and weight of the prior of a search (CSGM).
  public var searchSteps = 400, restarts = 10
  /// The weight of `||z||²` in a search.
  public var priorWeight = 0.1

  /// The settings of regression with 25 learnt measurements of 28x28 pixels.
  public init() {}

  /// The number of pixels of an image.
  public var signal: Int { height * width }

  /// The numbers of measurements that images can be recovered from, in rising order.
  public var measurementCounts: [Int] { (fewerMeasurements ?? []) + [measurements] }

  /// The search that CSGM makes.
  public var search: GenerativePriorSearch {
    GenerativePriorSearch(steps: searchSteps, restarts: restarts, priorWeight: priorWeight)
  }

  /// The weights of the losses of deep compressed sensing.
  public var weights: DeepCompressedSensingTrainer.Weights {
    var weights = learnsFromImages ? DeepCompressedSensingTrainer.Weights.image : .init()
    if let isometryWeight { weights.isometry = isometryWeight }
    return weights
  }

  /// - Throws: ``SensingError`` naming what cannot be.
  public func check() throws {
    func need(_ isRight: Bool, _ problem: @autoclosure () -> String) throws {
      if !isRight { throw SensingError(problem()) }
    }
    try need(
      (1...512).contains(height) && (1...512).contains(width),
      "Images of \(height) x \(width) pixels cannot be learnt here: take 1 to 512 along each axis.")
    try need(
      (1...signal).contains(measurements),
      "\(measurements) measurements of \(signal) pixels cannot be: take 1 to \(signal), as more than there are pixels tell nothing new."
    )
    try need(
      zip([0] + measurementCounts, measurementCounts).allSatisfy(<),
      "The numbers of measurements must rise from 1 or more, not \(measurementCounts).")
    try need(
      fewerMeasurements == nil || !startsFromEncoder || method != .dcs,
      "An encoder takes one number of measurements: give one, or leave the encoder out.")
    let isWrittenOut = objective == .joint && projection == .norm && isExact && !startsFromEncoder
    try need(
      precision != .bf16 || (measurement != .network && (method == .regression || (method == .dcs && isWrittenOut))),
      "Products can be rounded to bfloat16 where the gradient is written out: for regression and plain dcs (joint, norm, exact, no encoder) "
        + "with a matrix as measurement. Leave the precision out.")
    try need(
      (1...8192).contains(hidden) && (1...8192).contains(latents),
      "Layers and latent vectors must have 1 to 8192 values, not \(hidden) and \(latents).")
    try need(
      max(hidden, measurements) <= (1 << 28) / signal,
      "A layer of \(hidden) values and \(measurements) measurements of \(signal) pixels each need a matrix, of which 1 GiB is the limit: "
        + "take smaller images, as by --pool, or fewer of both.")
    try need(
      (0...1_000_000_000).contains(steps) && (1...4096).contains(batch),
      "Training takes up to 1000000000 steps of 1 to 4096 images, not \(steps) of \(batch).")
    try need(
      learningRate > 0 && learningRate.isFinite, "The learning rate must be above 0, not \(learningRate).")
    try need((0...100).contains(latentSteps), "Latent steps must be 0 to 100, not \(latentSteps).")
    try need(
      isometryWeight.map { $0 >= 0 && $0.isFinite } ?? true, "The weight of the isometry loss must be 0 or more.")
    try need(
      (0...50).contains(phases) && (1...256).contains(channels),
      "Unrolled steps have 0 to 50 phases of 1 to 256 channels, not \(phases) of \(channels).")
    try need(
      (0...100_000).contains(searchSteps) && (1...1000).contains(restarts) && priorWeight >= 0
        && priorWeight.isFinite,
      "A search takes 0 to 100000 steps from 1 to 1000 starts, and a prior of weight 0 or more.")
    try need(
      method != .unrolled || measurement != .network,
      "Unrolled shrinkage needs a linear measurement, as a network has no adjoint: take a random or learnt matrix.")
    try need(
      method != .csgm || measurement == .random,
      "CSGM knows nothing of the measurement while it is trained, so nothing is learnt of it: take the random matrix.")
  }
}
