import MartletCheckpoints
import MartletTensor

/// The Llama family: Llama 1 to 3, SmolLM2, TinyLlama, Mistral, Qwen2 and Qwen3.
public struct LlamaFamily: ModelFamily {
  /// The family, which has no settings.
  public init() {}

  /// The name on the command line.
  public var name: String { "llama" }
  /// The name for use in a sentence.
  public var title: String { "the Llama family" }
  /// The defaults of the family: the temperature is applied before truncation, and edits change the output of the
  /// feed-forward part.
  public var defaults: ModelDefaults { ModelDefaults(headName: "lm_head", editLayer: "mlp.down_proj") }

  /// Recognises hub folders of these architectures and every GGUF file. Loading then rejects a GGUF file of another
  /// architecture with an error that names it.
  public func recognize(_ checkpoint: Checkpoint) -> [String: String]? {
    guard checkpoint.format == .gguf || checkpoint["model.embed_tokens.weight"] != nil else { return nil }
    return Dictionary(uniqueKeysWithValues: checkpoint.names.map { ($0, $0) })
  }

  /// Loads a hub folder or a GGUF file.
  ///
  /// - Throws: `FileError` that names the tensor or the setting that is missing, wrong or not supported.
  public func load(_ loader: WeightLoader, options: LoadedModel.Options) throws -> Llama { try Llama(loader) }

  /// All models of the family run on a device.
  /// - Throws: ``ModelError`` for heads or a width that shaders do not have.
  public func program(of model: Llama, weights: DeviceWeights) throws -> (any DeviceProgram)? {
    let names: Llama.Names = weights.isGGUF ? .gguf : .hub
    return try LlamaProgram(
      model, names: { names.layer($0, $1) }, head: model.isTied ? names.embedding : names.head, weights)
  }

  /// The architecture with its name in the hub, its sizes, and the bytes of a full key/value cache.
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

  /// Checks whether a model of this shape can be made.
  /// - Throws: ``ModelError`` if the size of a head is odd or larger than 256.
  public func check(_ shape: ModelShape) throws {
    guard shape.headSize % 2 == 0, shape.headSize <= 256 else {
      throw ModelError(
        "heads of \(shape.headSize) are not supported; the head size of \(name) must be even and at most 256")
    }
  }

  /// A new Llama model with the initial values of GPT-2.
  public func make(_ shape: ModelShape, random: RandomSource) -> Llama {
    Llama(
      LlamaConfiguration(
        layers: shape.layers, width: shape.width, heads: shape.width / shape.headSize,
        vocabularySize: shape.vocabularySize, contextLength: shape.contextLength), random: random)
  }
}
