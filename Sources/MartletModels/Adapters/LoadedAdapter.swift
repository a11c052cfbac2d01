/// What an adapter has changed in a model.
public struct LoadedAdapter: Sendable {
  /// What people should know of it, one sentence each: the kinds beyond plain LoRA that it uses, above all.
  public let notes: [String]
  /// Whether every change is a low-rank matrix beside a layer, which can be trained further as it is.
  public let isLowRank: Bool
  /// What became of the model's tensors, by their names in a checkpoint: what merging writes.
  public let changes: [String: WeightChange]
}
