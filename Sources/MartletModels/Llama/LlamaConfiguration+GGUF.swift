import MartletCheckpoints

extension LlamaConfiguration {
  /// From GGUF metadata, with llama.cpp's defaults.
  /// - Throws: ``CheckpointError`` naming the key that is missing, wrong, unknown or not done.
  init(gguf checkpoint: Checkpoint) throws {
    let metadata = checkpoint.metadata
    let architecture = metadata["general.architecture"]?.string ?? "?"
    func fail(_ problem: String) -> CheckpointError { CheckpointError(file: checkpoint.path, problem) }
    guard Self.architectures.contains(architecture) else {
      throw fail(
        "its architecture is \(architecture); Martlet runs RWKV-5 and the Llama family (\(Self.architectures.joined(separator: ", ")))"
      )
    }
    /// A value, or an array's, one a layer, where all are the same.
    func value(_ key: String) throws -> MetadataValue? {
      guard let value = metadata["\(architecture).\(key)"], let list = value.array else {
        return metadata["\(architecture).\(key)"]
      }
      guard let first = list.first, list.allSatisfy({ $0 == first }) else {
        throw fail(
          "\(architecture).\(key) differs from layer to layer, which Martlet does not do; take a model of equal layers")
      }
      return first
    }
    func number(_ key: String) throws -> Int? {
      guard let value = try value(key) else { return nil }
      guard let number = value.integer, number > 0, number < 1 << 31 else {
        throw fail("\(architecture).\(key) is \(value.text), no whole number from 1 to 2147483647; the file is damaged")
      }
      return number
    }
    func needed(_ key: String) throws -> Int {
      guard let number = try number(key) else {
        throw fail("its metadata lacks \(architecture).\(key); it is damaged, or not a language model")
      }
      return number
    }
    func real(_ key: String) throws -> Double? {
      guard let value = try value(key) else { return nil }
      guard let number = value.real, number.isFinite else {
        throw fail("\(architecture).\(key) is \(value.text), no number; the file is damaged")
      }
      return number
    }
    modelType = architecture
    interleaved = architecture == "llama" || architecture == "mistral"
    layers = try needed("block_count")
    width = try needed("embedding_length")
    heads = try needed("attention.head_count")
    keyValueHeads = try number("attention.head_count_kv") ?? heads
    headSize = try number("attention.key_length") ?? (width / heads)
    if let experts = try value("expert_count")?.integer, experts > 0 {
      throw fail(
        "it is a mixture of \(experts) experts (\(architecture).expert_count), which Martlet does not run; take a dense model"
      )
    }
    feedForwardWidth = try needed("feed_forward_length")
    contextLength = try needed("context_length")
    guard let epsilon = try real("attention.layer_norm_rms_epsilon") else {
      throw fail(
        "its metadata lacks \(architecture).attention.layer_norm_rms_epsilon, without which the norms are unknown; convert the model again"
      )
    }
    normEpsilon = Float(epsilon)
    vocabularySize = try Self.vocabularySize(checkpoint, "token_embd.weight")
    rotaryBase = try real("rope.freq_base") ?? 10_000
    frequencies = []
    let rotated = try number("rope.dimension_count") ?? headSize
    guard headSize <= 256, rotated <= headSize else {
      throw fail("heads of \(headSize) of which \(rotated) are rotated are not supported (heads of at most 256)")
    }
    if let valueSize = try number("attention.value_length"), valueSize != headSize {
      throw fail("its values are \(valueSize) wide where its keys are \(headSize), which Martlet does not do")
    }
    try Self.refuseExperts(checkpoint)
    try Self.refuseUndone(metadata, architecture, headSize: headSize, fail)
    biases = Set(
      checkpoint.names.filter { $0.hasPrefix("blk.0.") && $0.hasSuffix(".bias") }.map {
        String($0.dropFirst(6).dropLast(5))
      })
    if architecture == "qwen2" { biases.formUnion(["attn_q", "attn_k", "attn_v"]) }

    func divisors(_ name: String) throws -> [Double]? {
      guard let tensor = checkpoint[name] else { return nil }
      let values = try tensor.floats().map(Double.init)
      guard values.count == rotated / 2, values.allSatisfy({ $0 > 0 && $0.isFinite }) else {
        throw fail("tensor \(name) \(tensor.shape) is not \(rotated / 2) numbers above 0")
      }
      return values
    }
    // 0 stands for no scaling; the name of 2023 for the factor is scale_linear.
    let given = try real("rope.scaling.factor") ?? real("rope.scale_linear") ?? 0
    let factor = given == 0 ? 1 : given
    guard factor > 0 else { throw fail("\(architecture).rope.scaling.factor is \(factor), no number above 0") }
    let isOriginalGiven = try value("rope.scaling.original_context_length")?.integer != 0
    let original = isOriginalGiven ? try number("rope.scaling.original_context_length") ?? contextLength : contextLength
    // llama.cpp multiplies YaRN's own factor of cosines and sines by these.
    let magnitude = try (real("rope.scaling.attn_factor") ?? 1) * (real("rope.scaling.yarn_attn_factor") ?? 1)
    let long = try divisors("rope_factors_long.weight"), short = try divisors("rope_factors_short.weight")
    let kind = try value("rope.scaling.type")?.string ?? (long == nil ? "linear" : "longrope")
    switch kind {
    case "none": rotaryScaling = nil
    case "linear":
      guard magnitude == 1 else {
        throw fail("\(architecture).rope.scaling.attn_factor without YaRN or LongRoPE is not done")
      }
      rotaryScaling = factor == 1 ? nil : .linear(factor: factor)
    case "yarn":
      if let share = try real("rope.scaling.yarn_ext_factor"), share != 1 {
        throw fail("\(architecture).rope.scaling.yarn_ext_factor is \(share), where only 1 is done")
      }
      rotaryScaling = .yarn(
        RotaryScaling.YaRN(
          factor: factor, original: Double(original), fast: try real("rope.scaling.yarn_beta_fast") ?? 32,
          slow: try real("rope.scaling.yarn_beta_slow") ?? 1,
          magnitude: RotaryScaling.YaRN.magnitude(factor) * magnitude))
    case "longrope":
      guard let short, let long, factor == 1 else {
        throw fail(
          "its rotary scaling is longrope, without rope_factors_short.weight and rope_factors_long.weight, or with a factor besides; convert the model again"
        )
      }
      rotaryScaling = .divisors(short: short, long: long, magnitude: magnitude, original: original)
    default:
      throw fail(
        "\(architecture).rope.scaling.type is \(kind), which Martlet does not do (none, linear, yarn and longrope are done)"
      )
    }
    // Llama 3's scaling comes worked out, as divisors of the frequencies.
    let named = try divisors("rope_freqs.weight").map { $0.allSatisfy { $0 == 1 } ? nil : $0 } ?? nil
    if let named, rotaryScaling == nil {
      rotaryScaling = .divisors(short: named, long: named, magnitude: 1, original: contextLength)
      try finish(rotated: rotated, fail)
    } else {
      try finish(rotated: rotated, baseDivisors: named, fail)
      hasUnnamedScaling = named != nil
    }
    if let window = try value("attention.sliding_window")?.integer, window > 0 { end(atWindow: window) }
  }

  /// Keys, after the architecture's name, that are read above or say nothing of the arithmetic.
  private static let known: Set<String> = [
    "block_count", "embedding_length", "feed_forward_length", "context_length", "vocab_size", "expert_count",
    "attention.head_count", "attention.head_count_kv", "attention.key_length", "attention.value_length",
    "attention.layer_norm_rms_epsilon", "attention.layer_norm_epsilon", "attention.sliding_window", "rope.freq_base",
    "rope.dimension_count", "rope.scale_linear", "rope.scaling.type", "rope.scaling.factor",
    "rope.scaling.original_context_length", "rope.scaling.attn_factor", "rope.scaling.yarn_attn_factor",
    "rope.scaling.yarn_ext_factor", "rope.scaling.yarn_beta_fast", "rope.scaling.yarn_beta_slow",
    "rope.scaling.finetuned", "tensor_data_layout",
  ]

  /// Every other key might change the arithmetic; one that is switched off does not.
  private static func refuseUndone(
    _ metadata: [String: MetadataValue], _ architecture: String, headSize: Int, _ fail: (String) -> CheckpointError
  ) throws {
    for (name, value) in metadata.sorted(by: { $0.key < $1.key }) where name.hasPrefix(architecture + ".") {
      let key = String(name.dropFirst(architecture.count + 1))
      if known.contains(key) { continue }
      let isNeutral: Bool
      switch key {
      case "attention.causal": isNeutral = value.bool == true
      case "logit_scale", "embedding_scale", "residual_scale": isNeutral = value.real == 1 || value.real == 0
      case "attention.scale":
        isNeutral = value.real == 0 || abs((value.real ?? .nan) * Double(headSize).squareRoot() - 1) < 1e-5
      default:
        isNeutral =
          value.real == 0 || value.bool == false || value.string?.isEmpty == true || value.array?.isEmpty == true
      }
      guard isNeutral else {
        throw fail(
          "its metadata says \(name) = \(value.text), which Martlet does not do for this architecture; if it changes nothing, write the file again without that key"
        )
      }
    }
  }
}
