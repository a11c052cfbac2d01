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
        factors += (0..<count / 2).map { 0.5 / cos((Double($0) + 0.5) * .pi / Double(count)) }
        size /= 2
      }
      let odd = size
      self.factors = factors
      cosines = (0..<odd * odd).map { cos(Double($0 / odd) * (Double($0 % odd) + 0.5) * .pi / Double(odd)) }
    }
  }

  let height: Int, width: Int
  private let down: Columns, across: Columns

  init(height: Int, width: Int) {
    (self.height, self.width) = (height, width)
    (down, across) = (Columns(height), Columns(width))
  }

  func forward(_ plane: [Double]) -> [Double] { transform(plane, isInverse: false) }
  func inverse(_ plane: [Double]) -> [Double] { transform(plane, isInverse: true) }

  private func transform(_ plane: [Double], isInverse: Bool) -> [Double] {
    let turned = columns(plane, down, rows: height, columns: width, isInverse)
    return columns(turned, across, rows: width, columns: height, isInverse)
  }

  /// Transforms the columns of `[rows, columns]` and returns the transpose, `[columns, rows]`.
  private func columns(_ plane: [Double], _ values: Columns, rows: Int, columns: Int, _ isInverse: Bool) -> [Double] {
    CPU.cosineColumns(
      plane, rows: rows, columns: columns, isInverse: isInverse, factors: values.factors, cosines: values.cosines)
  }
}
