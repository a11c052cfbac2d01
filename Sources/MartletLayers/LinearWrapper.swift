import MartletTensor

/// A change of the output of a linear layer. All adapters and edits reach into a model through this hook.
///
/// Its parameters are those that can be trained. A wrapper without parameters does not have to implement
/// `visitParameters`.
public protocol LinearWrapper: Parameterized, Sendable {
  /// The output in place of the layer's own, `[rows, outputs]`.
  ///
  /// - Parameters:
  ///   - output: the output of the layer, `[rows, outputs]`.
  ///   - input: the input of the layer, `[rows, inputs]`.
  func wrap(_ output: Tensor, input: Tensor) -> Tensor
}

extension LinearWrapper {
  /// The default implementation, for wrappers without parameters.
  public mutating func visitParameters(_ body: (_ name: String, _ parameter: inout Tensor) -> Void) {}
}
