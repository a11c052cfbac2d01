import Foundation
import MartletTensor

/// The orthonormal discrete cosine transform (type II) of planes `[height, width]`, and its inverse (type III), after B. G. Lee, "A new
/// algorithm to compute the discrete cosine transform", 1984. An odd factor of a size is computed by the definition.
struct CosineTransform: PlaneTransform {
  /// What the transform of columns of one length needs.
  private struct Columns {
    /// `1 / (2 cos((i + 1/2) pi / size))` of the length, of its half, and so on down to the odd factor.
    let factors: [Double]
    /// `cos(k (i + 1/2) pi / size)` of the odd factor, `[k, i]`.
    let cosines: [Double]

    init(_ length: Int) {
      var size = length, factors: [Double] = []
      while size > 0, size % 2 == 0 {
        let count = size
        factors += (0..<count / 2).map { (index: Int) -> Double in
          0.5 / cos((Double(index) + 0.5) * Double.pi / Double(count))
        }
        size /= 2
      }
      let odd = size
      self.factors = factors
      cosines = (0..<odd * odd).map { (place: Int) -> Double in
        let (coefficient, index) = place.quotientAndRemainder(dividingBy: odd)
        return cos(Double(coefficient) * (Double(index) + 0.5) * Double.pi / Double(odd))
      }
    }
  }

  let height: Int, width: Int
  private let down: Columns, across: Columns

  /// - Throws: ``SensingError`` where the odd factor of a size is too large.
  init(height: Int, width: Int) throws {
    try Self.checkOddFactors("cosine", height: height, width: width)
    (self.height, self.width) = (height, width)
    (down, across) = (Columns(height), Columns(width))
  }

  func forward(_ plane: [Double]) -> [Double] {
    var plane = plane
    transform(&plane)
    return plane
  }

  func inverse(_ coefficients: [Double]) -> [Double] {
    var plane = coefficients
    invert(&plane)
    return plane
  }

  func transform(_ plane: inout [Double]) { transform(&plane, isInverse: false) }
  func invert(_ coefficients: inout [Double]) { transform(&coefficients, isInverse: true) }

  private func transform(_ plane: inout [Double], isInverse: Bool) {
    CPU.cosineTransform(
      &plane, height: height, width: width, isInverse: isInverse, down: (down.factors, down.cosines),
      across: (across.factors, across.cosines))
  }
}
