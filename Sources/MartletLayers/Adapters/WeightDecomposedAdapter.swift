import MartletTensor

/// DoRA (Liu et al., 2024) around a frozen linear layer: each row of `W + scale B A` is scaled to a learned length. It
/// has no trainable parameters.
public struct WeightDecomposedAdapter: LinearWrapper {
  /// The low-rank matrix that is added to the weight before its rows are scaled.
  public let low: LowRankAdapter
  /// The learned length of each row divided by its length before scaling, `[outputs]`.
  public let share: Tensor
  /// The layer's own bias, which is not scaled.
  public let bias: Tensor?

  /// - Parameters:
  ///   - low: the low-rank matrix that is added to the weight.
  ///   - weight: the weight of the layer, `[outputs, inputs]`.
  ///   - magnitude: the learned lengths, `[outputs]`.
  ///   - bias: the bias of the layer, `[outputs]`.
  public init(_ low: LowRankAdapter, weight: Tensor, magnitude: Tensor, bias: Tensor?) {
    self.low = low
    self.bias = bias
    let sum = (weight + low.delta).values, width = weight.columns
    share = Tensor(
      magnitude.values.enumerated().map { row, length in
        var squares = 0.0
        for value in sum[row * width..<(row + 1) * width] { squares += Double(value) * Double(value) }
        return Float(Double(length) / squares.squareRoot())
      })
  }

  /// The output of the layer with the adapted weight, `[rows, outputs]`.
  public func wrap(_ output: Tensor, input: Tensor) -> Tensor {
    let product = low.wrap(bias.map { output - $0 } ?? output, input: input) * share
    return bias.map { product + $0 } ?? product
  }
}
