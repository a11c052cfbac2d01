import Foundation
import MartletData
import MartletLayers
import MartletOptimization
import MartletTensor

/// Training of a generative adversarial network, step by step. Random numbers depend on the seed and the step alone.
public struct GANRun: Sendable, FolderRun {
  /// The settings.
  public let settings: GANSettings
  /// The number of steps made.
  public private(set) var step = 0
  private(set) var trainer: LatentOptimizedGANTrainer
  private let random: RandomSource

  /// A run before its first step.
  /// - Throws: ``SensingError`` for settings that cannot be.
  public init(_ settings: GANSettings) throws {
    self.settings = settings
    var adam = OptimizerSettings.adam(learningRate: settings.learningRate)
    adam.beta1 = 0.5
    trainer = LatentOptimizedGANTrainer(try settings.network(), settings: adam)
    random = RandomSource(seed: settings.seed).stream("gan training")
  }

  /// The current networks.
  public var model: LatentOptimizedGAN { trainer.model }
  /// Whether all steps are made.
  public var isFinished: Bool { step >= settings.steps }
  var stepCount: Int { settings.steps }

  /// Makes a step of the discriminator and one of the generator on images drawn from a set.
  /// - Parameter images: `[images, pixels]`; at least one.
  /// - Returns: the losses before them.
  public mutating func train(on images: Tensor) -> (discriminator: Double, generator: Double) {
    let draw = random.stream("batch").stream(step)
    let batch = images.gatherRows((0..<settings.batch).map { draw.integer($0, below: images.rows) })
    let start = normal([settings.batch, settings.latents], random: random.stream("latents").stream(step))
    let losses = trainer.train(batch, from: start)
    step += 1
    return losses
  }

  /// Generated images `[count, pixels]`, in batches of the size of training, as latent steps are divided by it.
  /// - Parameters:
  ///   - count: the number of images.
  ///   - random: draws the latent vectors.
  ///   - latentSteps: the number of latent steps; nil for that of training.
  public func generate(_ count: Int, random: RandomSource, latentSteps: Int? = nil) -> Tensor {
    var model = model.forInference
    model.optimization.steps = latentSteps ?? settings.latentSteps
    let parts = stride(from: 0, to: max(1, count), by: settings.batch).map { place in
      model.generate(from: normal([settings.batch, settings.latents], random: random.stream(place)))
    }
    return concatenated(parts).rows(0..<max(0, count)).contiguous()
  }

  // MARK: Checkpoints

  /// All that a checkpoint keeps: parameters, and what the networks keep besides.
  var tensors: [(name: String, value: Tensor)] {
    var list = model.parameters, copy = model
    copy.visitStatistics { list.append(("statistics." + $0, $1)) }
    return list
  }

  var trainedCount: Int { model.parameters.count }

  /// The optimisers of both networks as one, whose moments are in the order of the parameters.
  var optimizer: Optimizer {
    let (d, g) = (trainer.discriminatorOptimizer, trainer.generatorOptimizer)
    let names = model.parameters.map(\.name)
    func merged(_ discriminator: [Tensor], _ generator: [Tensor]) -> [Tensor] {
      guard d.step > 0, g.step > 0 else { return [] }
      var (d, g) = (discriminator[...], generator[...])
      return names.map { LatentOptimizedGAN.isOfDiscriminator($0) ? d.removeFirst() : g.removeFirst() }
    }
    return Optimizer(
      d.settings, step: d.step, first: merged(d.first, g.first), second: merged(d.second, g.second))
  }

  /// Goes on where a checkpoint stood.
  mutating func restore(tensors: [Tensor], optimizer: Optimizer, step: Int) {
    var model = model
    let count = model.parameters.count
    model.replaceParameters(Array(tensors[..<count]))
    var rest = tensors[count...]
    model.visitStatistics { _, statistic in statistic = rest.removeFirst() }
    let names = model.parameters.map(\.name)
    func part(_ moments: [Tensor], _ isDiscriminator: Bool) -> [Tensor] {
      zip(names, moments).filter { LatentOptimizedGAN.isOfDiscriminator($0.0) == isDiscriminator }.map(\.1)
    }
    func part(_ isDiscriminator: Bool) -> Optimizer {
      Optimizer(
        optimizer.settings, step: optimizer.step, first: part(optimizer.first, isDiscriminator),
        second: part(optimizer.second, isDiscriminator))
    }
    trainer = LatentOptimizedGANTrainer(model, discriminator: part(true), generator: part(false))
    self.step = step
  }
}
