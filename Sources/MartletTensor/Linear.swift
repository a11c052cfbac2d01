import MartletKernels

/// `y = x Wᵀ + b`: `[rows, inputs]` to `[rows, outputs]`.
///
/// The weight is either packed in a ``WeightFormat``, and frozen, or a plain tensor that can be trained. Through both
/// a gradient flows to the input.
public struct Linear: Sendable {
  public enum Weight: Sendable {
    case packed(PackedMatrix)
    /// `[outputs, inputs]`
    case dense(Tensor)

    public var outputs: Int {
      switch self {
      case .packed(let matrix): matrix.outputs
      case .dense(let tensor): tensor.shape[0]
      }
    }
    public var inputs: Int {
      switch self {
      case .packed(let matrix): matrix.inputs
      case .dense(let tensor): tensor.shape[1]
      }
    }
    /// Bytes that the weights take.
    public var byteCount: Int {
      switch self {
      case .packed(let matrix): matrix.byteCount
      case .dense(let tensor): tensor.count * tensor.dtype.byteCount
      }
    }
    public var format: WeightFormat {
      switch self {
      case .packed(let matrix): matrix.format
      case .dense: .f32
      }
    }

    /// The values, `[outputs, inputs]`.
    package func dense() -> Tensor {
      switch self {
      case .packed(let matrix): matrix.dense()
      case .dense(let tensor): tensor
      }
    }
  }

  public var weight: Weight
  /// `[outputs]`
  public var bias: Tensor?
  /// Changes what the layer answers: an adapter, an edit.
  public var wrapper: (any LinearWrapper)?
  /// What a dense weight's products are rounded to.
  public var precision: MatrixPrecision = .f32
  /// The transpose of a packed weight, for gradients taken many times (see ``prepareForGradients(format:)``).
  private var transposedWeight: PackedMatrix?

  public init(weight: Weight, bias: Tensor? = nil) {
    precondition(bias.map { $0.count == weight.outputs } ?? true, "a bias of \(bias?.count ?? 0) for \(weight.outputs)")
    self.weight = weight
    self.bias = bias
  }

  public init(weight: PackedMatrix, bias: Tensor? = nil) { self.init(weight: .packed(weight), bias: bias) }

  /// Packs the transpose of a packed weight too, so that a gradient with respect to the input is one product and the
  /// weight is not expanded each time. Worth its memory where the same layers are pulled back through again and again.
  public mutating func prepareForGradients(format: WeightFormat = .f32) {
    guard case .packed(let matrix) = weight, transposedWeight == nil else { return }
    transposedWeight = matrix.transposed(format: format)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor { Linear.apply([(self, x)])[0] }

  /// Several layers on the same rows as one parallel region, e.g. query, key and value.
  public static func together(_ layers: [Linear], _ x: Tensor) -> [Tensor] { apply(layers.map { ($0, x) }) }

  /// Several products as one parallel region; all inputs have the same number of rows. Inputs that are the
  /// same tensor are repacked once a format.
  public static func apply(_ products: [(layer: Linear, input: Tensor)]) -> [Tensor] {
    var results = [Tensor?](repeating: nil, count: products.count)
    var packed: [(place: Int, weight: PackedMatrix, transposed: PackedMatrix?, input: Tensor)] = []
    for (place, product) in products.enumerated() {
      switch product.layer.weight {
      case .packed(let matrix): packed.append((place, matrix, product.layer.transposedWeight, product.input))
      case .dense(let weight):
        results[place] = matmul(product.input, weight.transposed(), precision: product.layer.precision)
      }
    }
    if !packed.isEmpty {
      for (item, output) in zip(packed, multiply(packed.map { ($0.weight, $0.input) })) {
        let (weight, transposed) = (item.weight, item.transposed)
        results[item.place] = output.recorded(from: [item.input]) { [frozenProduct($0.gradient, weight, transposed)] }
      }
    }
    return zip(products, results).map { product, result in
      guard var y = result else { preconditionFailure("a product without a result") }  // safe: each was filled above
      if let bias = product.layer.bias { y = y.node == nil && bias.node == nil ? y.adding(bias: bias) : y + bias }
      return product.layer.wrapper?.wrap(y, input: product.input) ?? y
    }
  }

  /// `g W` for a packed weight: through its transpose where that was prepared, else its rows are expanded to floats, as
  /// long as the product takes.
  private static func frozenProduct(
    _ gradient: Tensor, _ weight: PackedMatrix, _ transposed: PackedMatrix?
  ) -> Tensor {
    let product =
      transposed.map { multiply([($0, gradient.detached().contiguous())])[0] }
      ?? matmul(gradient.detached(), weight.dense())
    return
      product
      .recorded(from: [gradient]) { context in
        [multiply([(weight, context.gradient.contiguous())])[0]]
      }
  }

  /// `x Wᵀ` of packed weights, as one parallel region.
  private static func multiply(_ products: [(weight: PackedMatrix, input: Tensor)]) -> [Tensor] {
    let rows = products[0].input.rows
    var panels: [Panel] = []
    var jobs: [Job] = []
    var chunkEnd = 0
    for (weight, input) in products {
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
    return jobs.map(\.output)
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
        Int64(weight.outputs), false)
    }
  }
}

/// What changes a linear layer's answer: the one hook by which features reach into a model.
public protocol LinearWrapper: Sendable {
  /// - Parameters:
  ///   - output: what the layer answers, `[rows, outputs]`
  ///   - input: `[rows, inputs]`
  func wrap(_ output: Tensor, input: Tensor) -> Tensor
  /// Hands over what can be trained; `name` is the layer's.
  mutating func visitParameters(_ name: String, _ body: (String, inout Tensor) -> Void)
}

extension Tensor {
  /// `self + bias`, the bias (`[features]`) added to each row of a contiguous tensor.
  public func adding(bias: Tensor) -> Tensor {
    precondition(bias.count == columns, "a bias of \(bias.count) for \(shape)")
    let input = floats, values = bias.floats, width = columns
    return mapRows { range, output in
      (output + range.lowerBound * width).update(from: input + range.lowerBound * width, count: range.count * width)
      martlet_add_bias(output + range.lowerBound * width, values, Int64(range.count), Int64(width))
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
