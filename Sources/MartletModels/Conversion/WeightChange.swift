import MartletTensor

/// What an adapter makes of one tensor of a model, with rows in the hub's order: `shares ⊙ (weight + delta)`.
public struct WeightChange: Sendable {
  /// Stands in place of the file's values.
  public var replacement: Tensor?
  /// What is added; worked out when it is wanted, as those of all layers together take as much memory as the model.
  public var delta: (@Sendable () -> Tensor)?
  /// What each row is multiplied by at last.
  public var rowShares: [Float]?

  /// - Parameters: what changes; none changes nothing.
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
