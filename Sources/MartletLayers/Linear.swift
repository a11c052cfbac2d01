import MartletTensor

/// `y = x Wᵀ + b`: `[rows, inputs]` to `[rows, outputs]`.
///
/// The weight is either packed in a `WeightFormat` and frozen, or a tensor that can be trained. Gradients flow to the
/// input in both cases.
public struct Linear: Sendable {
  /// How a weight is stored.
  public enum Weight: Sendable {
    /// Packed in a weight format and frozen.
    case packed(PackedMatrix)
    /// A tensor that can be trained, `[outputs, inputs]`.
    case dense(Tensor)

    /// The number of output features.
    public var outputs: Int {
      switch self {
      case .packed(let matrix): matrix.outputs
      case .dense(let tensor): tensor.shape[0]
      }
    }
    /// The number of input features.
    public var inputs: Int {
      switch self {
      case .packed(let matrix): matrix.inputs
      case .dense(let tensor): tensor.shape[1]
      }
    }
    /// The memory of the weights in bytes.
    public var byteCount: Int {
      switch self {
      case .packed(let matrix): matrix.byteCount
      case .dense(let tensor): tensor.count * tensor.dtype.byteCount
      }
    }
    /// The format that the values are stored in; `f32` for a dense weight.
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

  /// The weight, `[outputs, inputs]`.
  public var weight: Weight
  /// `[outputs]`
  public var bias: Tensor?
  /// An adapter or an edit that changes the output of the layer.
  public var wrapper: (any LinearWrapper)?
  /// The precision of products with a dense weight.
  public var precision: MatrixPrecision = .f32
  /// The transpose of a packed weight, for gradients taken many times (see ``prepareForGradients(format:)``).
  private var transposedWeight: PackedMatrix?

  /// A layer with a weight and a bias (`[outputs]`). Precondition: the bias fits the weight.
  public init(weight: Weight, bias: Tensor? = nil) {
    precondition(bias.map { $0.count == weight.outputs } ?? true, "a bias of \(bias?.count ?? 0) for \(weight.outputs)")
    self.weight = weight
    self.bias = bias
  }

  /// A frozen layer with a packed weight and a bias (`[outputs]`).
  public init(weight: PackedMatrix, bias: Tensor? = nil) { self.init(weight: .packed(weight), bias: bias) }

  /// Also packs the transpose of a packed weight, so that the gradient with respect to the input is one matrix product
  /// and the weight is not expanded each time. This is worth the memory if gradients through the same layer are
  /// computed many times.
  public mutating func prepareForGradients(format: WeightFormat = .f32) {
    guard case .packed(let matrix) = weight, transposedWeight == nil else { return }
    transposedWeight = matrix.transposed(format: format)
  }

  /// Packs a low-rank adapter of the layer (see ``LowRankAdapter/prepareForInference()``).
  public mutating func prepareForInference() {
    guard var adapter = wrapper as? LowRankAdapter else { return }
    adapter.prepareForInference()
    wrapper = adapter
  }

  /// The output `[rows, outputs]` for `x` (`[rows, inputs]`).
  public func callAsFunction(_ x: Tensor) -> Tensor {
    if let tiles = plainTiles, !x.isRecorded { return PackedTiles.multiply([(tiles, x)])[0] }
    return Linear.apply([(self, x)])[0]
  }

  /// The packed weight where the product with it is all that the layer does. Decoding asks each layer for every token, so the general way's
  /// bookkeeping would count.
  private var plainTiles: PackedTiles? {
    guard case .packed(let matrix) = weight, bias == nil, wrapper == nil else { return nil }
    return matrix.tiles
  }

  /// Applies several layers to the same rows in one parallel region, e.g. query, key and value.
  public static func together(_ layers: [Linear], _ x: Tensor) -> [Tensor] {
    if !x.isRecorded {
      let plain = layers.compactMap(\.plainTiles)
      if plain.count == layers.count { return PackedTiles.multiply(plain.map { ($0, x) }) }
    }
    return apply(layers.map { ($0, x) })
  }

  /// Computes several products in one parallel region. All inputs have the same number of rows. An input that occurs
  /// several times is packed once for each format.
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
      for (item, output) in zip(packed, PackedTiles.multiply(packed.map { ($0.weight.tiles, $0.input) })) {
        let (weight, transposed) = (item.weight, item.transposed)
        results[item.place] = output.recorded(from: [item.input]) { [frozenProduct($0.gradient, weight, transposed)] }
      }
    }
    var adapted: [(adapter: LowRankAdapter.Packed, input: Tensor, output: Tensor)] = []
    let outputs = zip(products, results).map { product, result in
      guard var y = result else { preconditionFailure("a product without a result") }  // safe: each was filled above
      if let bias = product.layer.bias { y = !y.isRecorded && !bias.isRecorded ? y.adding(bias: bias) : y + bias }
      guard let wrapper = product.layer.wrapper else { return y }
      if !y.isRecorded, let adapter = (wrapper as? LowRankAdapter)?.packedForInference {
        adapted.append((adapter, product.input, y))
        return y
      }
      return wrapper.wrap(y, input: product.input)
    }
    if !adapted.isEmpty {
      let low = PackedTiles.multiply(adapted.map { ($0.adapter.a.tiles, $0.input) })
      PackedTiles.add(zip(adapted, low).map { ($0.adapter.b.tiles, $1, $0.output) })
    }
    return outputs
  }

  /// `g W` for a packed weight: through its transpose where that was prepared, else its rows are expanded to floats, as
  /// long as the product takes.
  private static func frozenProduct(
    _ gradient: Tensor, _ weight: PackedMatrix, _ transposed: PackedMatrix?
  ) -> Tensor {
    let product =
      transposed.map { PackedTiles.multiply([($0.tiles, gradient.detached().contiguous())])[0] }
      ?? matmul(gradient.detached(), weight.dense())
    return
      product
      .recorded(from: [gradient]) { context in
        [PackedTiles.multiply([(weight.tiles, context.gradient.contiguous())])[0]]
      }
  }
}

extension Linear: Parameterized {
  /// Calls `body` for a dense weight and its bias, then for the parameters of the wrapper.
  public mutating func visitParameters(_ body: (_ name: String, _ parameter: inout Tensor) -> Void) {
    if case .dense(var tensor) = weight {
      body("weight", &tensor)
      weight = .dense(tensor)
      if var vector = bias {
        body("bias", &vector)
        bias = vector
      }
    }
    if var wrapper {
      wrapper.visitParameters(body)
      self.wrapper = wrapper
    }
  }
}
