import MartletCheckpoints
import MartletTensor

/// What can be told of a model without loading it.
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
  /// Why Martlet does not run it; nil where nothing that can be told without loading stands against it.
  public let problem: CheckpointError?

  public init(_ checkpoint: Checkpoint) {
    types = Dictionary(grouping: checkpoint.tensors.values) { "\($0.type)" }.mapValues(\.count)
    let names = Result { try RWKV5Names.canonical(checkpoint) }
    let loader = WeightLoader(checkpoint, names: try? names.get(), format: nil)
    memoryBytes = loader.packedByteCount()
    remarks = checkpoint.repackingRemarks
    do {
      if try names.get() != nil {
        let c = try RWKV5Configuration(loader, groupNormEpsilon: nil)
        architecture = "RWKV-\(c.version.rawValue)"
        facts = [
          ("layers", c.layers), ("width", c.width), ("heads", c.heads), ("feed-forward", c.feedForwardWidth),
          ("vocabulary", c.vocabularySize), ("state bytes", c.layers * c.layerStateCount * 4),
        ]
      } else if let refusal = RWKV5Names.refusal(checkpoint) {
        throw refusal
      } else {
        let c = try LlamaConfiguration(checkpoint)
        architecture = c.modelType
        facts = [
          ("layers", c.layers), ("width", c.width), ("heads", c.heads), ("key/value heads", c.keyValueHeads),
          ("feed-forward", c.feedForwardWidth), ("vocabulary", c.vocabularySize), ("context", c.contextLength),
        ]
      }
      problem = nil
    } catch {
      architecture =
        checkpoint.metadata["general.architecture"]?.string ?? checkpoint.configuration["model_type"]?.string
        ?? "not one Martlet runs"
      facts = []
      problem = error as? CheckpointError ?? CheckpointError(file: checkpoint.path, "\(error)")
    }
  }
}
