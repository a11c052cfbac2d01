import MartletData
import MartletLayers
import MartletTensor

/// A learned method with its measurement: measures images and recovers them.
public enum RecoveryModel: Sendable, Parameterized {
  /// A network from measurements to images.
  case regression(RegressionDecoder)
  /// Latent optimisation that was trained together with its generator.
  case dcs(DeepCompressedSensing)
  /// Unrolled proximal gradient descent.
  case unrolled(UnrolledShrinkage)
  /// A search in the latent space of an autoencoder.
  case csgm(VariationalAutoencoder, MeasurementFunction, GenerativePriorSearch)

  /// A model before training.
  /// - Throws: ``SensingError`` for settings that cannot be.
  public init(_ settings: RecoverySettings) throws {
    try settings.check()
    let random = RandomSource(seed: settings.seed).stream("sensing")
    let (signal, measurements, hidden) = (settings.signal, settings.measurements, settings.hidden)
    let measurement = MeasurementFunction(
      settings.measurement, signal: signal, measurements: measurements, hidden: hidden,
      random: random.stream("measurement"))
    let latents = settings.latents
    switch settings.method {
    case .regression:
      self = .regression(
        RegressionDecoder(
          measurement: measurement,
          decoder: MultilayerPerceptron(
            widths: [measurements, hidden, hidden, signal], output: .tanh, random: random.stream("decoder"))))
    case .dcs:
      self = .dcs(
        DeepCompressedSensing(
          generator: MultilayerPerceptron(
            widths: [latents, hidden, hidden, signal], output: .tanh, random: random.stream("generator")),
          measurement: measurement, logStep: log(Tensor(0.01)),
          encoder: settings.startsFromEncoder
            ? MultilayerPerceptron(widths: [measurements, hidden, latents], random: random.stream("encoder")) : nil,
          optimization: LatentOptimization(
            steps: settings.latentSteps, projection: settings.projection, isExact: settings.isExact)))
    case .unrolled:
      self = .unrolled(
        try UnrolledShrinkage(
          measurement, height: settings.height, width: settings.width, phases: settings.phases,
          channels: settings.channels, random: random.stream("phases")))
    case .csgm:
      self = .csgm(
        VariationalAutoencoder(signal: signal, latents: latents, hidden: hidden, random: random.stream("prior")),
        measurement, settings.search)
    }
  }

  /// The measurements `[rows, measurements]` of images `[rows, pixels]`.
  public func measure(_ images: Tensor) -> Tensor {
    switch self {
    case .regression(let model): model.measurement(images)
    case .dcs(let model): model.measurement(images)
    case .unrolled(let model): model.measure(images)
    case .csgm(_, let measurement, _): measurement(images)
    }
  }

  /// Images `[rows, pixels]` of measurements.
  /// - Parameters:
  ///   - measurements: `[rows, measurements]`, or the first columns of it.
  ///   - random: draws the starts of latent steps.
  public func reconstruct(_ measurements: Tensor, random: RandomSource) -> Tensor {
    let (count, all) = (measurements.columns, measurementCount)
    if count < all {
      return first(count).reconstruct(measurements * MeasurementFunction.scale(count, of: all), random: random)
    }
    switch self {
    case .regression(let model): return model.reconstruct(measurements)
    case .dcs(let model):
      let start = normal([measurements.rows, model.generator.inputCount], random: random)
      return model.signals(measurements, from: start)
    case .unrolled(let model): return model.reconstruct(measurements)
    case .csgm(let prior, let measurement, let search):
      return search.recover(measurements, by: prior, random: random, measure: { measurement($0) }).signals
    }
  }

  /// Measures images, recovers them, and says how close they come and how long that took.
  /// - Parameters:
  ///   - images: the true images.
  ///   - count: how many measurements are taken, the first ones; nil for all.
  ///   - noise: the deviation of normal noise that is added to each measurement.
  ///   - random: draws the noise and the starts of latent steps.
  public func recover(
    _ images: ImageSet, measurements count: Int? = nil, noise: Double = 0, random: RandomSource
  ) -> (signals: Tensor, quality: RecoveryQuality) {
    let taken = min(max(count ?? measurementCount, 1), measurementCount)
    let before = ProcessorTime.seconds
    let parts = stride(from: 0, to: images.count, by: 500).map { start -> Tensor in
      var y = measure(images.signals.rows(start..<min(start + 500, images.count)))
        .detached().slice(axis: 1, 0..<taken)
      if noise > 0 { y = y + normal(y.shape, deviation: noise, random: random.stream("noise").stream(start)) }
      return reconstruct(y, random: random.stream(start)).detached()
    }
    let signals = concatenated(parts), seconds = ProcessorTime.seconds - before
    return (signals, RecoveryQuality(signals, of: images, seconds: seconds))
  }

  public mutating func visitParameters(_ body: (_ name: String, _ parameter: inout Tensor) -> Void) {
    switch self {
    case .regression(var model):
      model.visitParameters(body)
      self = .regression(model)
    case .dcs(var model):
      model.visitParameters(body)
      self = .dcs(model)
    case .unrolled(var model):
      model.visitParameters(body)
      self = .unrolled(model)
    case .csgm(var prior, var measurement, let search):
      measurement.visitParameters("measurement", body)
      prior.visitParameters("prior", body)
      self = .csgm(prior, measurement, search)
    }
  }

  /// Whether training changes the parameter of a name.
  public func isTrained(_ name: String) -> Bool {
    switch self {
    case .regression(let model): model.isTrained(name)
    case .dcs(let model): model.isTrained(name)
    case .unrolled(let model): model.isTrained(name)
    case .csgm: !name.hasPrefix("measurement.")
    }
  }
}
