import MartletTensor

/// Some pixels of a plane, chosen at random; the others are not seen.
public struct MaskOperator: LinearOperator {
  /// The values of a plane.
  public let signalCount: Int
  /// The pixels that are seen, in order.
  public let kept: [Int]
  /// The number of pixels that are seen.
  public var measurementCount: Int { kept.count }
  /// Each row picks another pixel.
  public var hasOrthonormalRows: Bool { true }

  /// - Throws: ``SensingError`` if there are more measurements than pixels, or a number is not positive.
  public init(signalCount: Int, measurementCount: Int, seed: UInt64) throws {
    guard measurementCount > 0, measurementCount <= signalCount else {
      throw SensingError(
        "An image of \(signalCount) pixels has from 1 to \(signalCount) pixels to see, not \(measurementCount).")
    }
    self.signalCount = signalCount
    kept = RandomSource(seed: seed).stream("pixels").permutation(signalCount).prefix(measurementCount).sorted()
  }

  public func forward(_ signal: [Double]) -> [Double] { kept.map { signal[$0] } }

  public func adjoint(_ measurements: [Double]) -> [Double] {
    var plane = [Double](repeating: 0, count: signalCount)
    for (index, place) in kept.enumerated() { plane[place] = measurements[index] }
    return plane
  }
}
