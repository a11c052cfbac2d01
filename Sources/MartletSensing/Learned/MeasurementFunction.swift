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

  /// The function that gives the first measurements only, times `sqrt(all / count)`, which keeps the lengths of random measurements.
  /// - Parameter count: the number of measurements, from 1 to ``measurementCount``; others are taken for the nearest of these.
  public func first(_ count: Int) -> MeasurementFunction {
    let all = measurementCount, count = min(max(count, 1), all), scale = Self.scale(count, of: all)
    var copy = self
    switch function {
    case .matrix(let matrix): copy.function = .matrix(matrix.slice(axis: 1, 0..<count).contiguous() * scale)
    case .network(var network):
      guard let last = network.layers.popLast() else { return self }
      network.layers.append(
        MultilayerPerceptron.Layer(
          weight: last.weight.slice(axis: 1, 0..<count).contiguous() * scale,
          bias: last.bias.slice(axis: 0, 0..<count).contiguous() * scale))
      copy.function = .network(network)
    }
    return copy
  }

  /// By what the first `count` of `all` measurements are multiplied.
  static func scale(_ count: Int, of all: Int) -> Double { (Double(all) / Double(count)).squareRoot() }

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
