/// The plane of least mean squared error among those that are linear in the measurements, for the mean and covariance of training images
/// (linear MMSE, the Wiener estimate).
public struct LinearMeanSquare: Reconstruction {
  /// The mean and covariance of the training images.
  public var components: PrincipalComponents
  /// The Euclidean length of the measurements' noise.
  public var noise: Double

  /// - Parameters:
  ///   - components: the mean and covariance of training images.
  ///   - noise: the Euclidean length of the measurements' noise.
  public init(_ components: PrincipalComponents, noise: Double = 0) {
    (self.components, self.noise) = (components, noise)
  }

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
    return try components.estimates(
      planes, of: measured, variances: components.variances,
      noiseVariance: noise * noise / Double(measured.measurementCount))
  }
}
