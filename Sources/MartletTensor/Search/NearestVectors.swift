/// Exact nearest-neighbour search that compares the query with only a few of the vectors in full.
///
/// Each vector has a sketch: its coordinates along the principal components of all vectors, and the norm of the
/// remainder. For a vector x and a query q with coordinates p and remainders r,
///
///     |x - q|^2 >= |p(x) - p(q)|^2 + (|r(x)| - |r(q)|)^2
///
/// because the projection is orthonormal and by the triangle inequality. The sketch is rounded to 8 bits and the bound
/// is lowered by the largest possible rounding error, so that it never excludes a vector wrongly. The remaining vectors
/// are compared exactly.
public struct NearestVectors: Sendable {
  /// Coordinates of a sketch: the components and the length of the rest.
  static let sketchWidth = 32

  /// The vectors that are searched.
  public let table: VectorTable
  /// At most `[sketchWidth - 1, width]`, orthonormal rows.
  private let components: Tensor
  private let mean: [Float]
  /// Length of one step of a sketch's numbers.
  private let step: Float
  private let sketches: [Int8]
  /// How far rounding and clamping moved each sketch, at most.
  private let slack: Float
  /// Sketches that did not fit the range of 8 bits: measured always.
  private let outliers: [Int]

  /// Computes the sketches of all rows. O(rows x width x components).
  public init(_ table: VectorTable) {
    self.table = table
    let width = table.width, count = table.count, parts = min(width, Self.sketchWidth - 1)
    let sample = Swift.stride(from: 0, to: count, by: max(1, count / 1024)).map(table.vector)
    var mean = [Float](repeating: 0, count: width)
    for vector in sample { for i in 0..<width { mean[i] += vector[i] / Float(sample.count) } }
    self.mean = mean
    components = Self.principal(sample.map { zip($0, mean).map { $0 - $1 } }, width: width, count: parts)
    var coordinates: [Float] = []
    coordinates.reserveCapacity(count * Self.sketchWidth)
    for start in Swift.stride(from: 0, to: count, by: 1024) {
      let rows = (start..<min(count, start + 1024)).map(table.vector)
      coordinates += Self.coordinates(rows, mean: mean, components)
    }
    // One part in a thousand may fall outside; those vectors are measured always.
    let lengths = coordinates.map { abs($0) }.sorted()
    let largest = lengths.isEmpty ? 1 : lengths[min(lengths.count - 1, lengths.count * 999 / 1000)]
    let step = max(largest / 127, 1e-12)
    self.step = step
    var outliers: [Int] = []
    var sketches = [Int8](repeating: 0, count: coordinates.count)
    for row in 0..<count {
      var fits = true
      for i in row * Self.sketchWidth..<(row + 1) * Self.sketchWidth {
        let value = (coordinates[i] / step).rounded()
        fits = fits && abs(value) <= 127
        sketches[i] = Int8(max(-127, min(127, value)))
      }
      if !fits { outliers.append(row) }
    }
    self.sketches = sketches
    self.outliers = outliers
    // Half a step a coordinate, and what single precision adds.
    slack = step * Float(Self.sketchWidth).squareRoot() / 2 * 1.001
  }

  /// The nearest row within `radius` of `query`, and its distance. Exact.
  /// - Returns: the row, its distance, and the number of rows that were compared in full; nil if no row lies within
  ///   `radius`.
  public func nearest(to query: [Float], within radius: Float) -> (row: Int, distance: Float, measured: Int)? {
    guard table.count > 0 else { return nil }
    let coordinates = Self.coordinates([query], mean: mean, components)
    let sketch = coordinates.map { Int8(max(-127, min(127, ($0 / step).rounded()))) }
    // How far the query's own sketch was moved, clamping included.
    var moved: Float = 0
    for (value, rounded) in zip(coordinates, sketch) {
      let gap = value - Float(rounded) * step
      moved += gap * gap
    }
    /// The largest squared distance between sketches of vectors that are `distance` apart.
    func limit(_ distance: Float) -> Int32 {
      let reach = Double((distance + slack + moved.squareRoot()) / step) * 1.0001
      return Int32(min(2e9, reach * reach + 1))
    }
    let (hits, sums) = CPU.scan(
      sketches, rows: table.count, width: Self.sketchWidth, query: sketch, limit: limit(radius))
    // The likeliest first, until what is left cannot be nearer than the best.
    let order = hits.indices.sorted { sums[$0] < sums[$1] }
    var best: (row: Int, distance: Float)?
    var measured = 0
    func measure(_ row: Int) {
      measured += 1
      let distance = table.distance(row, to: query)
      if distance <= radius,
        distance < best?.distance ?? .infinity || (distance == best?.distance && row > best?.row ?? 0)
      {
        best = (row, distance)
      }
    }
    for row in outliers { measure(row) }
    for place in order {
      if let best, sums[place] > limit(best.distance) { break }
      measure(Int(hits[place]))
    }
    return best.map { ($0.row, $0.distance, measured) }
  }

  /// `[rows, sketchWidth]`: the components (zeros where the vectors have fewer numbers), then the length of the rest.
  private static func coordinates(_ rows: [[Float]], mean: [Float], _ components: Tensor) -> [Float] {
    let centred = Tensor(rows.flatMap { zip($0, mean).map { $0 - $1 } }, shape: [rows.count, mean.count])
    let projected = matmul(centred, components.transposed())
    let lengths = centred.squared.sum(axes: [1]).values, inside = projected.squared.sum(axes: [1]).values
    let values = projected.values, width = components.rows
    var result = [Float](repeating: 0, count: rows.count * sketchWidth)
    for row in rows.indices {
      for i in 0..<width { result[row * sketchWidth + i] = values[row * width + i] }
      result[(row + 1) * sketchWidth - 1] = max(0, lengths[row] - inside[row]).squareRoot()
    }
    return result
  }

  /// The directions in which vectors differ most, by subspace iteration: orthonormal rows `[count, width]`.
  private static func principal(_ vectors: [[Float]], width: Int, count: Int) -> Tensor {
    let data = Tensor(vectors.flatMap { $0 }, shape: [vectors.count, width])
    var basis = orthonormal(normal([count, width], deviation: 1, random: RandomSource(seed: 1)))
    for _ in 0..<6 {
      if vectors.isEmpty { break }
      basis = orthonormal(matmul(matmul(basis, data.transposed()), data))
    }
    return basis
  }

  /// Gram and Schmidt, twice, in double precision: rows of length 1 at right angles.
  private static func orthonormal(_ rows: Tensor) -> Tensor {
    let width = rows.columns
    var result: [[Double]] = []
    let values = rows.doubleValues
    for row in 0..<rows.rows {
      var vector = Array(values[row * width..<(row + 1) * width])
      for _ in 0..<2 {
        for other in result {
          let share = zip(vector, other).reduce(0) { $0 + $1.0 * $1.1 }
          for i in 0..<width { vector[i] -= share * other[i] }
        }
      }
      let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
      // A direction that is not there stays zero, which keeps the bound true.
      result.append(length > 1e-9 ? vector.map { $0 / length } : [Double](repeating: 0, count: width))
    }
    return Tensor(doubles: result.flatMap { $0 }, shape: rows.shape, dtype: .float32)
  }
}
