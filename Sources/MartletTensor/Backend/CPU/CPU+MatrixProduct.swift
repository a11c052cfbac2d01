import CMartletKernels

extension MatrixPrecision {
  fileprivate var code: martlet_format { self == .f32 ? MARTLET_F32 : MARTLET_BF16 }
}

extension CPU {
  /// `a b` of tensors with any strides, in single or double precision; `batch` is what their leading axes broadcast to.
  static func matmul(_ a: Tensor, _ b: Tensor, batch: [Int], _ precision: MatrixPrecision) -> Tensor {
    let m = a.shape[a.shape.count - 2], n = b.shape[b.shape.count - 1], k = a.shape[a.shape.count - 1]
    let result = Tensor.empty(batch + [m, n], dtype: a.dtype)
    let aStrides = a.broadcastStrides(batch + [m, k]), bStrides = b.broadcastStrides(batch + [k, n])
    let size = a.dtype.byteCount
    if batch.isEmpty {
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

    var transposed: Matrix {
      Matrix(base, rows: columns, columns: rows, rowStep: columnStep, columnStep: rowStep)
    }

    fileprivate var floats: UnsafePointer<Float> { base.assumingMemoryBound(to: Float.self) }
    fileprivate var doubles: UnsafePointer<Double> { base.assumingMemoryBound(to: Double.self) }
  }

  /// `result = a b`, written row-major, `resultStep` elements from row to row.
  ///
  /// The columns of b become tiles of 16 outputs, the rows of a a panel (CMartletKernels.h): the kernel then reads both as
  /// sequential streams, whatever the order of the axes was.
  static func multiply(
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
    let tiles = Storage(byteCount: tileCount * martlet_tile_bytes(code, Int64(depth)))
    let panel = Storage(byteCount: martlet_panel_bytes(code, Int64(height), Int64(depth)))
    defer { withExtendedLifetime((tiles, panel)) {} }
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
        // Pairs of tiles are read together; so many stay in the second-level cache while all rows go by, and about four
        // chunks a thread balance the load.
        let byCache = max(2, (384 << 10) / martlet_tile_bytes(code, Int64(inputs)) / 2 * 2)
        let byThreads = width == 1 ? tileCount : max(2, (tileCount + width * 4 - 1) / (width * 4) / 2 * 2)
        let grain = min(byCache, byThreads)
        run((tileCount + grain - 1) / grain) { chunk in
          martlet_matmul(
            code, tilePointer, Int64(n), Int64(inputs), Int64(chunk * grain),
            Int64(min(tileCount, (chunk + 1) * grain)),
            panelPointer, Int64(rows), output + row * step, Int64(step), first > 0)
        }
      }
    }
  }
}
