import CMartletKernels

/// The backend that runs on the processor: functions of tensors and counts that split the work over rows and threads and
/// call the C kernels. Nothing outside this folder imports them.
///
/// An operation checks shapes, records its gradient and leaves the rest to a function here. These functions take
/// contiguous `float32` tensors unless they say otherwise, and record nothing. A caller keeps its arguments until the
/// call returns, so pointers into arguments and into a result stay valid; tensors made in between are kept with
/// `withExtendedLifetime`. Sums over rows are added in an order that depends on the sizes alone, never on the number of
/// threads.
package enum CPU {
  /// Elements that one thread works on at a time, about two microseconds of work: small tensors stay on the
  /// calling thread.
  static let grainElements = 4096

  typealias Kernel1 = @convention(c) (UnsafePointer<Float>?, UnsafeMutablePointer<Float>?, Int64) -> Void
  typealias Kernel2 =
    @convention(c) (UnsafePointer<Float>?, UnsafePointer<Float>?, UnsafeMutablePointer<Float>?, Int64) -> Void

  /// A tensor like `x` whose rows `compute` fills, range by range, in parallel.
  static func mapRows(
    like x: Tensor, _ compute: (_ range: Range<Int>, _ result: UnsafeMutablePointer<Float>) -> Void
  ) -> Tensor {
    let result = Tensor.empty(x.shape)
    let output = result.mutableFloats
    Parallel.forEach(x.rows, grain: grainElements / max(1, x.columns)) { compute($0, output) }
    return result
  }

  /// `kernel` on every element of a tensor that need not be contiguous.
  static func map(_ x: Tensor, _ kernel: Kernel1) -> Tensor {
    let dense = x.contiguous(), result = Tensor.empty(x.shape)
    withExtendedLifetime(dense) {
      let (input, output) = (dense.floats, result.mutableFloats)
      Parallel.forEach(x.count, grain: grainElements) { range in
        kernel(input + range.lowerBound, output + range.lowerBound, Int64(range.count))
      }
    }
    return result
  }

  /// `kernel` on every pair of elements of two tensors that need not be contiguous.
  static func map(_ x: Tensor, _ other: Tensor, _ kernel: Kernel2) -> Tensor {
    precondition(x.shape == other.shape, "shapes \(x.shape) and \(other.shape) differ")
    let (first, second, result) = (x.contiguous(), other.contiguous(), Tensor.empty(x.shape))
    withExtendedLifetime((first, second)) {
      let (a, b, output) = (first.floats, second.floats, result.mutableFloats)
      Parallel.forEach(x.count, grain: grainElements) { range in
        kernel(a + range.lowerBound, b + range.lowerBound, output + range.lowerBound, Int64(range.count))
      }
    }
    return result
  }

  /// Sums over rows: `compute` adds its rows' share to `count` vectors of `columns` zeros, which are then added up.
  static func summedOverRows(
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
}
