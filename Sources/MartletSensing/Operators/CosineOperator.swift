import MartletTensor

/// Some coefficients of the two-dimensional cosine transform of a plane whose pixels have random signs. The coefficients are
/// chosen at random; the rows are orthonormal.
public struct CosineOperator: LinearOperator {
  /// The values of a plane.
  public var signalCount: Int { signs.count }
  /// The coefficients that are measured.
  public var measurementCount: Int { kept.count }
  /// The transform is orthonormal, and so is each choice of its rows.
  public var hasOrthonormalRows: Bool { true }
  private let transform: CosineTransform
  private let signs: [Double]
  private let kept: [Int]

  /// - Parameters:
  ///   - height: the rows of a plane.
  ///   - width: the columns of a plane.
  ///   - measurementCount: the coefficients, at most `height * width`.
  ///   - seed: decides the signs and the choice.
  /// - Throws: ``SensingError`` if there are more measurements than pixels, or a size is not positive.
  public init(height: Int, width: Int, measurementCount: Int, seed: UInt64) throws {
    guard height > 0, width > 0, measurementCount > 0, measurementCount <= height * width else {
      throw SensingError(
        "An image of \(height)x\(width) has \(height * width) pixels; take from 1 to so many measurements, not \(measurementCount)."
      )
    }
    let random = RandomSource(seed: seed)
    transform = CosineTransform(height: height, width: width)
    signs = (0..<height * width).map { random.stream("signs").bits($0) >> 63 == 0 ? 1 : -1 }
    kept = random.stream("rows").permutation(height * width).prefix(measurementCount).sorted()
  }

  public func forward(_ signal: [Double]) -> [Double] {
    var signed = signal
    for index in signed.indices { signed[index] *= signs[index] }
    let all = transform.forward(signed)
    return kept.map { all[$0] }
  }

  public func adjoint(_ measurements: [Double]) -> [Double] {
    var all = [Double](repeating: 0, count: signalCount)
    for (index, place) in kept.enumerated() { all[place] = measurements[index] }
    var plane = transform.inverse(all)
    for index in plane.indices { plane[index] *= signs[index] }
    return plane
  }
}
