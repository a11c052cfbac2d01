import MartletTensor

/// A linear map from a signal to its measurements, with its transpose.
public protocol LinearOperator: Sendable {
  /// The values of a signal.
  var signalCount: Int { get }
  /// The measurements of a signal.
  var measurementCount: Int { get }
  /// Whether the rows are orthonormal, so that the transpose of the measurements is the nearest signal that has them.
  var hasOrthonormalRows: Bool { get }
  /// The measurements of a signal of `signalCount` values.
  func forward(_ signal: [Double]) -> [Double]
  /// The transpose, applied to `measurementCount` values.
  func adjoint(_ measurements: [Double]) -> [Double]
  /// Moves a signal to the nearest one whose measurements are at most `radius` away from those given. Only for operators with orthonormal
  /// rows.
  func project(_ signal: inout [Double], onto measurements: [Double], within radius: Double)
}

extension LinearOperator {
  public func project(_ signal: inout [Double], onto measurements: [Double], within radius: Double) {
    precondition(hasOrthonormalRows, "only orthonormal rows say where the nearest signal is")
    var miss = forward(signal)
    for index in miss.indices { miss[index] = measurements[index] - miss[index] }
    let length = dot(miss, miss).squareRoot()
    guard length > radius else { return }
    let step = adjoint(miss), factor = 1 - radius / length
    for index in signal.indices { signal[index] += factor * step[index] }
  }

  /// An estimate of the largest singular value, by the power method with a start vector of a fixed seed.
  public func normEstimate(iterations: Int = 30) -> Double {
    if hasOrthonormalRows { return 1 }
    let random = RandomSource(seed: 1).stream("norm estimate")
    var vector = (0..<signalCount).map { random.uniform($0) - 0.5 }, norm = 0.0
    for _ in 0..<iterations {
      let length = dot(vector, vector).squareRoot()
      guard length > 0 else { return 0 }
      vector = adjoint(forward(vector.map { $0 / length }))
      norm = dot(vector, vector).squareRoot()
    }
    return norm.squareRoot()
  }

  /// How far `<A x, y>` and `<x, transpose(A) y>` differ for random x and y, relative to the product of their lengths.
  public func adjointError(seed: UInt64 = 1) -> Double {
    let random = RandomSource(seed: seed).stream("adjoint test")
    let x = (0..<signalCount).map { random.stream("x").uniform($0) - 0.5 }
    let y = (0..<measurementCount).map { random.stream("y").uniform($0) - 0.5 }
    let image = forward(x)
    let scale = (dot(image, image) * dot(y, y)).squareRoot()
    return abs(dot(image, y) - dot(x, adjoint(y))) / max(scale, .leastNormalMagnitude)
  }
}

/// The sum of the products of two arrays of one length.
func dot(_ a: [Double], _ b: [Double]) -> Double {
  var sum = 0.0
  for index in a.indices { sum += a[index] * b[index] }
  return sum
}
