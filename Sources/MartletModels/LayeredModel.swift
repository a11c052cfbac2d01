import MartletLayers

/// A language model whose linear layers can be reached by their names: to read their inputs, and to replace their outputs.
public protocol LayeredModel: LanguageModel {
  /// The names of the linear layers, in the order of the forward pass.
  var linearNames: [String] { get }

  /// What is applied to a layer's output; nil for nothing.
  func wrapper(of layer: String) -> (any LinearWrapper)?

  /// A copy of the model with `wrapper` applied to one layer, in place of what was.
  func wrapping(_ layer: String, with wrapper: any LinearWrapper) -> Self
}
