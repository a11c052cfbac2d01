import Foundation
import MartletLayers
import MartletOptimization
import MartletTensor

/// Training of a learned method, step by step. Random numbers depend on the seed and the step alone, so a run that goes on from a checkpoint
/// gives the same model bit for bit.
public struct RecoveryRun: Sendable, FolderRun {
  /// The settings.
  public let settings: RecoverySettings
  /// The current model.
  public private(set) var model: RecoveryModel
  /// The number of steps made.
  public private(set) var step = 0
  private(set) var optimizer: Optimizer
  private let random: RandomSource
  private let schedule: LearningRateSchedule

  /// A run before its first step.
  /// - Throws: ``SensingError`` for settings that cannot be.
  public init(_ settings: RecoverySettings) throws {
    self.settings = settings
    model = try RecoveryModel(settings)
    optimizer = Optimizer(.adam(learningRate: settings.learningRate))
    random = RandomSource(seed: settings.seed).stream("training")
    schedule = LearningRateSchedule(shape: settings.schedule, steps: max(1, settings.steps))
  }

  /// Whether all steps are made.
  public var isFinished: Bool { step >= settings.steps }
  var stepCount: Int { settings.steps }

  /// Makes one step on images that are drawn from a set.
  /// - Parameter images: `[images, pixels]`; at least one.
  /// - Returns: the loss before the step, by which the method learns.
  @discardableResult
  public mutating func train(on images: Tensor) -> Double {
    let draw = random.stream("batch").stream(step)
    let batch = images.gatherRows((0..<settings.batch).map { draw.integer($0, below: images.rows) })
    let counts = settings.measurementCounts
    let count = counts[random.stream("measurements").stream(step).integer(0, below: counts.count)]
    let isShorter = count < settings.measurements
    var (loss, gradients) = differentiate(isShorter ? model.first(count) : model, batch)
    if isShorter { gradients = model.gradients(gradients, ofFirst: count) }
    let rate = settings.learningRate * schedule.share(at: step)
    // Names, as `model.isTrained` would hold the memory that is written. Nothing is clipped, so nobody asks for the norm of the gradients.
    let trained = Set(model.parameters(where: model.isTrained).map(\.name))
    optimizer.update(&model, gradients: gradients, learningRate: rate, norm: 0, where: trained.contains)
    step += 1
    return loss
  }

  private func differentiate(_ model: RecoveryModel, _ batch: Tensor) -> (loss: Double, gradients: [Tensor]) {
    let precision = settings.precision ?? .f32
    let noise = random.stream("noise").stream(step)
    func gradient<Model: Parameterized>(
      _ model: Model, where isTrained: (String) -> Bool, _ loss: (Model) -> Tensor
    ) -> (Double, [Tensor]) {
      let (value, gradients) = model.valueAndGradient(where: isTrained, of: loss)
      return (value.scalar, gradients)
    }
    switch model {
    case .regression(let model): return model.lossAndGradient(batch, precision: precision)
    case .unrolled(let model): return gradient(model, where: model.isTrained) { $0.loss(batch) }
    case .csgm(let prior, _, _):
      let draws = normal([batch.rows, prior.latentCount], random: noise)
      return gradient(prior, where: { _ in true }) { $0.loss(batch, noise: draws) }
    case .dcs(let model):
      let trainer = DeepCompressedSensingTrainer(
        model, objective: settings.objective, weights: settings.weights, precision: precision,
        optimizer: optimizer)
      let start = normal([batch.rows, settings.latents], random: noise)
      let step = trainer.differentiate(batch, from: start)
      let weights = settings.weights
      let loss =
        step.generatorLoss * weights.measurement + step.isometryLoss * weights.isometry
        + step.imageLoss * weights.image
      return (loss, step.gradients)
    }
  }

  /// How well the current model recovers images that it measures itself.
  /// - Parameters:
  ///   - images: the true images.
  ///   - count: how many measurements are taken, the first ones; nil for all.
  public func evaluate(_ images: ImageSet, measurements count: Int? = nil) -> RecoveryQuality {
    model.recover(images, measurements: count, random: random.stream("evaluation")).quality
  }

  // MARK: Checkpoints

  /// All parameters, those that are trained first.
  var tensors: [(name: String, value: Tensor)] {
    let parameters = model.parameters
    return parameters.filter { model.isTrained($0.name) } + parameters.filter { !model.isTrained($0.name) }
  }

  var trainedCount: Int { model.parameters.count { model.isTrained($0.name) } }

  mutating func restore(tensors: [Tensor], optimizer: Optimizer, step: Int) {
    let values = Dictionary(uniqueKeysWithValues: zip(self.tensors.map(\.name), tensors))
    model.replaceParameters(model.parameters.map { values[$0.name] ?? $0.value })
    self.optimizer = optimizer
    self.step = step
  }
}
