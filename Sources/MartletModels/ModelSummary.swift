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

  public init(_ checkpoint: Checkpoint) {
    types = Dictionary(grouping: checkpoint.tensors.values) { "\($0.type)" }.mapValues(\.count)
    let names = RWKV5Configuration.canonicalNames(checkpoint)
    let loader = WeightLoader(checkpoint, names: names, format: nil)
    memoryBytes = loader.packedByteCount()
    if names != nil, let c = try? RWKV5Configuration(loader, groupNormEpsilon: nil) {
      architecture = "RWKV-\(c.version.rawValue)"
      facts = [
        ("layers", c.layers), ("width", c.width), ("heads", c.heads), ("feed-forward", c.feedForwardWidth),
        ("vocabulary", c.vocabularySize), ("state bytes", c.layers * c.layerStateCount * 4),
      ]
    } else if let c = try? checkpoint.format == .gguf
      ? LlamaConfiguration(gguf: checkpoint) : LlamaConfiguration(hub: checkpoint)
    {
      architecture =
        checkpoint.metadata["general.architecture"]?.string ?? checkpoint.configuration["model_type"]?.string ?? "llama"
      facts = [
        ("layers", c.layers), ("width", c.width), ("heads", c.heads), ("key/value heads", c.keyValueHeads),
        ("feed-forward", c.feedForwardWidth), ("vocabulary", c.vocabularySize), ("context", c.contextLength),
      ]
    } else {
      architecture = "not one Martlet runs"
      facts = []
    }
  }
}
