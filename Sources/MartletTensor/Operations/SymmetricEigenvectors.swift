/// Eigenvalues and eigenvectors of a symmetric matrix: Householder's reduction to three diagonals, then the QL method
/// with implicit shifts (Golub and Van Loan, Matrix Computations, 8.3).
public struct SymmetricEigenvectors: Sendable {
  private let size: Int
  private var values: [Double]
  /// Column j belongs to value j; row-major.
  private var vectors: [Double]

  /// Decomposes a matrix. Precondition: it has `size` times `size` values.
  /// - Parameters:
  ///   - matrix: `[size, size]`, row after row.
  ///   - size: the number of its rows.
  public init(_ matrix: [Double], size: Int) {
    precondition(matrix.count == size * size, "\(matrix.count) values for \(size) rows")
    self.size = size
    vectors = matrix
    values = [Double](repeating: 0, count: size)
    var beside = [Double](repeating: 0, count: size)
    reduce(&beside)
    iterate(&beside)
  }

  /// The eigenvectors of the largest values, the largest first.
  /// - Parameter count: how many; all, if there are fewer.
  public func largest(_ count: Int) -> [[Double]] {
    order.prefix(max(0, count)).map { column in (0..<size).map { vectors[$0 * size + column] } }
  }

  /// All eigenvalues, the largest first.
  public var eigenvalues: [Double] { order.map { values[$0] } }

  private var order: [Int] { values.indices.sorted { values[$0] > values[$1] } }

  /// Brings the matrix to three diagonals, `values` and `beside`, by reflections, whose product is put in `vectors`.
  private mutating func reduce(_ beside: inout [Double]) {
    let n = size
    // The reflections, one a column from the first; each leaves one entry below the diagonal.
    var reflections: [(vector: [Double], factor: Double)] = []
    for column in 0..<max(0, n - 2) {
      var v = [Double](repeating: 0, count: n)
      var squares = 0.0
      for row in column + 1..<n {
        v[row] = vectors[row * n + column]
        squares += v[row] * v[row]
      }
      let rest = squares - v[column + 1] * v[column + 1]
      guard rest > 0 else {
        reflections.append((v, 0))
        continue
      }
      let length = squares.squareRoot()
      v[column + 1] += v[column + 1] < 0 ? -length : length
      let factor = 2 / (rest + v[column + 1] * v[column + 1])
      // A - v wᵀ - w vᵀ
      var w = [Double](repeating: 0, count: n)
      for row in column..<n {
        var sum = 0.0
        for place in column + 1..<n { sum += vectors[row * n + place] * v[place] }
        w[row] = factor * sum
      }
      var share = 0.0
      for place in column + 1..<n { share += w[place] * v[place] }
      share *= factor / 2
      for place in column..<n { w[place] -= share * v[place] }
      for row in column..<n {
        let (x, y) = (v[row], w[row])
        for place in column..<n { vectors[row * n + place] -= x * w[place] + y * v[place] }
      }
      reflections.append((v, factor))
    }
    for index in 0..<n {
      values[index] = vectors[index * n + index]
      if index > 0 { beside[index - 1] = vectors[index * n + index - 1] }
    }
    for place in vectors.indices { vectors[place] = place / n == place % n ? 1 : 0 }
    for (column, (v, factor)) in reflections.enumerated().reversed() where factor != 0 {
      // H Q, where Q differs from the unit matrix behind `column` alone
      var w = [Double](repeating: 0, count: n)
      for row in column + 1..<n {
        let x = v[row]
        for place in column + 1..<n { w[place] += x * vectors[row * n + place] }
      }
      for row in column + 1..<n {
        let x = factor * v[row]
        for place in column + 1..<n { vectors[row * n + place] -= x * w[place] }
      }
    }
  }

  /// Turns the three diagonals into one, and the vectors with them.
  private mutating func iterate(_ beside: inout [Double]) {
    let n = size
    // Columns are turned in pairs, which lie side by side when the matrix is transposed.
    var rows = vectors
    for row in 0..<n { for column in 0..<n { rows[column * n + row] = vectors[row * n + column] } }
    for start in 0..<n {
      // Every value takes two or three rounds; what does not end is left as near as it came.
      for _ in 0..<60 {
        var end = start
        while end < n - 1 {
          let scale = abs(values[end]) + abs(values[end + 1])
          if abs(beside[end]) <= 1e-16 * scale { break }
          end += 1
        }
        if end == start { break }
        var g = (values[start + 1] - values[start]) / (2 * beside[start])
        let r = (g * g + 1).squareRoot()
        g = values[end] - values[start] + beside[start] / (g + (g < 0 ? -r : r))
        var (sine, cosine, p) = (1.0, 1.0, 0.0)
        var isSplit = false
        for index in (start..<end).reversed() {
          let f = sine * beside[index], b = cosine * beside[index]
          let r = (f * f + g * g).squareRoot()
          beside[index + 1] = r
          if r == 0 {
            values[index + 1] -= p
            beside[end] = 0
            isSplit = true
            break
          }
          (sine, cosine) = (f / r, g / r)
          g = values[index + 1] - p
          let t = (values[index] - g) * sine + 2 * cosine * b
          p = sine * t
          values[index + 1] = g + p
          g = cosine * t - b
          for place in 0..<n {
            let (x, y) = (rows[index * n + place], rows[(index + 1) * n + place])
            rows[(index + 1) * n + place] = sine * x + cosine * y
            rows[index * n + place] = cosine * x - sine * y
          }
        }
        if isSplit { continue }
        values[start] -= p
        beside[start] = g
        beside[end] = 0
      }
    }
    for row in 0..<n { for column in 0..<n { vectors[row * n + column] = rows[column * n + row] } }
  }
}
