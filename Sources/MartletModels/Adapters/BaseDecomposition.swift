import Foundation
import MartletTensor

/// What PEFT takes out of a base weight when it begins an adapter from it: `B A`, which the adapter held at first.
/// Worked out in double precision. `[outputs, rank]` and `[rank, inputs]`.
enum BaseDecomposition {
  /// The part of a weight with the largest singular values (PiSSA): rank r of its singular value decomposition.
  ///
  /// The singular vectors are the eigenvectors of the smaller of `W Wᵀ` and `Wᵀ W`. O(min(outputs, inputs)³).
  static func principalPart(of weight: Tensor, rank: Int) -> (b: Tensor, a: Tensor) {
    let (outputs, inputs) = (weight.shape[0], weight.shape[1])
    let w = Tensor(doubles: weight.doubleValues, shape: weight.shape)
    let isWide = outputs <= inputs
    let gram = isWide ? matmul(w, w.transposed()) : matmul(w.transposed(), w)
    let vectors = SymmetricEigenvectors(gram.doubleValues, size: min(outputs, inputs)).largest(rank)
    let basis = Tensor(doubles: vectors.flatMap { $0 }, shape: [vectors.count, min(outputs, inputs)])  // rows
    // W projected on the vectors: U Uᵀ W, or W V Vᵀ.
    return isWide
      ? (b: basis.transposed().single, a: matmul(basis, w).single)
      : (b: matmul(w, basis.transposed()).single, a: basis.single)
  }

  /// The projection of a weight on its first `rank` columns (OLoRA): `Q R` cut off, by Gram and Schmidt's method.
  static func firstColumns(of weight: Tensor, rank: Int) -> (b: Tensor, a: Tensor) {
    let (outputs, inputs) = (weight.shape[0], weight.shape[1])
    let values = weight.doubleValues
    var columns: [[Double]] = []
    for place in 0..<min(rank, outputs, inputs) {
      var column = (0..<outputs).map { values[$0 * inputs + place] }
      let before = column.reduce(0) { $0 + $1 * $1 }.squareRoot()
      // Twice, so that rounding leaves nothing of the others.
      for other in columns + columns {
        let share = zip(column, other).reduce(0) { $0 + $1.0 * $1.1 }
        for row in 0..<outputs { column[row] -= share * other[row] }
      }
      let length = column.reduce(0) { $0 + $1 * $1 }.squareRoot()
      guard length > 1e-12 * before else { continue }
      columns.append(column.map { $0 / length })
    }
    guard !columns.isEmpty else { return (.zeros([outputs, 1]), .zeros([1, inputs])) }
    let basis = Tensor(doubles: columns.flatMap { $0 }, shape: [columns.count, outputs])
    return (
      b: basis.transposed().single, a: matmul(basis, Tensor(doubles: values, shape: weight.shape)).single
    )
  }
}

extension Tensor {
  /// The same in single precision, contiguous.
  fileprivate var single: Tensor { Tensor(doubles: contiguous().doubleValues, shape: shape, dtype: .float32) }
}
