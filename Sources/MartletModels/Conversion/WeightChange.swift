import MartletTensor

/// The change that an adapter makes to one tensor of a model, with rows in the hub's order: `shares ⊙ (weight +
/// delta)`.
public struct WeightChange: Sendable {
  /// Values that replace those of the file.
  public var replacement: Tensor?
  /// The difference that is added. It is computed on demand, because the differences of all layers together take as
  /// much memory as the model.
  public var delta: (@Sendable () -> Tensor)?
  /// The factors by which the rows are multiplied at the end.
  public var rowShares: [Float]?

  /// - Parameters: the properties of the same names; the defaults change nothing.
  public init(
    replacement: Tensor? = nil, delta: (@Sendable () -> Tensor)? = nil, rowShares: [Float]? = nil
  ) {
    self.replacement = replacement
    self.delta = delta
    self.rowShares = rowShares
  }

  /// Whether it leaves the tensor as it is.
  public var isNothing: Bool { replacement == nil && delta == nil && rowShares == nil }
}
