/// The orthonormal bases in which a plane may have few values that are not zero.
public enum SparseBasis: String, Sendable, CaseIterable {
  /// The pixels themselves.
  case pixel
  /// The two-dimensional cosine transform of the whole plane.
  case cosine
  /// Haar's wavelets.
  case haar
  /// Daubechies' wavelets with four vanishing moments and eight taps.
  case db4

  /// The transform from planes to coefficients; nil for the pixels.
  func transform(height: Int, width: Int) -> (any PlaneTransform)? {
    switch self {
    case .pixel: nil
    case .cosine: CosineTransform(height: height, width: width)
    case .haar: WaveletTransform(.haar, height: height, width: width)
    case .db4: WaveletTransform(.daubechies4, height: height, width: width)
    }
  }
}

/// An orthonormal transform of planes `[height, width]`.
protocol PlaneTransform: Sendable {
  /// The coefficients of a plane, as many as pixels.
  func forward(_ plane: [Double]) -> [Double]
  /// The plane of coefficients.
  func inverse(_ coefficients: [Double]) -> [Double]
  /// Puts the coefficients of a plane in its place.
  func transform(_ plane: inout [Double])
  /// Puts the plane of coefficients in their place.
  func invert(_ coefficients: inout [Double])
}

extension PlaneTransform {
  func transform(_ plane: inout [Double]) { plane = forward(plane) }
  func invert(_ coefficients: inout [Double]) { coefficients = inverse(coefficients) }
}

/// An operator on the coefficients of a plane in an orthonormal basis.
struct BasisOperator: LinearOperator {
  let measured: any LinearOperator
  let transform: any PlaneTransform

  var signalCount: Int { measured.signalCount }
  var measurementCount: Int { measured.measurementCount }
  var hasOrthonormalRows: Bool { measured.hasOrthonormalRows }

  func forward(_ signal: [Double]) -> [Double] { measured.forward(transform.inverse(signal)) }
  func adjoint(_ measurements: [Double]) -> [Double] { transform.forward(measured.adjoint(measurements)) }
}
