/// The plane in the space of the first principal components of training images that fits the measurements best.
public struct PrincipalSubspace: Reconstruction {
  /// The components of the training images.
  public var components: PrincipalComponents
  /// How many of them are used.
  public var count: Int

  /// - Parameters:
  ///   - components: the components of training images.
  ///   - count: how many of them are used; all, if there are fewer.
  public init(_ components: PrincipalComponents, count: Int) { (self.components, self.count) = (components, count) }

  public func reconstruct(
    _ measurements: [Double], of measured: any LinearOperator, height: Int, width: Int, log: ConvergenceLog?
  ) throws -> [Double] {
    try reconstruct(planes: [measurements], of: measured, height: height, width: width)[0]
  }

  public func reconstruct(
    planes: [[Double]], of measured: any LinearOperator, height: Int, width: Int
  ) throws -> [[Double]] {
    for plane in planes { try check(plane, measured, height, width) }
    try components.check(height: height, width: width)
    let used = max(0, min(count, components.directions.count, measured.measurementCount))
    return try components.estimates(
      planes, of: measured, variances: [Double](repeating: 1, count: used), noiseVariance: 0)
  }
}
