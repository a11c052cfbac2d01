import MartletCheckpoints
import MartletTensor

/// The Llama family: Llama 1 to 3, SmolLM2, TinyLlama, Mistral, Qwen2 and Qwen3.
public struct LlamaFamily: ModelFamily {
  /// The family.
  public init() {}

  /// The name on the command line.
  public var name: String { "llama" }
  /// The name in a sentence.
  public var title: String { "the Llama family" }
  /// The temperature comes before truncation, and edits change the output of the feed-forward part.
  public var defaults: ModelDefaults { ModelDefaults(headName: "lm_head", editLayer: "mlp.down_proj") }

  /// Every GGUF file is taken for one of this family, whose architectures GGUF was made for: loading names the
  /// architecture of another.
  public func recognize(_ checkpoint: Checkpoint) -> [String: String]? {
    guard checkpoint.format == .gguf || checkpoint["model.embed_tokens.weight"] != nil else { return nil }
    return Dictionary(uniqueKeysWithValues: checkpoint.names.map { ($0, $0) })
  }

  /// Loads a hub folder or a GGUF file.
  ///
  /// - Throws: `CheckpointError` naming the tensor or the setting that is missing, wrong or not done.
  public func load(_ loader: WeightLoader, options: LoadedModel.Options) throws -> Llama { try Llama(loader) }

  /// The architecture by the hub's name, its sizes, and the bytes of a full key/value cache.
  public func facts(of model: Llama, in checkpoint: Checkpoint) -> ModelFacts {
    let c = model.configuration
    // Keys and values in half precision, or single where the weights are.
    let width = model.cacheLayout.half ? 2 : 4
    let (bytes, overflows) = (2 * c.layers * c.keyValueHeads * c.headSize * width).multipliedReportingOverflow(
      by: c.contextLength)
    return ModelFacts(
      architecture: c.modelType,
      numbers: [
        ("layers", c.layers), ("width", c.width), ("heads", c.heads), ("key/value heads", c.keyValueHeads),
        ("feed_forward", c.feedForwardWidth), ("vocabulary", c.vocabularySize), ("context", c.contextLength),
      ], stateByteCount: overflows ? .max : bytes, contextLength: c.contextLength)
  }

  /// - Throws: ``ModelError`` where heads are of an odd size or of more than 256 features.
  public func check(_ shape: ModelShape) throws {
    guard shape.headSize % 2 == 0, shape.headSize <= 256 else {
      throw ModelError(
        "heads of \(shape.headSize) are not supported; the head size of \(name) must be even and at most 256")
    }
  }

  /// A Llama with initial values as GPT-2 has them.
  public func make(_ shape: ModelShape, random: RandomSource) -> Llama {
    Llama(
      LlamaConfiguration(
        layers: shape.layers, width: shape.width, heads: shape.width / shape.headSize,
        vocabularySize: shape.vocabularySize, contextLength: shape.contextLength), random: random)
  }
}
