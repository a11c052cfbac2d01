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
  /// - Throws: ``SensingError`` where there is none for planes of this size.
  func transform(height: Int, width: Int) throws -> (any PlaneTransform)? {
    switch self {
    case .pixel: return nil
    case .cosine: return try CosineTransform(height: height, width: width)
    case .haar: return WaveletTransform(.haar, height: height, width: width)
    case .db4: return WaveletTransform(.daubechies4, height: height, width: width)
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
  /// Refuses sizes whose odd factor is above 8191: it is computed by its definition, whose table and time grow with its square.
  static func checkOddFactors(_ name: String, height: Int, width: Int) throws {
    for size in [height, width] where size > 0 && size >> size.trailingZeroBitCount > 8_191 {
      throw SensingError(
        "The \(name) transform of \(height)x\(width) pixels takes too long, as \(size) is no power of two times a number up to 8191; "
          + "measure by hadamard or a mask, take db4 or haar as basis, or cut the images.")
    }
  }

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
