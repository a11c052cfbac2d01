import Foundation
import MartletData
import MartletLayers
import MartletModels
import MartletTensor

/// Measures how much of an adapter's effect is lost when it is merged into weights of some format, by running the
/// merged model before it is written. Quantisation to few bits can remove everything that a short training has changed.
///
/// All models of a trial run with activations in single precision, so that only the rounding of weights is measured.
/// The kernels of 4-bit and 8-bit formats also round activations, which would count as a loss even for formats that
/// represent the weights exactly.
public struct MergeTrial {
  /// The difference between a merged model and the model with its adapter.
  public struct Outcome: Sendable, Equatable {
    /// The Kullback-Leibler divergence of the next-token distributions, in nats per token.
    public let divergence: Double
    /// The divergence of the model without its adapter, which is the largest possible loss.
    public let whole: Double
    /// Whether every weight lies within the range of the format.
    public let fits: Bool

    /// The lost share of the adapter's effect; 0 if the adapter has no effect.
    public var lostShare: Double { whole > 1e-9 ? divergence / whole : 0 }
  }

  /// The largest share that counts as a negligible loss.
  public static let harmlessShare = 0.05

  private let base: any TrainableModel
  private let adapted: any TrainableModel
  private let changes: [String: WeightChange]
  private let tokens: [Int]
  private let right: Tensor
  private let whole: Double

  /// The number of tokens of the trial text.
  public var tokenCount: Int { tokens.count }

  /// - Parameters:
  ///   - base: the model without the adapter.
  ///   - adapted: the model with the adapter.
  ///   - changes: the matrices that merging adds to the weights, by the name of the layer.
  ///   - tokens: the text on which the models are compared.
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

  /// Compares the merged model with the adapted one.
  /// - Parameter format: returns the format in which the tensor with a name will be written; nil if it is copied
  ///   unchanged.
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
