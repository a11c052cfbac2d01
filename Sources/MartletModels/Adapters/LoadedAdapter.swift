/// The changes that an adapter made to a model.
public struct LoadedAdapter: Sendable {
  /// Remarks for the user, one sentence each, such as the methods beyond plain LoRA that the adapter uses.
  public let notes: [String]
  /// Whether every change is a low-rank adapter of a layer, so that it can be trained further.
  public let isLowRank: Bool
  /// The changes of the model's tensors, by their names in a checkpoint, which merging writes.
  public let changes: [String: WeightChange]
}
