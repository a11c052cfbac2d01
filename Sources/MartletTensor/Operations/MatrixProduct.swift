import MartletKernels

/// `a b`: `[.., m, k]` times `[.., k, n]`, the leading axes broadcasting. Transposed views cost no copy.
///
/// - Parameters:
///   - a: `[.., m, k]`.
///   - b: `[.., k, n]`.
///   - precision: `.bf16` rounds both factors to bfloat16 and adds up in single precision, in the product and in its
///     gradients; twice as fast where the machine multiplies bfloat16.
public func matmul(_ a: Tensor, _ b: Tensor, precision: MatrixPrecision = .f32) -> Tensor {
  product(a, b, precision).recorded(from: [a, b], saving: [a, b]) { context in
    let (a, b, g) = (context.saved[0], context.saved[1], context.gradient)
    return [
      context.needs[0]
        ? matmul(g, b.transposed(b.shape.count - 2, b.shape.count - 1), precision: precision)
          .summed(to: a.shape) : nil,
      context.needs[1]
        ? matmul(a.transposed(a.shape.count - 2, a.shape.count - 1), g, precision: precision)
          .summed(to: b.shape) : nil,
    ]
  }
}

/// What the factors of a matrix product are rounded to.
public enum MatrixPrecision: String, Sendable, CaseIterable {
  case f32, bf16
  var code: martlet_format { self == .f32 ? MARTLET_F32 : MARTLET_BF16 }
}

private func product(_ a: Tensor, _ b: Tensor, _ precision: MatrixPrecision) -> Tensor {
  let rank = max(a.shape.count, b.shape.count)
  precondition(a.shape.count >= 2 && b.shape.count >= 2, "matrices are needed, not \(a.shape) and \(b.shape)")
  precondition(a.shape[a.shape.count - 1] == b.shape[b.shape.count - 2], "\(a.shape) times \(b.shape)")
  precondition(a.dtype == b.dtype, "\(a.dtype) times \(b.dtype)")
  let m = a.shape[a.shape.count - 2], n = b.shape[b.shape.count - 1], k = a.shape[a.shape.count - 1]
  let batch = broadcastShape(Array(a.shape.dropLast(2)), Array(b.shape.dropLast(2)))
  let result = Tensor.empty(batch + [m, n], dtype: a.dtype)
  let aStrides = a.broadcastStrides(batch + [m, k]), bStrides = b.broadcastStrides(batch + [k, n])
  let size = a.dtype.byteCount
  if rank == 2 {
    multiply(
      Matrix(a.base, rows: m, columns: k, aStrides), Matrix(b.base, rows: k, columns: n, bStrides), result.base,
      a.dtype, precision)
    return result
  }
  let count = batch.reduce(1, *)
  let one = { (place: Int) in
    var rest = place, first = 0, second = 0
    for axis in batch.indices.reversed() {
      first += rest % batch[axis] * aStrides[axis]
      second += rest % batch[axis] * bStrides[axis]
      rest /= batch[axis]
    }
    multiply(
      Matrix(a.base + first * size, rows: m, columns: k, aStrides),
      Matrix(b.base + second * size, rows: k, columns: n, bStrides), result.base + place * m * n * size, a.dtype,
      precision, inParallel: false)
  }
  Parallel.forEach(count, grain: max(1, 1 << 16 / max(1, m * n * k))) { $0.forEach(one) }
  return result
}

/// A matrix somewhere in memory; steps in elements.
struct Matrix: @unchecked Sendable {
  let base: UnsafeRawPointer
  let rows, columns: Int
  let rowStep, columnStep: Int

  init(_ base: UnsafeRawPointer, rows: Int, columns: Int, rowStep: Int, columnStep: Int) {
    self.base = base
    self.rows = rows
    self.columns = columns
    self.rowStep = rowStep
    self.columnStep = columnStep
  }

  fileprivate init(_ base: UnsafeRawPointer, rows: Int, columns: Int, _ strides: [Int]) {
    self.init(
      base, rows: rows, columns: columns, rowStep: strides[strides.count - 2], columnStep: strides[strides.count - 1])
  }

  var floats: UnsafePointer<Float> { base.assumingMemoryBound(to: Float.self) }
  fileprivate var doubles: UnsafePointer<Double> { base.assumingMemoryBound(to: Double.self) }
}

/// `result = a b`, written row-major, `resultStep` elements from row to row.
///
/// The columns of b become tiles of 16 outputs, the rows of a a panel (MartletKernels.h): the kernel then reads both as
/// sequential streams, whatever the order of the axes was.
func multiply(
  _ a: Matrix, _ b: Matrix, _ result: UnsafeMutableRawPointer, resultStep: Int? = nil, _ dtype: DType = .float32,
  _ precision: MatrixPrecision = .f32, inParallel: Bool = true
) {
  let (m, n, k) = (a.rows, b.columns, a.columns)
  if m == 0 || n == 0 { return }
  if dtype == .float64 {
    martlet_gemm_double(
      Int64(m), Int64(n), Int64(k), a.doubles, Int64(a.rowStep), Int64(a.columnStep), b.doubles, Int64(b.rowStep),
      Int64(b.columnStep), result.assumingMemoryBound(to: Double.self))
    return
  }
  let code = precision.code, tileCount = (n + 15) / 16
  let output = result.assumingMemoryBound(to: Float.self), step = resultStep ?? n
  // Parts of both factors are packed and used while they lie in the caches; sums go on in the result. Where they are cut
  // must not depend on the number of rows: a row has the same bits whatever stands beside it.
  let depth = min(k, max(256, (640 << 10) / (n + 1024) / 32 * 32))
  let height = min(m, 1024)
  let tiles = Storage(byteCount: tileCount * martlet_tile_block_bytes(code) * ((depth + 31) / 32))
  let panel = Storage(byteCount: martlet_panel_bytes(code, Int64(height), Int64(depth)))
  let (tilePointer, panelPointer) = (tiles.pointer, panel.pointer)
  let width = inParallel ? Parallel.width : 1
  let run = { (count: Int, body: (Int) -> Void) in
    if width > 1 { Parallel.run(count, body) } else { (0..<count).forEach(body) }
  }
  for first in stride(from: 0, to: max(k, 1), by: max(depth, 1)) {
    let inputs = min(k - first, depth), blocks = (inputs + 31) / 32
    for row in stride(from: 0, to: m, by: height) {
      let rows = min(m - row, height)
      // Packing: tiles with the first rows, then the panel, as one region.
      let isStridden = a.columnStep != 1
      let tileChunks = row > 0 ? 0 : min(blocks, width * 2)
      let rowChunks = isStridden ? min(blocks, width * 2) : min((rows + 15) / 16, width * 2)
      run(tileChunks + rowChunks) { chunk in
        if chunk < tileChunks {
          martlet_pack_tiles(
            code, b.floats + first * b.rowStep, Int64(b.columnStep), Int64(b.rowStep), Int64(n), Int64(inputs),
            Int64(blocks * chunk / tileChunks), Int64(blocks * (chunk + 1) / tileChunks), tilePointer)
          return
        }
        let part = chunk - tileChunks, groups = (rows + 15) / 16
        let range =
          isStridden ? 0..<rows : groups * part / rowChunks * 16..<min(rows, groups * (part + 1) / rowChunks * 16)
        let deep = isStridden ? blocks * part / rowChunks..<blocks * (part + 1) / rowChunks : 0..<blocks
        martlet_pack_panel_strided(
          code, a.floats + row * a.rowStep + first * a.columnStep, Int64(a.rowStep), Int64(a.columnStep), Int64(rows),
          Int64(inputs), Int64(range.lowerBound), Int64(range.upperBound), Int64(deep.lowerBound),
          Int64(deep.upperBound), panelPointer)
      }
      // Pairs of tiles are read together; about four chunks a thread balance the load.
      let grain = width == 1 ? tileCount : max(2, (tileCount + width * 4 - 1) / (width * 4) / 2 * 2)
      run((tileCount + grain - 1) / grain) { chunk in
        martlet_matmul(
          code, tilePointer, Int64(n), Int64(inputs), Int64(chunk * grain), Int64(min(tileCount, (chunk + 1) * grain)),
          panelPointer, Int64(rows), output + row * step, Int64(step), first > 0)
      }
    }
  }
}
