import MartletTensor

/// What changes a linear layer's answer: the one hook by which features reach into a model.
public protocol LinearWrapper: Sendable {
  /// - Parameters:
  ///   - output: what the layer answers, `[rows, outputs]`
  ///   - input: `[rows, inputs]`
  func wrap(_ output: Tensor, input: Tensor) -> Tensor
  /// Hands over what can be trained; `name` is the layer's.
  mutating func visitParameters(_ name: String, _ body: (String, inout Tensor) -> Void)
}
