import MartletLayers
import MartletOptimization
import MartletTensor

/// Trains a GAN with latent optimisation: a step of the discriminator, then one of the generator.
public struct LatentOptimizedGANTrainer: Sendable {
  /// The losses and gradients of a batch.
  public struct Step: Sendable {
    /// The losses before the step.
    public var discriminatorLoss, generatorLoss: Double
    /// `mean_b ||z_T - z_0||²`
    public var transportCost: Double
    /// The latent vectors behind the last step, `[rows, latents]`.
    public var latents: Tensor
    /// The gradients of the discriminator's loss, in the order of its parameters.
    public var discriminatorGradients: [Tensor]
    /// The gradients of the generator's loss: those of the generator's parameters, then that of the step size.
    public var generatorGradients: [Tensor]
  }

  /// The network.
  public private(set) var model: LatentOptimizedGAN
  private(set) var discriminatorOptimizer, generatorOptimizer: Optimizer

  /// A trainer of a network.
  /// - Parameters:
  ///   - model: the network.
  ///   - settings: of both optimisers; the released code uses Adam with a learning rate of 2e-4, beta1 0.5 and beta2 0.999.
  public init(_ model: LatentOptimizedGAN, settings: OptimizerSettings) {
    self.model = model
    discriminatorOptimizer = Optimizer(settings)
    generatorOptimizer = Optimizer(settings)
  }

  /// A trainer that goes on with optimisers of an earlier run.
  init(_ model: LatentOptimizedGAN, discriminator: Optimizer, generator: Optimizer) {
    self.model = model
    discriminatorOptimizer = discriminator
    generatorOptimizer = generator
  }

  /// The losses of a batch of signals `[rows, signal]` and start vectors `[rows, latents]`, and their gradients. Gradients flow through the
  /// latent steps.
  public static func differentiate(_ model: LatentOptimizedGAN, _ signals: Tensor, from start: Tensor) -> Step {
    let discriminator = discriminatorGradients(model, signals, from: start)
    let generator = generatorGradients(model, signals, from: start)
    return Step(
      discriminatorLoss: discriminator.loss, generatorLoss: generator.loss, transportCost: generator.cost,
      latents: generator.latents, discriminatorGradients: discriminator.gradients,
      generatorGradients: generator.gradients)
  }

  private static func discriminatorGradients(
    _ model: LatentOptimizedGAN, _ signals: Tensor, from start: Tensor
  ) -> (loss: Double, gradients: [Tensor]) {
    let (value, gradients) = model.valueAndGradient(where: LatentOptimizedGAN.isOfDiscriminator) {
      $0.losses(signals, from: start).discriminator
    }
    return (value.scalar, gradients)
  }

  private static func generatorGradients(
    _ model: LatentOptimizedGAN, _ signals: Tensor, from start: Tensor
  ) -> (loss: Double, cost: Double, latents: Tensor, gradients: [Tensor]) {
    var cost = 0.0, latents = start
    let (value, gradients) = model.valueAndGradient(where: { !LatentOptimizedGAN.isOfDiscriminator($0) }) { model in
      let losses = model.losses(signals, from: start)
      cost = losses.transportCost.scalar
      latents = losses.latents.detached()
      return losses.generator
    }
    return (value.scalar, cost, latents, gradients)
  }

  /// Makes one step of the discriminator and one of the generator.
  /// - Returns: the losses before each.
  @discardableResult
  public mutating func train(_ signals: Tensor, from start: Tensor) -> (discriminator: Double, generator: Double) {
    let discriminator = Self.discriminatorGradients(model, signals, from: start)
    discriminatorOptimizer.update(
      &model, gradients: discriminator.gradients, where: LatentOptimizedGAN.isOfDiscriminator)
    let generator = Self.generatorGradients(model, signals, from: start)
    generatorOptimizer.update(
      &model, gradients: generator.gradients, where: { !LatentOptimizedGAN.isOfDiscriminator($0) })
    model.generator.follow(generator.latents)
    model.discriminator.follow(signals)
    return (discriminator.loss, generator.loss)
  }
}
