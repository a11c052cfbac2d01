import CMartletKernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

// Of any type of elements, unless stated otherwise; tables and sources are contiguous.

extension CPU {
  /// Rows `indices` of a table. Precondition: each is one of its rows.
  static func gatherRows(_ table: Tensor, _ indices: [Int]) -> Tensor {
    let size = table.columns * table.dtype.byteCount, height = table.rows
    let result = Tensor.empty([indices.count] + table.shape.dropFirst(), dtype: table.dtype)
    for (place, index) in indices.enumerated() {
      precondition(index >= 0 && index < height, "row \(index) of \(table.shape)")
      memcpy(result.base + place * size, table.base + index * size, size)
    }
    return result
  }

  /// Row i is added to row `indices[i]` of zeros `[count, columns]`; in single or double precision.
  static func scatterRows(_ source: Tensor, _ indices: [Int], count: Int) -> Tensor {
    let width = source.columns, result = Tensor.zeros([count] + source.shape.dropFirst(), dtype: source.dtype)
    for (place, index) in indices.enumerated() {
      if source.dtype == .float64 {
        let target = result.mutableDoubles + index * width
        martlet_binary_double(MARTLET_OP_ADD, target, 1, source.doubles + place * width, 1, target, Int64(width))
      } else {
        let target = result.mutableFloats + index * width
        martlet_binary(MARTLET_OP_ADD, target, 1, source.floats + place * width, 1, target, Int64(width))
      }
    }
    return result
  }

  /// Value i of the result is the one at `places[i]`; in single or double precision.
  static func gather(_ table: Tensor, _ places: [Int], shape: [Int]) -> Tensor {
    let result = Tensor.empty(shape, dtype: table.dtype)
    if table.dtype == .float64 {
      for (place, from) in places.enumerated() { result.mutableDoubles[place] = table.doubles[from] }
    } else {
      for (place, from) in places.enumerated() { result.mutableFloats[place] = table.floats[from] }
    }
    return result
  }

  /// Value i is added to the one at `places[i]` of zeros; in single or double precision.
  static func scatter(_ source: Tensor, _ places: [Int], shape: [Int]) -> Tensor {
    let result = Tensor.zeros(shape, dtype: source.dtype)
    if source.dtype == .float64 {
      for (place, to) in places.enumerated() { result.mutableDoubles[to] += source.doubles[place] }
    } else {
      for (place, to) in places.enumerated() { result.mutableFloats[to] += source.floats[place] }
    }
    return result
  }

  /// The same rows, but row `rows[i]` is row i of `values`. Precondition: each is one of the source's rows.
  static func replaceRows(_ source: Tensor, _ rows: [Int], with values: Tensor) -> Tensor {
    let size = source.columns * source.dtype.byteCount, height = source.rows
    let result = Tensor.empty(source.shape, dtype: source.dtype)
    result.base.copyMemory(from: source.base, byteCount: height * size)
    for (place, row) in rows.enumerated() {
      precondition(row >= 0 && row < height, "row \(row) of \(source.shape)")
      (result.base + row * size).copyMemory(from: values.base + place * size, byteCount: size)
    }
    return result
  }

  /// Row t becomes row t + 1 (`forward`) or t - 1 of its span; the row at the span's edge becomes zero.
  static func shift(_ x: Tensor, _ spans: [Range<Int>], forward: Bool) -> Tensor {
    let row = x.columns * x.dtype.byteCount, result = Tensor.empty(x.shape, dtype: x.dtype)
    let (from, to) = (x.base, result.base)
    for span in spans {
      let moved = (span.count - 1) * row, first = span.lowerBound * row
      (to + first + (forward ? row : 0)).copyMemory(from: from + first + (forward ? 0 : row), byteCount: moved)
      let edge = forward ? first : first + moved
      (to + edge).initializeMemory(as: UInt8.self, repeating: 0, count: row)
    }
    return result
  }
}
