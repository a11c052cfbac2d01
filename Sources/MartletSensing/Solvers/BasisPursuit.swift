/// The plane with the least sum of absolute coefficients in a basis among those that fit the measurements: basis pursuit, or with noise basis
/// pursuit denoising (see ``SparseSignal``).
public struct BasisPursuit: Reconstruction {
  /// Where the plane is sparse.
  public var basis: SparseBasis
  /// The Euclidean length of the measurements' noise; 0 fits them exactly.
  public var noise: Double
  /// The most steps.
  public var iterations: Int
  /// The steps end when the relative change of a step is below this.
  public var tolerance: Double

  /// - Parameters:
  ///   - basis: where the plane is sparse.
  ///   - noise: the Euclidean length of the measurements' noise.
  ///   - iterations: the most steps.
  ///   - tolerance: the relative change of a step below which the steps end.
  public init(basis: SparseBasis = .db4, noise: Double = 0, iterations: Int = 1_000, tolerance: Double = 1e-5) {
    (self.basis, self.noise, self.iterations, self.tolerance) = (basis, noise, iterations, tolerance)
  }

  public func reconstruct(
    _ measurements: [Double], of measured: any LinearOperator, height: Int, width: Int, log: ConvergenceLog?
  ) throws -> [Double] {
    try check(measurements, measured, height, width)
    return try basis.solve(measured, height: height, width: width) {
      try SparseSignal.basisPursuit(
        measurements, of: $0, noise: noise, iterations: iterations, tolerance: tolerance, log: log)
    }
  }
}
