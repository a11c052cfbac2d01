/// The factor L of a symmetric, positive definite matrix `L transpose(L)`.
struct Cholesky: Sendable {
  private let size: Int
  /// `[size, size]`; what is above the diagonal is not used.
  private var factor: [Double]

  /// - Parameters:
  ///   - matrix: `[size, size]`, of which the lower triangle is read.
  ///   - size: the number of rows.
  /// - Returns: nil if the matrix is not positive definite.
  init?(_ matrix: [Double], size: Int) {
    self.size = size
    factor = matrix
    for row in 0..<size {
      for column in 0...row {
        var value = factor[row * size + column]
        let (a, b) = (row * size, column * size)
        for place in 0..<column { value -= factor[a + place] * factor[b + place] }
        if row > column {
          factor[a + column] = value / factor[b + column]
        } else {
          guard value > 1e-14 * abs(matrix[a + row]), value.isFinite else { return nil }
          factor[a + row] = value.squareRoot()
        }
      }
    }
  }

  /// The x of `matrix * x = right`.
  func solve(_ right: [Double]) -> [Double] {
    var x = right
    for row in 0..<size {
      for place in 0..<row { x[row] -= factor[row * size + place] * x[place] }
      x[row] /= factor[row * size + row]
    }
    for row in (0..<size).reversed() {
      for place in row + 1..<size { x[row] -= factor[place * size + row] * x[place] }
      x[row] /= factor[row * size + row]
    }
    return x
  }
}
