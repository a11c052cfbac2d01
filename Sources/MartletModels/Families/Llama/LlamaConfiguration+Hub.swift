import MartletCheckpoints
import MartletData

extension LlamaConfiguration {
  /// From the hub's config.json.
  /// - Throws: ``FileError`` naming the key that is missing, wrong or not done.
  init(hub checkpoint: Checkpoint) throws {
    let settings = checkpoint.configuration.filter { $0.value != .null }
    func fail(_ problem: String) -> FileError { FileError(file: checkpoint.path, problem) }
    guard !settings.isEmpty else {
      throw fail("a Llama model in this format needs its config.json in the same folder; fetch it too")
    }
    let kind = settings["model_type"]?.string ?? "?"
    guard Self.architectures.contains(kind) else {
      throw fail(
        "its model_type is \(kind); Martlet runs \(ModelFamilies.titles) (\(Self.architectures.joined(separator: ", ")))"
      )
    }
    try Self.refuseUndone(settings, fail)
    try Self.refuseExperts(checkpoint)
    func number(_ key: String) throws -> Int? {
      guard let value = settings[key] else { return nil }
      guard let number = value.integer, number > 0, number < 1 << 31 else {
        throw fail("\(key) in its config.json is not a whole number from 1 to 2147483647")
      }
      return number
    }
    func needed(_ key: String) throws -> Int {
      guard let number = try number(key) else { throw fail("its config.json lacks \(key)") }
      return number
    }
    modelType = kind
    interleaved = false
    layers = try needed("num_hidden_layers")
    width = try needed("hidden_size")
    heads = try needed("num_attention_heads")
    keyValueHeads = try number("num_key_value_heads") ?? heads
    headSize = try number("head_dim") ?? (kind == "qwen3" ? 128 : width / heads)
    feedForwardWidth = try needed("intermediate_size")
    contextLength =
      try number("max_position_embeddings") ?? (kind == "mistral" ? 131_072 : kind == "llama" ? 2048 : 32_768)
    vocabularySize = try Self.vocabularySize(checkpoint, "model.embed_tokens.weight")
    // transformers takes 1e-6 where the key is absent, and refuses null.
    guard checkpoint.configuration["rms_norm_eps"] != .null else {
      throw fail(
        "rms_norm_eps in its config.json is null; enter the value from the training of the model, e.g. 1e-5 or 1e-6")
    }
    guard let epsilon = settings["rms_norm_eps"].map(\.real) ?? 1e-6 else {
      throw fail("rms_norm_eps in its config.json is not a number")
    }
    normEpsilon = Float(epsilon)
    frequencies = []
    // transformers 5 writes rope_parameters, which hold the base too.
    let scaling = settings["rope_parameters"]?.object ?? settings["rope_scaling"]?.object ?? [:]
    guard let base = (scaling["rope_theta"] ?? settings["rope_theta"]).map(\.real) ?? 10_000,
      let share = (scaling["partial_rotary_factor"] ?? settings["partial_rotary_factor"]).map(\.real) ?? 1
    else { throw fail("rope_theta or partial_rotary_factor in its config.json is not a number") }
    rotaryBase = base
    if settings["attention_bias"]?.bool == true { biases = ["attn_q", "attn_k", "attn_v", "attn_output"] }
    if kind == "qwen2" { biases = ["attn_q", "attn_k", "attn_v"] }
    if settings["mlp_bias"]?.bool == true { biases.formUnion(["ffn_gate", "ffn_up", "ffn_down"]) }
    // Mistral's window is 4096 unless the file says null; Qwen's must be switched on.
    let isWindowed = settings["use_sliding_window"]?.bool ?? !kind.hasPrefix("qwen")
    let window =
      try number("sliding_window")
      ?? (kind == "llama" || checkpoint.configuration["sliding_window"] != nil ? nil : 4096)
    guard headSize <= 256, share > 0, share <= 1 else {
      throw fail("heads of \(headSize) of which \(share) is rotated are not supported (heads of at most 256)")
    }
    let rotated = Int(Double(headSize) * share)
    rotaryScaling = try RotaryScaling(
      hub: scaling, original: settings["original_max_position_embeddings"], context: contextLength, pairs: rotated / 2,
      fail)
    // Written by both generations of transformers, of which each reads its own: both must say the same.
    if settings["rope_parameters"] != nil, let older = settings["rope_scaling"]?.object {
      let other = try RotaryScaling(
        hub: older, original: settings["original_max_position_embeddings"], context: contextLength,
        pairs: rotated / 2, fail)
      func agrees(_ key: String, _ value: Double) -> Bool {
        older[key].map { $0 == .null || $0.real == value } ?? true
      }
      guard other == rotaryScaling, agrees("rope_theta", base), agrees("partial_rotary_factor", share) else {
        throw fail(
          "rope_parameters and rope_scaling in its config.json differ, so the scaling of the training is unknown; remove the wrong one"
        )
      }
    }
    try finish(rotated: rotated, fail)
    if isWindowed, let window { end(atWindow: window) }
  }

  /// Keys that change the arithmetic, and the values with which they do not.
  private static let neutral: [String: [MetadataValue]] = [
    "hidden_act": [.string("silu"), .string("swish")], "hidden_activation": [.string("silu"), .string("swish")],
    "attn_logit_softcapping": [], "final_logit_softcapping": [], "query_pre_attn_scalar": [], "clip_qkv": [],
    "logit_scale": [.integer(1), .real(1)], "logits_scaling": [.integer(1), .real(1)],
    "embedding_multiplier": [.integer(1), .real(1)], "residual_multiplier": [.integer(1), .real(1)],
    "attention_multiplier": [], "scale_emb": [.integer(1), .real(1)], "no_rope_layers": [],
    "num_experts": [.integer(0)],
    "num_local_experts": [.integer(0), .integer(1)], "n_routed_experts": [.integer(0)],
    "use_qk_norm": [.bool(false)], "qk_layernorm": [.bool(false)], "parallel_residual": [.bool(false)],
    "use_parallel_residual": [.bool(false)], "alibi": [.bool(false)], "tie_layers": [.bool(false)],
  ]

  private static func refuseUndone(_ settings: [String: MetadataValue], _ fail: (String) -> FileError) throws {
    if let quantization = settings["quantization_config"] {
      let method = quantization.object?["quant_method"]?.string ?? "an unknown method"
      throw fail(
        "its weights are quantised by \(method) (quantization_config in config.json), which Martlet does not read; use the unquantised model, or its GGUF in Q4_K or Q8_0"
      )
    }
    for key in ["num_experts", "num_local_experts", "n_routed_experts"] {
      if let count = settings[key]?.integer, count > 1 {
        throw fail(
          "it is a mixture of \(count) experts (\(key) in config.json), which Martlet does not support; use a dense model"
        )
      }
    }
    for (key, allowed) in neutral.sorted(by: { $0.key < $1.key }) {
      if let value = settings[key], !allowed.contains(value) {
        throw fail("config.json has \(key) = \(value.text), which Martlet does not support for this architecture")
      }
    }
    if let types = settings["layer_types"]?.array?.compactMap(\.string),
      let other = types.first(where: { $0 != "full_attention" && $0 != "sliding_attention" })
    {
      throw fail("config.json has layers of type \(other) (layer_types), which Martlet does not support")
    }
    for key in ["rope_parameters", "rope_scaling"] {
      if let value = settings[key], value.object == nil {
        throw fail("\(key) in its config.json is \(value.text) but must be an object or null")
      }
      if let object = settings[key]?.object, let nested = object.first(where: { $0.value.object != nil })?.key {
        throw fail(
          "config.json has \(key) for \(nested) only; rotary frequencies for each kind of layer are not supported")
      }
    }
  }

  static func vocabularySize(_ checkpoint: Checkpoint, _ name: String) throws -> Int {
    let shape = try checkpoint.tensor(name).shape
    guard shape.count == 2, shape[0] > 0, shape[1] > 0 else {
      throw FileError(
        file: checkpoint.path, "tensor \(name) has shape \(shape), not [vocabulary, width]; the file is damaged")
    }
    return shape[0]
  }
}

extension MetadataValue {
  /// For messages.
  var text: String {
    switch self {
    case .integer(let value): "\(value)"
    case .unsigned(let value): "\(value)"
    case .real(let value): "\(value)"
    case .bool(let value): "\(value)"
    case .string(let value): "\"\(value)\""
    case .array(let values): "a list of \(values.count)"
    case .numbers(let values): "a list of \(values.count)"
    case .object: "an object"
    case .null: "null"
    }
  }
}
