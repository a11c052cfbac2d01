/// The plane with few large coefficients in a basis, by the lasso (see ``SparseSignal``).
public struct Lasso: Reconstruction {
  /// How much the sum of absolute coefficients weighs against the error.
  public enum Weight: Sendable, Equatable {
    /// A number.
    case value(Double)
    /// A part of the least weight with which nothing is left.
    case share(Double)
    /// As large as it can be for an error of this Euclidean length, that of the noise.
    case noise(Double)
  }

  /// Where the plane is sparse.
  public var basis: SparseBasis
  /// The weight.
  public var weight: Weight
  /// Whether steps have momentum: FISTA, and ISTA without.
  public var isAccelerated: Bool
  /// The most steps.
  public var iterations: Int
  /// The steps end when the relative change of a step is below this.
  public var tolerance: Double

  /// - Parameters:
  ///   - basis: where the plane is sparse.
  ///   - weight: how much the sum of absolute coefficients weighs.
  ///   - isAccelerated: whether steps have momentum.
  ///   - iterations: the most steps, for each weight that is tried.
  ///   - tolerance: the relative change of a step below which the steps end.
  public init(
    basis: SparseBasis = .db4, weight: Weight = .share(0.001), isAccelerated: Bool = true, iterations: Int = 300,
    tolerance: Double = 1e-5
  ) {
    (self.basis, self.weight, self.isAccelerated) = (basis, weight, isAccelerated)
    (self.iterations, self.tolerance) = (iterations, tolerance)
  }

  public func reconstruct(
    _ measurements: [Double], of measured: any LinearOperator, height: Int, width: Int, log: ConvergenceLog?
  ) throws -> [Double] {
    try check(measurements, measured, height, width)
    return try basis.solve(measured, height: height, width: width) { measured in
      let number: Double
      switch weight {
      case .noise(let noise) where noise > 0:
        return try SparseSignal.lasso(
          measurements, of: measured, noise: noise, isAccelerated: isAccelerated, iterations: iterations,
          tolerance: tolerance, log: log
        ).signal
      case .noise: number = 0
      case .value(let value): number = value
      case .share(let share): number = share * SparseSignal.largestWeight(measurements, of: measured)
      }
      return try SparseSignal.lasso(
        measurements, of: measured, weight: number, isAccelerated: isAccelerated, iterations: iterations,
        tolerance: tolerance, log: log)
    }
  }
}

extension SparseBasis {
  /// The plane whose coefficients `solver` finds.
  func solve(
    _ measured: any LinearOperator, height: Int, width: Int, by solver: (any LinearOperator) throws -> [Double]
  ) throws -> [Double] {
    guard let transform = try transform(height: height, width: width) else { return try solver(measured) }
    return transform.inverse(try solver(BasisOperator(measured: measured, transform: transform)))
  }
}
