import MartletData

/// What an operator is made of, as data: the same description always gives the same operator.
public struct OperatorDescription: Sendable, Equatable {
  /// The families of operators.
  public enum Kind: String, Sendable, CaseIterable {
    /// Random coefficients of the cosine transform of pixels with random signs.
    case cosine
    /// A matrix with normally distributed entries.
    case gaussian
    /// A matrix with entries of one size and random sign.
    case bernoulli
    /// Random pixels.
    case mask
  }

  /// The family.
  public let kind: Kind
  /// The number of measurements of a plane.
  public let measurementCount: Int
  /// What the random choices are drawn from.
  public let seed: UInt64
  /// The most entries of a matrix that is held in memory (1 GiB).
  static let mostEntries = 1 << 27

  /// - Parameters:
  ///   - kind: the family.
  ///   - measurementCount: the number of measurements of a plane.
  ///   - seed: what the random choices are drawn from.
  public init(_ kind: Kind, measurementCount: Int, seed: UInt64) {
    (self.kind, self.measurementCount, self.seed) = (kind, measurementCount, seed)
  }

  /// The operator for planes `[height, width]`.
  /// - Throws: ``SensingError`` if there are more measurements than pixels, or a matrix would not fit in the memory.
  public func linearOperator(height: Int, width: Int) throws -> any LinearOperator {
    let pixels = height.multipliedReportingOverflow(by: width)
    guard height > 0, width > 0, !pixels.overflow, (1...pixels.partialValue).contains(measurementCount) else {
      throw SensingError(
        "An image of \(height)x\(width) cannot have \(measurementCount) measurements; take from 1 to its number of pixels."
      )
    }
    let count = pixels.partialValue
    switch kind {
    case .cosine:
      return try CosineOperator(height: height, width: width, measurementCount: measurementCount, seed: seed)
    case .mask: return try MaskOperator(signalCount: count, measurementCount: measurementCount, seed: seed)
    case .gaussian, .bernoulli:
      guard measurementCount <= Self.mostEntries / count else {
        throw SensingError(
          "A matrix of \(measurementCount)x\(count) is more than the limit of 1 GiB; use the operator cosine, which needs no matrix."
        )
      }
      return kind == .gaussian
        ? try MatrixOperator.gaussian(signalCount: count, measurementCount: measurementCount, seed: seed)
        : try MatrixOperator.bernoulli(signalCount: count, measurementCount: measurementCount, seed: seed)
    }
  }
}
