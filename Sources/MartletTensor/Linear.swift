import MartletKernels

/// `y = x Wᵀ + b`: `[rows, inputs]` to `[rows, outputs]`.
public struct Linear: Sendable {
  public var weight: PackedMatrix
  /// `[outputs]`
  public var bias: Tensor?

  public init(weight: PackedMatrix, bias: Tensor? = nil) {
    precondition(bias.map { $0.count == weight.outputs } ?? true, "a bias of \(bias?.count ?? 0) for \(weight.outputs)")
    self.weight = weight
    self.bias = bias
  }

  public func callAsFunction(_ x: Tensor) -> Tensor { Linear.apply([(self, x)])[0] }

  /// Several layers on the same rows as one parallel region, e.g. query, key and value.
  public static func together(_ layers: [Linear], _ x: Tensor) -> [Tensor] { apply(layers.map { ($0, x) }) }

  /// Several products as one parallel region; all inputs have the same number of rows. Inputs that are the
  /// same tensor are repacked once a format.
  public static func apply(_ products: [(layer: Linear, input: Tensor)]) -> [Tensor] {
    let rows = products[0].input.rows
    var panels: [Panel] = []
    var jobs: [Job] = []
    var chunkEnd = 0
    for (layer, input) in products {
      let weight = layer.weight
      precondition(
        input.columns == weight.inputs && input.rows == rows,
        "\(input.shape) times [\(weight.inputs), \(weight.outputs)]")
      let panel =
        panels.first { $0.matches(input, weight.format) } ?? Panel(input, format: weight.format)
      panels.append(panel)
      let output = Tensor(storage: Storage(byteCount: rows * weight.outputs * 4), shape: [rows, weight.outputs])
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
          job.run(chunk, rows: rows)
          return
        }
        start = job.chunkEnd
      }
    }
    return zip(products, jobs).map { product, job in
      product.layer.bias.map { job.output.adding(bias: $0) } ?? job.output
    }
  }

  private struct Job {
    let weight: PackedMatrix
    let panel: Panel
    let output: Tensor
    let grain: Int
    let chunkEnd: Int

    func run(_ chunk: Int, rows: Int) {
      let first = chunk * grain
      martlet_matmul(
        weight.format.code, weight.tiles.pointer, Int64(weight.outputs), Int64(weight.inputs), Int64(first),
        Int64(min(weight.tileCount, first + grain)), panel.storage.pointer, Int64(rows), output.mutableFloats,
        Int64(weight.outputs))
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
    case .q8_0, .q4_0, .q4_1: 2
    }
  }
}
