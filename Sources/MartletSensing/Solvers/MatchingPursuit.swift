/// The plane of few coefficients in a basis, chosen one by one (orthogonal matching pursuit; see ``SparseSignal``).
public struct MatchingPursuit: Reconstruction {
  /// Where the plane is sparse.
  public var basis: SparseBasis
  /// The most coefficients, as a part of the measurements, at most 1.
  public var share: Double
  /// The most coefficients, in place of the part.
  public var count: Int?
  /// The choice ends when the error's length is at most this.
  public var noise: Double

  /// - Parameters:
  ///   - basis: where the plane is sparse.
  ///   - share: the most coefficients, as a part of the measurements.
  ///   - count: the most coefficients, in place of the part.
  ///   - noise: the Euclidean length of the measurements' noise.
  public init(basis: SparseBasis = .db4, share: Double = 0.25, count: Int? = nil, noise: Double = 0) {
    (self.basis, self.share, self.count, self.noise) = (basis, share, count, noise)
  }

  public func reconstruct(
    _ measurements: [Double], of measured: any LinearOperator, height: Int, width: Int, log: ConvergenceLog?
  ) throws -> [Double] {
    try check(measurements, measured, height, width)
    guard share >= 0, share <= 1 else {
      throw SensingError("The part of the measurements must be from 0 to 1, not \(share).")
    }
    let count = count ?? Int((share * Double(measurements.count)).rounded(.up))
    return try basis.solve(measured, height: height, width: width) {
      try SparseSignal.matchingPursuit(measurements, of: $0, count: count, noise: noise, log: log)
    }
  }
}
