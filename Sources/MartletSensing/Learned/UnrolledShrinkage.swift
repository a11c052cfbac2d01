import MartletLayers
import MartletTensor

/// Recovers images from linear measurements by a fixed number of steps of proximal gradient descent, whose step sizes, thresholds and
/// sparsifying transforms are learnt (after ISTA-Net; Zhang and Ghanem, CVPR 2018). Images have values from -1 to 1.
///
/// A step is `r = x - rho Aᵀ(A x - y)`, then `x = r + S'(soft(S(r), theta))` with convolutions `S` and `S'`.
public struct UnrolledShrinkage: Sendable, Parameterized {
  /// One step.
  public struct Phase: Sendable, Parameterized {
    /// The logarithms of the step size and of the threshold, of shape `[]`.
    public var logStep, logThreshold: Tensor
    /// The two convolutions of `S`: `[channels, 1, 3, 3]` and `[channels, channels, 3, 3]`.
    public var analysis: (first: Tensor, second: Tensor)
    /// The two convolutions of `S'`: `[channels, channels, 3, 3]` and `[1, channels, 3, 3]`.
    public var synthesis: (first: Tensor, second: Tensor)

    /// A step with random convolutions, a given step size and threshold 0.01. The last convolution starts at 0, so that the step starts as
    /// one of plain gradient descent.
    public init(channels: Int, step: Double, random: RandomSource) {
      logStep = log(Tensor(step))
      logThreshold = log(Tensor(0.01))
      func kernel(_ out: Int, _ inputs: Int, _ name: String) -> Tensor {
        normal([out, inputs, 3, 3], deviation: (2 / Double(9 * inputs)).squareRoot(), random: random.stream(name))
      }
      analysis = (kernel(channels, 1, "analysis.first"), kernel(channels, channels, "analysis.second"))
      synthesis = (kernel(channels, channels, "synthesis.first"), .zeros([1, channels, 3, 3]))
    }

    /// What is added to images `[rows, 1, height, width]`.
    public func correction(_ images: Tensor) -> Tensor {
      func apply(_ kernels: (first: Tensor, second: Tensor), _ x: Tensor) -> Tensor {
        convolution(relu(convolution(x, weight: kernels.first, padding: 1)), weight: kernels.second, padding: 1)
      }
      let transformed = apply(analysis, images), threshold = exp(logThreshold)
      return apply(synthesis, relu(transformed - threshold) - relu(-transformed - threshold))
    }

    public mutating func visitParameters(_ body: (_ name: String, _ parameter: inout Tensor) -> Void) {
      body("log_step", &logStep)
      body("log_threshold", &logThreshold)
      body("analysis.0.weight", &analysis.first)
      body("analysis.1.weight", &analysis.second)
      body("synthesis.0.weight", &synthesis.first)
      body("synthesis.1.weight", &synthesis.second)
    }
  }

  /// The number of pixels along each axis.
  public let height, width: Int
  /// `A`, `[signal, measurements]`.
  public var matrix: Tensor
  /// Whether training changes the matrix.
  public let isMatrixLearnt: Bool
  /// Measurements to the image where the steps start, learnt: `[measurements, signal]` and `[signal]`.
  public var start: MultilayerPerceptron.Layer
  /// The steps.
  public var phases: [Phase]

  /// A model with random convolutions, which starts as gradient descent with steps of `1 / ||A||²`.
  /// - Parameters:
  ///   - measurement: a linear measurement of images of `height * width` pixels.
  ///   - height: the number of rows of an image.
  ///   - width: the number of columns of an image.
  ///   - phases: the number of steps.
  ///   - channels: the number of channels of the transforms.
  ///   - random: draws the parameters.
  /// - Throws: ``SensingError`` if the measurement is a network or measures signals of another size.
  public init(
    _ measurement: MeasurementFunction, height: Int, width: Int, phases: Int = 5, channels: Int = 8,
    random: RandomSource
  ) throws {
    guard let matrix = measurement.matrix else {
      throw SensingError("Unrolled shrinkage needs a linear measurement; a network has no adjoint: take a matrix.")
    }
    guard height > 0, width > 0, matrix.shape[0] == height * width else {
      throw SensingError(
        "The measurement takes signals of \(matrix.shape[0]) values, and images of \(height) x \(width) pixels have \(height * width): "
          + "give both the same size.")
    }
    self.height = height
    self.width = width
    self.matrix = matrix
    isMatrixLearnt = measurement.isLearnt
    let step = 1 / max(Self.squaredNorm(matrix, random: random.stream("norm")), .leastNormalMagnitude)
    start = MultilayerPerceptron.Layer(
      weight: (matrix.transposed() * step).contiguous(), bias: .zeros([matrix.shape[0]], dtype: matrix.dtype))
    self.phases = (0..<max(0, phases)).map {
      Phase(channels: max(1, channels), step: step, random: random.stream($0))
    }
  }

  /// `||A||²` by power iteration.
  private static func squaredNorm(_ matrix: Tensor, random: RandomSource) -> Double {
    var norm = SpectralNorm(weight: matrix, random: random)
    norm.refine(iterations: 50)
    return matmul(norm.left.reshaped([1, matrix.shape[0]]), matrix).squared.sum().scalar
  }

  /// The measurements `[rows, measurements]` of images `[rows, signal]`.
  public func measure(_ images: Tensor) -> Tensor { matmul(images, matrix) }

  /// Images `[rows, signal]` of measurements `[rows, measurements]`.
  public func reconstruct(_ measurements: Tensor) -> Tensor {
    let adjoint = matrix.transposed()
    var x = matmul(measurements, start.weight) + start.bias
    for phase in phases {
      let misfit = matmul(x, matrix) - measurements
      let r = x - exp(phase.logStep) * matmul(misfit, adjoint)
      x = r + phase.correction(r.reshaped([r.rows, 1, height, width])).reshaped([r.rows, height * width])
    }
    return x
  }

  /// `mean_b ||x - x'||²` of images `[rows, signal]`.
  public func loss(_ images: Tensor) -> Tensor {
    (images - reconstruct(measure(images))).squared.sum(axes: [1]).mean()
  }

  public mutating func visitParameters(_ body: (_ name: String, _ parameter: inout Tensor) -> Void) {
    body("measurement.matrix", &matrix)
    body("start.weight", &start.weight)
    body("start.bias", &start.bias)
    for place in phases.indices { phases[place].visitParameters("phases.\(place)", body) }
  }

  /// Whether training changes the parameter of a name.
  public func isTrained(_ name: String) -> Bool { isMatrixLearnt || !name.hasPrefix("measurement.") }
}
