import MartletTensor

/// What changes a linear layer's answer: the one hook by which features reach into a model.
///
/// Its parameters are those that can be trained; a wrapper without any need not hand over one.
public protocol LinearWrapper: Parameterized, Sendable {
  /// What the layer answers instead.
  ///
  /// - Parameters:
  ///   - output: what the layer answers, `[rows, outputs]`
  ///   - input: `[rows, inputs]`
  func wrap(_ output: Tensor, input: Tensor) -> Tensor
}

extension LinearWrapper {
  /// Hands over nothing.
  public mutating func visitParameters(_ body: (_ name: String, _ parameter: inout Tensor) -> Void) {}
}
