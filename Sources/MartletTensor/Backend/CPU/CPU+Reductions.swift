import CMartletKernels

extension CPU {
  /// Sum over neighbouring axes of a contiguous tensor in single or double precision, which become 1.
  static func sum(_ x: Tensor, axes: Range<Int>) -> Tensor {
    let shape = x.shape
    let outer = shape[..<axes.lowerBound].reduce(1, *), reduced = shape[axes].reduce(1, *)
    let inner = shape[axes.upperBound...].reduce(1, *)
    var target = shape
    for axis in axes { target[axis] = 1 }
    let result = Tensor.empty(target, dtype: x.dtype)
    if x.dtype == .float64 {
      for place in 0..<outer {
        martlet_sum_double(
          x.doubles + place * reduced * inner, Int64(reduced), Int64(inner), Int64(inner),
          result.mutableDoubles + place * inner)
      }
      return result
    }
    let input = x.floats, output = result.mutableFloats
    if outer >= Parallel.width || inner == 1 {
      Parallel.forEach(outer, grain: max(1, grainElements / max(1, reduced * inner))) { range in
        for place in range {
          martlet_sum(
            input + place * reduced * inner, Int64(reduced), Int64(inner), Int64(inner), output + place * inner)
        }
      }
    } else {
      // Few long columns of rows: each thread takes some columns.
      let columns = max(16, (grainElements / max(1, reduced) + 15) / 16 * 16)
      for place in 0..<outer {
        Parallel.forEach(inner, grain: columns) { range in
          martlet_sum(
            input + place * reduced * inner + range.lowerBound, Int64(reduced), Int64(inner), Int64(range.count),
            output + place * inner + range.lowerBound)
        }
      }
    }
    return result
  }

  /// Index of the largest value (the first of equals) of each of `count` runs of `length` values, from run `first` on; in
  /// single or double precision.
  static func argmax(_ x: Tensor, length: Int, first: Int = 0, count: Int) -> [Int] {
    if x.dtype == .float32 {
      let values = x.floats + first * length
      return (0..<count).map { Int(martlet_argmax(values + $0 * length, Int64(length))) }
    }
    let values = x.doubles + first * length
    return (0..<count).map { row in
      (0..<length).reduce(0) { values[row * length + $1] > values[row * length + $0] ? $1 : $0 }
    }
  }
}
