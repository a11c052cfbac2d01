import Foundation
import MartletData
import MartletLayers
import MartletModels
import MartletTensor

/// What is lost of an adapter when it is merged into weights of some format, found by running the merged model before it
/// is written: rounding to few bits can take away all that a short training has changed.
///
/// All models of a trial run with activations in single precision, so that rounding the weights is all that is measured: the
/// kernels of 4-bit and 8-bit formats round activations too, which would count as a loss of formats that lose nothing.
public struct MergeTrial {
  /// How far a merged model is from the model with its adapter.
  public struct Outcome: Sendable, Equatable {
    /// Kullback-Leibler divergence of the next token's odds, in nats a token.
    public let divergence: Double
    /// That of the model without its adapter, which is all that there is to lose.
    public let whole: Double
    /// Whether every weight lies within the range of the format.
    public let fits: Bool

    /// The part of what the adapter changes that is lost; 0 where it changes nothing.
    public var lostShare: Double { whole > 1e-9 ? divergence / whole : 0 }
  }

  /// Up to which part a loss is none to speak of.
  public static let harmlessShare = 0.05

  private let base: any TrainableModel
  private let adapted: any TrainableModel
  private let changes: [String: WeightChange]
  private let tokens: [Int]
  private let right: Tensor
  private let whole: Double

  /// Tokens that a trial runs.
  public var tokenCount: Int { tokens.count }

  /// - Parameters:
  ///   - base: the model without the adapter.
  ///   - adapted: the same with it.
  ///   - changes: what merging adds to the weights, by the name of the layer.
  ///   - tokens: a text to try them on.
  public init(
    base: any TrainableModel, adapted: any TrainableModel, changes: [String: WeightChange], tokens: [Int]
  ) {
    self.base = base
    self.adapted = adapted
    self.changes = changes
    self.tokens = tokens
    right = Self.logits(adapted, tokens)
    whole = Self.divergence(from: right, to: Self.logits(base, tokens))
  }

  /// - Parameter format: the format that a tensor will be written in, by its name; nil where it is copied as it is.
  public func outcome(format: (_ name: String) -> WeightFormat?) -> Outcome {
    var merged = adapted
    var fits = true
    merged.visitLinears { name, linear in
      let name = name + ".weight"
      let isChanged = changes[name] != nil
      guard let target = format(name) ?? (isChanged ? .f16 : nil), isChanged || target != linear.weight.format else {
        return
      }
      let (values, bias) = Self.merged(linear)
      linear = Linear(weight: Self.pack(values, as: target, &fits), bias: bias)
    }
    let table = merged.embeddingName + ".weight"
    if changes[table] != nil, let target = format(table), target != .f32 {
      merged.embeddingTable = Self.pack(merged.embeddingTable, as: target, &fits).dense()
    }
    guard fits else { return Outcome(divergence: .infinity, whole: whole, fits: false) }
    return Outcome(
      divergence: Self.divergence(from: right, to: Self.logits(merged, tokens)), whole: whole, fits: true)
  }

  /// The weight and bias of a layer with its adapter merged into them.
  fileprivate static func merged(_ linear: Linear) -> (weight: Tensor, bias: Tensor?) {
    var weight = linear.weight.dense()
    let decomposed = linear.wrapper as? WeightDecomposedAdapter
    guard let low = decomposed?.low ?? linear.wrapper as? LowRankAdapter else { return (weight, linear.bias) }
    weight = weight + low.delta
    if let share = decomposed?.share { weight = weight * share.reshaped([share.count, 1]) }
    let bias = low.outputBias.flatMap { added in linear.bias.map { $0 + added * low.scale } } ?? linear.bias
    return (weight, bias)
  }

  private static func pack(_ values: Tensor, as format: WeightFormat, _ fits: inout Bool) -> PackedMatrix {
    let dense = values.contiguous()
    // A largest value beyond the range would become infinite.
    if format == .f16, dense.values.contains(where: { abs($0) >= 65_520 }) { fits = false }
    return PackedMatrix(dense, format: format)
  }

  private static func logits(_ model: any TrainableModel, _ tokens: [Int]) -> Tensor {
    var model = model
    model.visitLinears { _, linear in linear.wrapper = UnroundedProduct(layer: linear) }
    return model.forward(Batch(tokens, state: model.makeState(), outputs: .all))
  }

  /// Mean over the rows of `sum p log(p / q)`.
  private static func divergence(from right: Tensor, to other: Tensor) -> Double {
    let width = right.columns
    return right.withFloats { p in
      other.contiguous().withFloats { q in
        var total = 0.0
        for row in 0..<right.rows {
          let range = row * width..<(row + 1) * width
          func logarithm(_ values: some Collection<Float>) -> Double {
            let largest = Double(values.max() ?? 0)
            return largest + log(values.reduce(0.0) { $0 + exp(Double($1) - largest) })
          }
          let (first, second) = (logarithm(p[range]), logarithm(q[range]))
          for place in range {
            let logP = Double(p[place]) - first
            total += exp(logP) * (logP - (Double(q[place]) - second))
          }
        }
        return max(0, total / Double(max(1, right.rows)))
      }
    }
  }
}

/// A layer's own product, with its adapter, computed anew from the floats that its weights stand for.
private struct UnroundedProduct: LinearWrapper {
  let layer: Linear

  func wrap(_ output: Tensor, input: Tensor) -> Tensor {
    let (weight, bias) = MergeTrial.merged(layer)
    let product = matmul(input, weight.transposed())
    return bias.map { product.adding(bias: $0) } ?? product
  }
}
