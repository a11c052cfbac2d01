import Foundation
import MartletCheckpoints

/// Shapes and constants of a model of the Llama family (Llama 1-3, SmolLM2, TinyLlama, Mistral, Qwen2).
public struct LlamaConfiguration: Sendable, Equatable {
  public var layers: Int
  public var width: Int
  public var heads: Int
  public var keyValueHeads: Int
  public var headSize: Int
  public var feedForwardWidth: Int
  public var vocabularySize: Int
  public var contextLength: Int
  public var normEpsilon: Float
  /// Rotary pairs are (2i, 2i + 1), as GGUF files of the architecture `llama` store them, else (i, i + size / 2).
  public var interleaved: Bool
  /// Rotation of pair i a position, in radians.
  public var frequencies: [Double]

  /// Base of the rotary frequencies, before scaling.
  public var rotaryBase: Double
  /// The hub's name of the architecture.
  public var modelType: String
  /// The hub's rope scaling, as it was read.
  var ropeScaling: MetadataValue?

  /// A model to be trained. Precondition: `width` is a multiple of `heads`.
  public init(
    layers: Int, width: Int, heads: Int, keyValueHeads: Int? = nil, feedForwardWidth: Int? = nil, vocabularySize: Int,
    contextLength: Int
  ) {
    precondition(width % heads == 0 && width / heads % 2 == 0, "a width of \(width) in \(heads) heads")
    self.layers = layers
    self.width = width
    self.heads = heads
    self.keyValueHeads = keyValueHeads ?? heads
    headSize = width / heads
    self.feedForwardWidth = feedForwardWidth ?? (width * 8 / 3 + 31) / 32 * 32
    self.vocabularySize = vocabularySize
    self.contextLength = contextLength
    normEpsilon = 1e-5
    interleaved = false
    rotaryBase = 10_000
    modelType = "llama"
    let size = headSize
    frequencies = (0..<size / 2).map { pow(10_000, -2 * Double($0) / Double(size)) }
  }

  /// Whether the frequencies were scaled in a way that a GGUF file gives in numbers only: `config.json` cannot say it.
  public var hasUnnamedScaling: Bool {
    let size = 2 * frequencies.count
    return ropeScaling == nil
      && zip(0..., frequencies).contains { pair, frequency in
        abs(frequency - pow(rotaryBase, -2 * Double(pair) / Double(size))) > 1e-9 * frequency
      }
  }

  /// The hub's `config.json`.
  func hubConfiguration(isTied: Bool) -> [String: Any] {
    var object: [String: Any] = [
      "model_type": modelType, "architectures": [modelType == "qwen2" ? "Qwen2ForCausalLM" : "LlamaForCausalLM"],
      "num_hidden_layers": layers, "hidden_size": width, "num_attention_heads": heads,
      "num_key_value_heads": keyValueHeads, "head_dim": headSize, "intermediate_size": feedForwardWidth,
      "vocab_size": vocabularySize, "max_position_embeddings": contextLength, "rms_norm_eps": Double(normEpsilon),
      "hidden_act": "silu", "rope_theta": rotaryBase, "tie_word_embeddings": isTied,
    ]
    if let ropeScaling { object["rope_scaling"] = ropeScaling.foundation }
    return object
  }

  /// From GGUF metadata.
  init(gguf checkpoint: Checkpoint) throws {
    let metadata = checkpoint.metadata
    let architecture = metadata["general.architecture"]?.string ?? "?"
    func fail(_ problem: String) -> CheckpointError { CheckpointError(file: checkpoint.path, problem) }
    guard ["llama", "qwen2", "mistral"].contains(architecture) else {
      throw fail(
        "its architecture is \(architecture); Martlet runs RWKV-5 and the Llama family (llama, mistral, qwen2)")
    }
    func number(_ key: String) throws -> Int {
      guard let value = metadata["\(architecture).\(key)"]?.integer, value > 0, value < 1 << 31 else {
        throw fail("its metadata lacks \(architecture).\(key); it is damaged, or not a language model")
      }
      return value
    }
    layers = try number("block_count")
    width = try number("embedding_length")
    heads = try number("attention.head_count")
    keyValueHeads = metadata["\(architecture).attention.head_count_kv"]?.integer ?? heads
    headSize = metadata["\(architecture).attention.key_length"]?.integer ?? (width / max(1, heads))
    feedForwardWidth = try number("feed_forward_length")
    contextLength = try number("context_length")
    normEpsilon = Float(metadata["\(architecture).attention.layer_norm_rms_epsilon"]?.real ?? 1e-5)
    vocabularySize = try checkpoint.tensor("token_embd.weight").shape[0]
    interleaved = architecture != "qwen2"
    rotaryBase = metadata["\(architecture).rope.freq_base"]?.real ?? 10_000
    modelType = architecture
    let rotated = metadata["\(architecture).rope.dimension_count"]?.integer ?? headSize
    frequencies = try Self.frequencies(
      rotated, base: metadata["\(architecture).rope.freq_base"]?.real ?? 10_000, headSize: headSize, fail)
    if metadata["\(architecture).rope.scaling.type"]?.string == "linear",
      let factor = metadata["\(architecture).rope.scaling.factor"]?.real, factor > 0
    {
      frequencies = frequencies.map { $0 / factor }
    } else if let factors = checkpoint["rope_freqs.weight"] {  // Llama 3's scaling, already worked out
      let divisors = try factors.floats()
      guard divisors.count == frequencies.count else { throw fail("rope_freqs.weight has \(divisors.count) values") }
      frequencies = zip(frequencies, divisors).map { $0 / Double($1) }
    }
    try validate(fail)
  }

  /// From the hub's config.json.
  init(hub checkpoint: Checkpoint) throws {
    let configuration = checkpoint.configuration
    func fail(_ problem: String) -> CheckpointError { CheckpointError(file: checkpoint.path, problem) }
    guard !configuration.isEmpty else {
      throw fail("a Llama model in this format needs its config.json beside it; fetch it too")
    }
    let kind = configuration["model_type"]?.string ?? "?"
    guard ["llama", "mistral", "qwen2"].contains(kind) else {
      throw fail("its model_type is \(kind); Martlet runs RWKV-5 and the Llama family (llama, mistral, qwen2)")
    }
    func number(_ key: String) throws -> Int {
      guard let value = configuration[key]?.integer, value > 0, value < 1 << 31 else {
        throw fail("its config.json lacks \(key)")
      }
      return value
    }
    layers = try number("num_hidden_layers")
    width = try number("hidden_size")
    heads = try number("num_attention_heads")
    keyValueHeads = configuration["num_key_value_heads"]?.integer ?? heads
    headSize = configuration["head_dim"]?.integer ?? (width / heads)
    feedForwardWidth = try number("intermediate_size")
    contextLength = configuration["max_position_embeddings"]?.integer ?? 2048
    if let window = configuration["sliding_window"]?.integer, configuration["use_sliding_window"]?.bool != false {
      contextLength = min(contextLength, window)  // beyond it the model would attend to a window only
    }
    normEpsilon = Float(configuration["rms_norm_eps"]?.real ?? 1e-6)
    vocabularySize = try checkpoint.tensor("model.embed_tokens.weight").shape[0]
    interleaved = false
    let scaling = configuration["rope_scaling"]?.object ?? configuration["rope_parameters"]?.object ?? [:]
    let base = configuration["rope_theta"]?.real ?? scaling["rope_theta"]?.real ?? 10_000
    rotaryBase = base
    modelType = kind
    ropeScaling = configuration["rope_scaling"]
    frequencies = try Self.frequencies(headSize, base: base, headSize: headSize, fail)
    switch scaling["rope_type"]?.string ?? scaling["type"]?.string ?? "default" {
    case "default": break
    case "linear":
      guard let factor = scaling["factor"]?.real, factor > 0 else { throw fail("its rope_scaling has no factor") }
      frequencies = frequencies.map { $0 / factor }
    case "llama3":
      guard let factor = scaling["factor"]?.real, let low = scaling["low_freq_factor"]?.real,
        let high = scaling["high_freq_factor"]?.real, factor > 0, high > low,
        let original = scaling["original_max_position_embeddings"]?.real
      else { throw fail("its rope_scaling of llama3 is incomplete") }
      frequencies = frequencies.map { frequency in
        let turns = original * frequency / (2 * Double.pi)
        if turns < low { return frequency / factor }
        if turns > high { return frequency }
        let smooth = (turns - low) / (high - low)
        return (1 - smooth) * frequency / factor + smooth * frequency
      }
    case let other: throw fail("its rope_scaling \(other) is not supported (default, linear, llama3 are)")
    }
    try validate(fail)
  }

  private static func frequencies(
    _ rotated: Int, base: Double, headSize: Int, _ fail: (String) -> CheckpointError
  ) throws -> [Double] {
    guard rotated > 0, rotated <= headSize, rotated % 2 == 0, base > 0 else {
      throw fail("a rotary size of \(rotated) does not fit heads of \(headSize)")
    }
    return (0..<rotated / 2).map { pow(base, -2 * Double($0) / Double(rotated)) }
  }

  private func validate(_ fail: (String) -> CheckpointError) throws {
    guard heads > 0, keyValueHeads > 0, heads % keyValueHeads == 0, headSize > 0, headSize <= 256, layers < 10_000
    else {
      throw fail(
        "\(heads) heads of \(headSize) over \(keyValueHeads) key/value heads are not supported (heads of at most 256)")
    }
  }
}
