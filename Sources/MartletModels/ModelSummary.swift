import MartletCheckpoints
import MartletTensor

/// What can be told of a model without keeping its weights. They are read once, to check them.
public struct ModelSummary: Sendable {
  public let architecture: String
  /// Facts by name, in the order to show them.
  public let facts: [(key: String, value: Int)]
  /// Bytes of memory that the weights take once loaded.
  public let memoryBytes: Int
  /// Number of tensors of each type.
  public let types: [String: Int]

  /// What people should know of how the weights will be held, one sentence each.
  public let remarks: [String]
  /// Why Martlet does not run it; nil where it does.
  public let problem: CheckpointError?

  public init(_ checkpoint: Checkpoint) {
    types = Dictionary(grouping: checkpoint.tensors.values) { "\($0.type)" }.mapValues(\.count)
    let names: [String: String]?
    if case .rwkv5(let found) = try? ModelLoading.family(of: checkpoint) { names = found } else { names = nil }
    memoryBytes = WeightLoader(checkpoint, names: names, format: nil).packedByteCount()
    do {
      // What generation refuses is refused here, by the same code.
      let model = try ModelLoading.load(checkpoint, options: .init(), for: .inspection)
      let told = model.description
      remarks = checkpoint.repackingRemarks + told.remarks
      if let c = (model as? RWKV5)?.configuration {
        architecture = told.architecture
        facts = [
          ("layers", c.layers), ("width", c.width), ("heads", c.heads), ("feed-forward", c.feedForwardWidth),
          ("vocabulary", c.vocabularySize), ("state bytes", c.layers * c.layerStateCount * 4),
        ]
      } else if let c = (model as? Llama)?.configuration {
        architecture = c.modelType
        facts = [
          ("layers", c.layers), ("width", c.width), ("heads", c.heads), ("key/value heads", c.keyValueHeads),
          ("feed-forward", c.feedForwardWidth), ("vocabulary", c.vocabularySize), ("context", c.contextLength),
        ]
      } else {
        architecture = told.architecture
        facts = []
      }
      problem = nil
    } catch {
      architecture =
        checkpoint.metadata["general.architecture"]?.string ?? checkpoint.configuration["model_type"]?.string
        ?? "not one Martlet runs"
      facts = []
      remarks = checkpoint.repackingRemarks
      problem = error as? CheckpointError ?? CheckpointError(file: checkpoint.path, "\(error)")
    }
  }
}
