import MartletKernels

// How the row kernels are run in parallel: results row by row, and sums over rows whose order of additions depends on
// the sizes alone, never on the number of threads.

typealias RowKernel1 = @convention(c) (UnsafePointer<Float>?, UnsafeMutablePointer<Float>?, Int64) -> Void
typealias RowKernel2 =
  @convention(c) (
    UnsafePointer<Float>?, UnsafePointer<Float>?, UnsafeMutablePointer<Float>?, Int64
  ) -> Void

extension Tensor {
  /// A tensor like `self` whose rows `compute` fills, range by range, in parallel.
  func mapRows(_ compute: (_ range: Range<Int>, _ result: UnsafeMutablePointer<Float>) -> Void) -> Tensor {
    let result = Tensor.empty(shape)
    let output = result.mutableFloats
    Parallel.forEach(rows, grain: grainElements / max(1, columns)) { compute($0, output) }
    return result
  }

  func mapElements(_ kernel: RowKernel1) -> Tensor {
    let dense = contiguous(), result = Tensor.empty(shape)
    let (input, output) = (dense.floats, result.mutableFloats)
    Parallel.forEach(count, grain: grainElements) { range in
      kernel(input + range.lowerBound, output + range.lowerBound, Int64(range.count))
    }
    return result
  }

  func mapElements(with other: Tensor, _ kernel: RowKernel2) -> Tensor {
    precondition(shape == other.shape, "shapes \(shape) and \(other.shape) differ")
    let (first, second, result) = (contiguous(), other.contiguous(), Tensor.empty(shape))
    let (a, b, output) = (first.floats, second.floats, result.mutableFloats)
    Parallel.forEach(count, grain: grainElements) { range in
      kernel(a + range.lowerBound, b + range.lowerBound, output + range.lowerBound, Int64(range.count))
    }
    return result
  }
}

/// Sums over rows: `compute` adds its rows' share to `count` vectors of `columns` zeros, which are then added up.
func summedOverRows(
  rows: Int, columns: Int, count: Int, _ compute: (_ range: Range<Int>, _ sums: UnsafeMutablePointer<Float>) -> Void
) -> [Tensor] {
  let chunkRows = max(16, (rows + 31) / 32), chunks = (rows + chunkRows - 1) / chunkRows
  let partial = Tensor.zeros([max(1, chunks), count, columns])
  let sums = partial.mutableFloats
  Parallel.run(chunks) { chunk in
    compute(chunk * chunkRows..<min(rows, (chunk + 1) * chunkRows), sums + chunk * count * columns)
  }
  let total = partial.sum(axes: [0])
  return (0..<count).map { total.rows($0..<$0 + 1).reshaped([columns]) }
}
