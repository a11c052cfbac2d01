import MartletTensor

/// Measurements by a matrix that is held in memory.
public struct MatrixOperator: LinearOperator {
  /// The number of columns.
  public let signalCount: Int
  /// The number of rows.
  public let measurementCount: Int
  /// `[measurements, signal]`
  public let rows: [Double]
  /// False: rows that were drawn are orthonormal only nearly.
  public var hasOrthonormalRows: Bool { false }

  /// A matrix with given rows.
  /// - Parameters:
  ///   - signalCount: the number of values of a signal.
  ///   - measurementCount: the number of measurements of a signal.
  ///   - rows: `[measurements, signal]`.
  /// - Throws: ``SensingError`` if the sizes disagree.
  public init(signalCount: Int, measurementCount: Int, rows: [Double]) throws {
    guard signalCount > 0, measurementCount > 0, rows.count / signalCount == measurementCount,
      rows.count % signalCount == 0
    else {
      throw SensingError(
        "A matrix of \(measurementCount)x\(signalCount) cannot have \(rows.count) values; check its size.")
    }
    (self.signalCount, self.measurementCount, self.rows) = (signalCount, measurementCount, rows)
  }

  /// A matrix with entries of `N(0, 1 / measurements)`.
  /// - Throws: ``SensingError`` if a size is not positive.
  public static func gaussian(signalCount: Int, measurementCount: Int, seed: UInt64) throws -> MatrixOperator {
    let random = RandomSource(seed: seed).stream("gaussian"), scale = 1 / Double(max(1, measurementCount)).squareRoot()
    return try MatrixOperator(
      signalCount: signalCount, measurementCount: measurementCount,
      rows: (0..<max(0, signalCount * measurementCount)).map { scale * random.normal($0) })
  }

  /// A matrix with entries of plus or minus `1 / sqrt(measurements)`.
  /// - Throws: ``SensingError`` if a size is not positive.
  public static func bernoulli(signalCount: Int, measurementCount: Int, seed: UInt64) throws -> MatrixOperator {
    let random = RandomSource(seed: seed).stream("bernoulli"), scale = 1 / Double(max(1, measurementCount)).squareRoot()
    return try MatrixOperator(
      signalCount: signalCount, measurementCount: measurementCount,
      rows: (0..<max(0, signalCount * measurementCount)).map { random.bits($0) >> 63 == 0 ? scale : -scale })
  }

  public func forward(_ signal: [Double]) -> [Double] {
    (0..<measurementCount).map { row in
      var sum = 0.0
      let start = row * signalCount
      for column in 0..<signalCount { sum += rows[start + column] * signal[column] }
      return sum
    }
  }

  public func adjoint(_ measurements: [Double]) -> [Double] {
    var result = [Double](repeating: 0, count: signalCount)
    for row in 0..<measurementCount {
      let value = measurements[row], start = row * signalCount
      for column in 0..<signalCount { result[column] += value * rows[start + column] }
    }
    return result
  }
}
