import MartletLayers
import MartletTensor

/// What turns a signal into measurements, and may be learnt: `[rows, signal]` to `[rows, measurements]`
/// (Wu, Rosca and Lillicrap, "Deep Compressed Sensing", 2019, section 3).
public struct MeasurementFunction: Sendable, Parameterized {
  /// The three modes of the paper.
  public enum Mode: String, Sendable, Codable, CaseIterable {
    /// A Gaussian matrix that stays as it was drawn.
    case random
    /// A matrix that is learnt.
    case linear
    /// A network that is learnt.
    case network
  }

  private enum Function: Sendable {
    /// `[signal, measurements]`
    case matrix(Tensor)
    case network(MultilayerPerceptron)
  }

  /// The mode.
  public let mode: Mode
  private var function: Function

  /// A function with random parameters: a matrix of `N(0, 1 / measurements)`, or a network with two hidden layers.
  /// - Parameters:
  ///   - mode: random, learnt linear, or a learnt network.
  ///   - signal: the number of values of a signal.
  ///   - measurements: the number of measurements.
  ///   - hidden: the width of a network's hidden layers.
  ///   - random: draws the parameters.
  public init(_ mode: Mode, signal: Int, measurements: Int, hidden: Int = 500, random: RandomSource) {
    self.mode = mode
    function =
      mode == .network
      ? .network(MultilayerPerceptron(widths: [signal, hidden, hidden, measurements], random: random))
      : .matrix(
        normal([signal, measurements], deviation: 1 / Double(max(1, measurements)).squareRoot(), random: random))
  }

  /// A linear function with a given matrix.
  /// - Parameters:
  ///   - matrix: `[signal, measurements]`.
  ///   - isLearnt: whether training changes it.
  public init(matrix: Tensor, isLearnt: Bool) {
    mode = isLearnt ? .linear : .random
    function = .matrix(matrix)
  }

  /// The matrix, `[signal, measurements]`; nil for a network.
  public var matrix: Tensor? {
    guard case .matrix(let matrix) = function else { return nil }
    return matrix
  }

  /// Whether training changes it.
  public var isLearnt: Bool { mode != .random }

  /// The number of measurements of a signal.
  public var measurementCount: Int {
    switch function {
    case .matrix(let matrix): matrix.shape[1]
    case .network(let network): network.outputCount
    }
  }

  /// The measurements `[rows, measurements]` of signals `[rows, signal]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    switch function {
    case .matrix(let matrix): matmul(x, matrix)
    case .network(let network): network(x)
    }
  }

  public mutating func visitParameters(_ body: (_ name: String, _ parameter: inout Tensor) -> Void) {
    switch function {
    case .matrix(var matrix):
      body("matrix", &matrix)
      function = .matrix(matrix)
    case .network(var network):
      network.visitParameters(body)
      function = .network(network)
    }
  }
}
