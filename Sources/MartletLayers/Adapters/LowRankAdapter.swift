import MartletTensor

/// LoRA (Hu et al., 2021): `y + scale * (dropout(x) Aᵀ Bᵀ + c)` around a frozen linear layer.
public struct LowRankAdapter: LinearWrapper {
  /// `[rank, inputs]`
  public var a: Tensor { didSet { packed = nil } }
  /// `[outputs, rank]`
  public var b: Tensor { didSet { packed = nil } }
  /// `[outputs]`, PEFT's `lora_bias`; nil for none.
  public var outputBias: Tensor?
  /// alpha / rank
  public var scale: Double { didSet { packed = nil } }
  /// The share of the inputs that dropout removes during training, 0 to 1.
  public var dropoutRate: Double
  /// The random numbers for dropout; nil disables it.
  public var dropoutSource: RandomSource?
  /// `a` and `scale * b` in the order in which the matrix kernels read them; nil until ``prepareForInference()``.
  private var packed: Packed?

  /// Both matrices, packed.
  struct Packed {
    let a, b: PackedMatrix
  }

  /// A new adapter, which does not change the output: `b` is zero and `a` is initialised as in PEFT (Kaiming uniform
  /// with a = sqrt(5)).
  public init(inputs: Int, outputs: Int, rank: Int, alpha: Double, dropoutRate: Double = 0, random: RandomSource) {
    let bound = 1 / Double(inputs).squareRoot()
    a = uniform([rank, inputs], from: -bound, to: bound, random: random)
    b = .zeros([outputs, rank])
    scale = alpha / Double(rank)
    self.dropoutRate = dropoutRate
  }

  /// An adapter with given matrices and without dropout; `scale` is alpha / rank.
  public init(a: Tensor, b: Tensor, outputBias: Tensor? = nil, scale: Double) {
    self.a = a
    self.b = b
    self.outputBias = outputBias
    self.scale = scale
    dropoutRate = 0
  }

  /// Packs the matrices, so that a pass that records no gradient need not do so each time. A change of them undoes it.
  public mutating func prepareForInference() {
    packed = Packed(
      a: PackedMatrix(a.detached().contiguous(), format: .f32),
      b: PackedMatrix((b.detached() * scale).contiguous(), format: .f32))
  }

  /// The packed matrices where they are the whole adapter.
  var packedForInference: Packed? { dropoutSource == nil && outputBias == nil ? packed : nil }

  /// The sum of the layer's output `[rows, outputs]` and the adapter's.
  public func wrap(_ output: Tensor, input: Tensor) -> Tensor {
    let x = dropoutSource.map { dropout(input, rate: dropoutRate, random: $0) } ?? input
    let added = matmul(matmul(x, a.transposed()), b.transposed())
    return output + (outputBias.map { added + $0 } ?? added) * scale
  }

  /// Calls `body` for both matrices, with PEFT's names.
  public mutating func visitParameters(_ body: (_ name: String, _ parameter: inout Tensor) -> Void) {
    body("lora_A.weight", &a)
    body("lora_B.weight", &b)
  }

  /// `scale B A`, `[outputs, inputs]`, which merging adds to the weight.
  public var delta: Tensor { matmul(b, a) * scale }
}
