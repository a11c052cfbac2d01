import MartletLayers
import MartletTensor

/// Recovers signals from measurements by optimising the latent vector of a generator, which was trained together with these steps
/// (Wu, Rosca and Lillicrap, "Deep Compressed Sensing", ICML 2019). Signals have values from -1 to 1.
///
/// The method is covered by US patent 12,032,523 B2 (DeepMind).
public struct DeepCompressedSensing: Sendable, Parameterized {
  /// The losses of a batch.
  public struct Losses: Sendable {
    /// The measurement error behind the last step: `mean_b ||F(x) - F(G(z_T))||²`.
    public var generator: Tensor
    /// How far measuring changes distances: the mean over signals and over the pairs `(G(z_T), G(z_0))`, `(G(z_T), x)` and `(G(z_0), x)` of
    /// `(||x₁ - x₂|| - ||F(x₁) - F(x₂)||)²`, which keeps the restricted isometry property.
    public var isometry: Tensor
    /// The error of the signals themselves: `mean_b ||x - G(z_T)||²`.
    public var image: Tensor
  }

  /// What is made of a batch of signals.
  public struct Reconstruction: Sendable {
    /// The latent vectors from the projected start on, `[rows, latents]` each.
    public var path: [Tensor]
    /// The signals behind the last step, `[rows, signal]`.
    public var signals: Tensor
  }

  /// Latent vectors `[rows, latents]` to signals `[rows, signal]`.
  public var generator: MultilayerPerceptron
  /// Signals to measurements.
  public var measurement: MeasurementFunction
  /// The logarithm of the step size, of shape `[]`, which is learnt.
  public var logStep: Tensor
  /// Measurements to start vectors, in place of random ones; nil in the method as published.
  public var encoder: MultilayerPerceptron?
  /// The steps in the latent space.
  public var optimization: LatentOptimization

  /// A model of given parts.
  public init(
    generator: MultilayerPerceptron, measurement: MeasurementFunction, logStep: Tensor,
    encoder: MultilayerPerceptron? = nil, optimization: LatentOptimization = LatentOptimization()
  ) {
    self.generator = generator
    self.measurement = measurement
    self.logStep = logStep
    self.encoder = encoder
    self.optimization = optimization
  }

  /// Signals of measurements.
  ///
  /// - Parameters:
  ///   - measurements: `[rows, measurements]`.
  ///   - start: latent vectors `[rows, latents]`, drawn from the normal distribution. A model with an encoder makes its own.
  public func reconstruct(_ measurements: Tensor, from start: Tensor) -> Reconstruction {
    reconstruct(measurements, beginning: encoder.map { $0(measurements) } ?? start)
  }

  private func reconstruct(_ measurements: Tensor, beginning start: Tensor) -> Reconstruction {
    let path = optimization.path(from: start, logStep: logStep) { z in
      (measurements - measurement(generator(z))).squared.sum()
    }
    return Reconstruction(path: path, signals: generator(path[path.count - 1]))
  }

  /// The losses of a batch of signals `[rows, signal]` from start vectors `[rows, latents]`, and what was made of it.
  public func losses(_ signals: Tensor, from start: Tensor) -> (Losses, Reconstruction) {
    let measured = measurement(signals)
    let start = encoder.map { $0(measured) } ?? start
    let made = reconstruct(measured, beginning: start)
    // Before the projection, as in the released code.
    let first = generator(start)
    let (last, lastMeasured, firstMeasured) = (made.signals, measurement(made.signals), measurement(first))
    func distortion(_ a: Tensor, _ b: Tensor, _ measuredA: Tensor, _ measuredB: Tensor) -> Tensor {
      (Self.distance(a, b) - Self.distance(measuredA, measuredB)).squared.mean()
    }
    let isometry =
      (distortion(last, first, lastMeasured, firstMeasured) + distortion(last, signals, lastMeasured, measured)
        + distortion(first, signals, firstMeasured, measured)) / 3
    let error = (measured - lastMeasured).squared.sum(axes: [1]).mean()
    let image = (signals - last).squared.sum(axes: [1]).mean()
    return (Losses(generator: error, isometry: isometry, image: image), made)
  }

  /// `||a - b||` of each row. A tiny constant keeps the slope finite where both are the same.
  private static func distance(_ a: Tensor, _ b: Tensor) -> Tensor { (a - b).norm(guardedBy: 1e-24) }

  public mutating func visitParameters(_ body: (_ name: String, _ parameter: inout Tensor) -> Void) {
    generator.visitParameters("generator", body)
    measurement.visitParameters("measurement", body)
    body("log_step", &logStep)
    if var network = encoder {
      network.visitParameters("encoder", body)
      encoder = network
    }
  }

  /// Whether training changes the parameter of a name.
  public func isTrained(_ name: String) -> Bool { measurement.isLearnt || !name.hasPrefix("measurement.") }
}
