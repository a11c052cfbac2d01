import MartletOptimization
import MartletTensor

/// What a generative adversarial network is, and how it is trained.
public struct GANSettings: Sendable, Codable, Equatable {
  /// How latent vectors move.
  public enum LatentStep: String, Sendable, Codable, CaseIterable {
    /// Down the gradient (CS-GAN).
    case gradient
    /// Down the natural gradient with damping (LOGAN).
    case natural
  }

  /// The number of pixels along each axis of an image: 28 or 32, or another multiple of 4.
  public var side = 28
  /// The number of values of a latent vector.
  public var latents = 64
  /// The channels of the largest maps of both networks; smaller maps have two and four times as many.
  public var channels = 8
  /// The number of latent steps; 0 is a plain GAN with spectral norm.
  public var latentSteps = 3
  /// How latent vectors move.
  public var latentStep = LatentStep.gradient
  /// The weight of the transport cost; LOGAN takes 300.
  public var transportWeight = 3.0

  /// The number of steps, each of both networks, and of images in each.
  public var steps = 2000, batch = 64
  /// The learning rate of Adam for both networks.
  public var learningRate = 2e-4
  /// The seed of every random number.
  public var seed: UInt64 = 1

  /// The settings of a CS-GAN for images of 28x28 pixels.
  public init() {}

  /// - Throws: ``SensingError`` naming what cannot be.
  public func check() throws {
    func need(_ isRight: Bool, _ problem: @autoclosure () -> String) throws {
      if !isRight { throw SensingError(problem()) }
    }
    try need(
      (4...256).contains(side) && side % 4 == 0,
      "Images of \(side) x \(side) pixels cannot be generated: the side must be a multiple of 4 up to 256; add pixels with --pad."
    )
    try need(
      (1...1024).contains(latents) && (1...256).contains(channels),
      "Latent vectors must have 1 to 1024 values and maps 1 to 256 channels, not \(latents) and \(channels).")
    try need(
      latents * channels * side * side / 4 <= 1 << 28,
      "From \(latents) values to \(4 * channels) maps of \(side / 4) x \(side / 4) pixels is a matrix of more than 1 GiB: take smaller images "
        + "or fewer channels.")
    try need((0...100).contains(latentSteps), "Latent steps must be 0 to 100, not \(latentSteps).")
    try need(
      (0...1_000_000_000).contains(steps) && (2...4096).contains(batch),
      "Training takes up to 1000000000 steps of 2 to 4096 images, not \(steps) of \(batch).")
    try need(learningRate > 0 && learningRate.isFinite, "The learning rate must be above 0, not \(learningRate).")
    try need(
      transportWeight >= 0 && transportWeight.isFinite, "The weight of the transport cost must be 0 or more.")
  }

  /// The networks before training.
  /// - Throws: ``SensingError`` for settings that cannot be.
  public func network() throws -> LatentOptimizedGAN {
    try check()
    let random = RandomSource(seed: seed).stream("gan")
    return LatentOptimizedGAN(
      generator: ConvolutionalGenerator(
        latents: latents, base: side / 4, channels: [4 * channels, 2 * channels, channels],
        random: random.stream("generator")),
      discriminator: ConvolutionalDiscriminator(
        side: side, layers: [(channels, false), (2 * channels, true), (4 * channels, true)],
        random: random.stream("discriminator")),
      logStep: log(Tensor(latentStep == .natural ? 0.9 : 0.01)),
      optimization: LatentOptimization(steps: latentSteps, damping: latentStep == .natural ? 5 : nil),
      transportWeight: transportWeight)
  }
}
