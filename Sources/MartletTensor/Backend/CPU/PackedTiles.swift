import CMartletKernels

/// Weights `[outputs, inputs]` as the matrix kernels read them: tiles of 16 outputs (see CMartletKernels.h), in one
/// ``WeightFormat``.
package struct PackedTiles: Sendable {
  /// How the weights are stored.
  package let format: WeightFormat
  /// Rows and columns of the matrix.
  package let outputs, inputs: Int
  private let storage: Storage

  /// Bytes that the tiles of such a matrix take.
  package static func byteCount(format: WeightFormat, outputs: Int, inputs: Int) -> Int {
    (outputs + 15) / 16 * tileByteCount(format: format, inputs: inputs)
  }

  private static func tileByteCount(format: WeightFormat, inputs: Int) -> Int {
    martlet_tile_bytes(format.code, Int64(inputs))
  }

  /// Bytes that the tiles take.
  package var byteCount: Int { storage.byteCount }

  private var tileCount: Int { (outputs + 15) / 16 }
  private var tileByteCount: Int { Self.tileByteCount(format: format, inputs: inputs) }

  /// Packs rows that lie one after the other in `rows`, each `format.rowByteCount(inputs:)` long, in parallel; `finished`
  /// is called with the rows that have been read.
  package init(
    format: WeightFormat, outputs: Int, inputs: Int, rows: UnsafeRawBufferPointer,
    finished: (@Sendable (Range<Int>) -> Void)?
  ) {
    let rowBytes = format.rowByteCount(inputs: inputs)
    precondition(rows.count >= outputs * rowBytes, "\(rows.count) bytes do not hold \(outputs) x \(inputs) \(format)")
    self.init(format: format, outputs: outputs, inputs: inputs) { range, tile, tileBytes in
      for start in stride(from: range.lowerBound, to: range.upperBound, by: 16) {
        guard let base = rows.baseAddress else { return }
        martlet_pack_tile(
          format.code, base + start * rowBytes, rowBytes, Int32(min(16, outputs - start)), Int64(inputs),
          tile + (start - range.lowerBound) / 16 * tileBytes)
      }
      finished?(range)
    }
  }

  /// Packs rows that `encode` writes in the file layout of `format`, in parallel.
  package init(
    format: WeightFormat, outputs: Int, inputs: Int,
    encode: (_ index: Int, _ row: UnsafeMutableRawPointer) -> Void
  ) {
    let rowBytes = format.rowByteCount(inputs: inputs)
    self.init(format: format, outputs: outputs, inputs: inputs) { range, tile, tileBytes in
      let rows = Storage(byteCount: 16 * rowBytes)
      defer { withExtendedLifetime(rows) {} }
      for start in stride(from: range.lowerBound, to: range.upperBound, by: 16) {
        let count = min(16, outputs - start)
        for row in 0..<count { encode(start + row, rows.pointer + row * rowBytes) }
        martlet_pack_tile(
          format.code, rows.pointer, rowBytes, Int32(count), Int64(inputs),
          tile + (start - range.lowerBound) / 16 * tileBytes)
      }
    }
  }

  private init(
    format: WeightFormat, outputs: Int, inputs: Int,
    pack: (_ rows: Range<Int>, _ tile: UnsafeMutableRawPointer, _ tileBytes: Int) -> Void
  ) {
    self.format = format
    self.outputs = outputs
    self.inputs = inputs
    let tileBytes = Self.tileByteCount(format: format, inputs: inputs)
    storage = .forWeights(byteCount: (outputs + 15) / 16 * tileBytes)
    let destination = storage.pointer
    let tilesTogether = max(1, (1 << 20) / tileBytes)
    Parallel.forEach((outputs + 15) / 16, grain: tilesTogether) { range in
      pack(
        range.lowerBound * 16..<min(outputs, range.upperBound * 16), destination + range.lowerBound * tileBytes,
        tileBytes)
    }
  }

  /// Packs a `float32` tensor `[outputs, inputs]` with any strides, such as a transposed view, into pooled memory: for
  /// weights that change soon.
  package init(_ matrix: Tensor, precision: MatrixPrecision = .f32) {
    precondition(
      matrix.dtype == .float32 && matrix.shape.count == 2, "\(matrix.dtype) \(matrix.shape) is no matrix of floats")
    let inputs = matrix.shape[1], strides = matrix.strides, blocks = (inputs + 31) / 32
    let format = precision == .f32 ? WeightFormat.f32 : .bf16
    self.format = format
    outputs = matrix.shape[0]
    self.inputs = inputs
    storage = Storage(byteCount: Self.byteCount(format: format, outputs: outputs, inputs: inputs))
    let (count, tiles) = (outputs, storage.pointer), base = matrix.base.assumingMemoryBound(to: Float.self)
    Parallel.forEach(blocks, grain: max(1, CPU.grainElements / max(1, 32 * count))) { range in
      martlet_pack_tiles(
        format.code, base, Int64(strides[0]), Int64(strides[1]), Int64(count), Int64(inputs),
        Int64(range.lowerBound), Int64(range.upperBound), tiles)
    }
    withExtendedLifetime(matrix) {}
  }

  /// The values of one output, as floats.
  package func row(_ index: Int) -> [Float] {
    precondition(index >= 0 && index < outputs, "row \(index) of \(outputs)")
    return [Float](unsafeUninitializedCapacity: inputs) { buffer, count in
      martlet_unpack_row(
        format.code, storage.pointer + index / 16 * tileByteCount, Int32(index % 16), Int64(inputs), buffer.baseAddress)
      count = inputs
    }
  }

  /// The matrix `[outputs, inputs]` as a tensor of floats.
  package func dense() -> Tensor {
    let result = Tensor.empty([outputs, inputs])
    let values = result.mutableFloats
    Parallel.forEach(outputs, grain: max(1, CPU.grainElements / max(1, inputs))) { range in
      for index in range {
        martlet_unpack_row(
          format.code, storage.pointer + index / 16 * tileByteCount, Int32(index % 16), Int64(inputs),
          values + index * inputs)
      }
    }
    return result
  }

  /// The matrix `[inputs, outputs]`, packed in `format`.
  package func transposed(format: WeightFormat) -> PackedTiles {
    let rows = dense(), values = rows.floats, (columns, count) = (inputs, outputs)
    return withExtendedLifetime(rows) {
      PackedTiles(format: format, outputs: columns, inputs: count) { (column, row: UnsafeMutableRawPointer) in
        format.encode(inputs: count, into: row) { target in
          martlet_copy_strided(values + column, Int64(columns), target, Int64(count), 4)
        }
      }
    }
  }

  /// `x Wᵀ` of each pair, `[rows, outputs]`, as one parallel region; all inputs are contiguous and have the same number of
  /// rows. Inputs that are the same tensor are repacked once a format.
  package static func multiply(_ products: [(weight: PackedTiles, input: Tensor)]) -> [Tensor] {
    let products = products.map { ($0, $1, Tensor.empty([$1.rows, $0.outputs])) }
    run(products, adds: false)
    return products.map(\.2)
  }

  /// Adds `x Wᵀ` of each triple to its output, in place: for outputs, `[rows, outputs]` and contiguous, that nobody else holds yet.
  package static func add(_ products: [(weight: PackedTiles, input: Tensor, output: Tensor)]) {
    run(products, adds: true)
  }

  private static func run(_ products: [(weight: PackedTiles, input: Tensor, output: Tensor)], adds: Bool) {
    guard let rows = products.first?.input.rows else { return }
    var panels: [Panel] = []
    var jobs: [Job] = []
    var chunkEnd = 0
    for (weight, input, output) in products {
      precondition(
        input.columns == weight.inputs && input.rows == rows,
        "\(input.shape) times [\(weight.inputs), \(weight.outputs)]")
      let panel =
        panels.first { $0.matches(input, weight.format) } ?? Panel(input, format: weight.format)
      panels.append(panel)
      // At most 128 KiB of weights a chunk (they stay in the second-level cache for all rows), at least four
      // chunks a thread, so that a slow thread holds up nobody.
      let byCache = max(1, (128 << 10) / weight.tileByteCount)
      let byThreads = (weight.tileCount + Parallel.width * 4 - 1) / (Parallel.width * 4)
      let tiles = Parallel.width == 1 ? weight.tileCount : max(1, min(byCache, byThreads))
      let grain = rows == 1 ? tiles : min(tiles, byCache)
      chunkEnd += (weight.tileCount + grain - 1) / grain
      jobs.append(Job(weight: weight, panel: panel, output: output, grain: grain, chunkEnd: chunkEnd))
    }
    Parallel.run(chunkEnd) { chunk in
      var chunk = chunk, start = 0
      for job in jobs {
        if chunk < job.chunkEnd {
          chunk -= start
          job.run(chunk, rows: rows, adds: adds)
          return
        }
        start = job.chunkEnd
      }
    }
  }

  private struct Job {
    let weight: PackedTiles
    let panel: Panel
    let output: Tensor
    let grain: Int
    let chunkEnd: Int

    func run(_ chunk: Int, rows: Int, adds: Bool) {
      let first = chunk * grain
      martlet_matmul(
        weight.format.code, weight.storage.pointer, Int64(weight.outputs), Int64(weight.inputs), Int64(first),
        Int64(min(weight.tileCount, first + grain)), panel.storage.pointer, Int64(rows), output.mutableFloats,
        Int64(weight.outputs), adds)
    }
  }
}

/// Activations in the layout that the matrix kernels read.
private struct Panel {
  let storage: Storage
  private let source: UnsafePointer<Float>
  private let format: WeightFormat

  init(_ x: Tensor, format: WeightFormat) {
    let rows = x.rows, inputs = x.columns, values = x.floats, code = format.code
    storage = Storage(byteCount: martlet_panel_bytes(code, Int64(rows), Int64(inputs)))
    source = values
    self.format = format
    let panel = storage.pointer
    Parallel.forEach(rows, grain: max(1, 4096 / max(1, inputs))) { range in
      martlet_pack_panel(
        code, values, Int64(inputs), Int64(rows), Int64(inputs), Int64(range.lowerBound), Int64(range.upperBound), panel
      )
    }
  }

  func matches(_ x: Tensor, _ other: WeightFormat) -> Bool {
    x.floats == source && Self.activation(other) == Self.activation(format)
  }

  private static func activation(_ format: WeightFormat) -> Int {
    switch format {
    case .f32, .f16: 0
    case .bf16: 1
    case .q8_0, .q4_0, .q4_1, .q4_K, .q5_K, .q6_K: 2
    }
  }
}
