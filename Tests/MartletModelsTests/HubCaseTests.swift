import Foundation
import MartletCheckpoints
import MartletTensor
import MartletTestSupport
import Testing

@testable import MartletModels

/// What a hub folder's config.json says of the arithmetic is used or refused by name.
struct HubCaseTests {
  private static let folder = ModelCases.folder.map { $0 + "/inference/st" }

  @Test(
    .enabled(if: Self.folder != nil, "MARTLET_DATA names no folder with the shared data"),
    arguments: [
      ("base", "st"), ("cfg_head_dim", "st"), ("cfg_kv", "st"), ("cfg_rope", "st"), ("cfg_rope_parameters", "st"),
      ("cfg_rope_scaling", "st"), ("cfg_tie_missing_head", "st-tied"),
    ]) func equalsTransformers(name: String, truth: String) throws
  {
    let folder = try #require(Self.folder)
    let gap = try TestData.largestDifference(ModelCases.last("\(folder)/\(name)"), ModelCases.truth(truth))
    #expect(gap < 2e-5, "\(name): \(gap)")
  }

  @Test(
    .enabled(if: Self.folder != nil, "MARTLET_DATA names no folder with the shared data"),
    arguments: [
      ("cfg_attention_bias", "q_proj.bias"), ("cfg_eps", "rms_norm_eps"), ("cfg_hidden_act", "hidden_act"),
      ("cfg_quantization_config", "gptq"),
    ]) func isRefused(name: String, word: String) throws
  {
    let folder = try #require(Self.folder)
    let refusal = try #require(ModelCases.refusal("\(folder)/\(name)"))
    #expect(refusal.contains(word), "\(refusal)")
  }

  /// Each other case gives the base's logits, or says what stands in the way.
  @Test(.enabled(if: Self.folder != nil, "MARTLET_DATA names no folder with the shared data"))
  func everyFolderIsReadOrNamed() throws {
    let folder = try #require(Self.folder)
    let truth = try ModelCases.truth("st")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix("st_") }
    #expect(names.count >= 17)
    // A further tensor of a type that nothing is computed with, or of no weight, is no obstacle.
    let besides: Set = ["st_C64", "st_F4", "st_F8", "st_I8", "st_U32", "st_U64", "st_scalar", "st_zero_size"]
    #expect(besides.isSubset(of: names))
    for name in besides {
      let loaded = try ModelLoading.load(Checkpoint.open("\(folder)/\(name)"))
      #expect(
        loaded.description.remarks.contains { $0.contains("x is not a weight of the model and is ignored") }, "\(name)")
    }
    for name in names.sorted() {
      if !besides.contains(name), let refusal = ModelCases.refusal("\(folder)/\(name)") {
        #expect(refusal.contains(name), "\(refusal)")
        continue
      }
      let tolerance: Float = name.hasSuffix("bf16") ? 0.1 : name.hasSuffix("f16") ? 0.01 : 2e-5
      #expect(try TestData.largestDifference(ModelCases.last("\(folder)/\(name)"), truth) < tolerance, "\(name)")
    }
  }

  @Test func rotaryScalingEqualsTransformers() throws {
    let scratch = try TestData.Scratch()
    let settings = try ModelCases.settings()
    #expect(settings.count == 9)
    for (name, configuration) in settings.sorted(by: { $0.key < $1.key }) {
      let truth = try ModelCases.truth(name)
      let folder = try ModelCases.hub(scratch, of: TestData.fixtures + "/llama")
      func gap(_ object: [String: Any]) throws -> Float {
        try JSONSerialization.data(withJSONObject: object).write(to: URL(fileURLWithPath: folder + "/config.json"))
        return try TestData.largestDifference(ModelCases.last(folder), truth)
      }
      #expect(try gap(configuration) < 2e-5, "\(name)")
      // As versions before 5 spell it.
      var older = configuration
      var scaling = try #require(older.removeValue(forKey: "rope_parameters") as? [String: Any])
      older["rope_theta"] = scaling.removeValue(forKey: "rope_theta")
      older["rope_scaling"] = scaling
      #expect(try gap(older) < 2e-5, "\(name), older")
      scaling["type"] = scaling.removeValue(forKey: "rope_type")
      older["rope_scaling"] = scaling
      #expect(try gap(older) < 2e-5, "\(name), oldest")
      // What Martlet writes says the same again.
      let model = try #require(ModelLoading.load(Checkpoint.open(folder), options: .init(format: .f32)) as? Llama)
      #expect(try gap(model.configuration.hubConfiguration(isTied: true)) < 2e-5, "\(name), written")
      if scaling["truncate"] as? Bool == false {
        #expect(throws: ModelError.self) { try Conversion(Checkpoint.open(folder), to: .gguf, format: nil) }
        continue
      }
      try Conversion(Checkpoint.open(folder), to: .gguf, format: nil).write(to: scratch.file("a.gguf"))
      #expect(try TestData.largestDifference(ModelCases.last(scratch.file("a.gguf")), truth) < 2e-5, "\(name), GGUF")
    }
  }

  @Test func contextsEndWhereScalingsWouldChange() throws {
    let scratch = try TestData.Scratch()
    let settings = try ModelCases.settings()
    for (name, context) in [("hub-longrope", 64), ("hub-dynamic", 256), ("hub-yarn", 256)] {
      let folder = try ModelCases.hub(
        scratch, of: TestData.fixtures + "/llama", try #require(settings[name]).mapValues { Optional($0) })
      let model = try ModelLoading.load(Checkpoint.open(folder))
      #expect(model.description.contextLength == context)
      #expect(model.description.remarks.isEmpty == (name == "hub-yarn"))
    }
  }

  @Test(arguments: [
    (#"{"hidden_act": "gelu_pytorch_tanh"}"#, "hidden_act"), (#"{"rms_norm_eps": -1e-6}"#, "epsilon"),
    (#"{"rms_norm_eps": "small"}"#, "rms_norm_eps"), (#"{"rope_scaling": {"factor": 2}}"#, "rope_type"),
    (#"{"rope_scaling": {"type": "linear"}}"#, "factor"),
    (#"{"rope_scaling": {"type": "linear", "factor": -1}}"#, "factor"),
    (#"{"rope_scaling": {"type": "linear", "factor": "2"}}"#, "factor"),
    (#"{"rope_scaling": {"type": "yarn2", "factor": 2}}"#, "yarn2"),
    (#"{"rope_scaling": {"rope_type": "longrope", "short_factor": [1], "long_factor": [1]}}"#, "short_factor"),
    (
      #"{"rope_scaling": {"rope_type": "llama3", "factor": 2, "low_freq_factor": 4, "high_freq_factor": 1}}"#,
      "high_freq"
    ),
    (#"{"rope_scaling": 2}"#, "rope_scaling"), (#"{"rope_parameters": "linear"}"#, "rope_parameters"),
    (#"{"rope_scaling": {"short_factor": [1], "long_factor": [1]}}"#, "long_factor"),
    (#"{"rope_scaling": {"beta_fast": 32}}"#, "beta_fast"), (#"{"rope_scaling": {"type": 1}}"#, "type"),
    (#"{"rope_scaling": {"low_freq_factor": 1}}"#, "low_freq_factor"),
    (#"{"rope_scaling": {"original_max_position_embeddings": 64}}"#, "original_max_position_embeddings"),
    (
      #"{"rope_scaling": {"rope_type": "llama3", "factor": 2, "low_freq_factor": 1, "high_freq_factor": 4}}"#,
      "original_max_position_embeddings"
    ),
    (
      #"{"rope_scaling": {"rope_type": "longrope", "original_max_position_embeddings": 1}}"#,
      "original_max_position_embeddings"
    ),
    (#"{"rope_parameters": {"full_attention": {"rope_type": "default"}}}"#, "full_attention"),
    (#"{"rope_theta": 0}"#, "rotary base"), (#"{"rope_theta": "big"}"#, "rope_theta"),
    (#"{"partial_rotary_factor": 0}"#, "rotated"), (#"{"partial_rotary_factor": 1.5}"#, "rotated"),
    (#"{"mlp_bias": true}"#, "gate_proj.bias"), (#"{"num_local_experts": 8}"#, "mixture of 8 experts"),
    (#"{"quantization_config": {"quant_method": "awq"}}"#, "awq"),
    (#"{"quantization_config": {"load_in_4bit": true, "quant_method": "bitsandbytes"}}"#, "bitsandbytes"),
    (#"{"final_logit_softcapping": 30}"#, "final_logit_softcapping"),
    (#"{"embedding_multiplier": 12}"#, "embedding_multiplier"),
    (#"{"logit_scale": 0.06}"#, "logit_scale"), (#"{"layer_types": ["linear_attention"]}"#, "linear_attention"),
    (#"{"tie_word_embeddings": false}"#, "lm_head.weight"), (#"{"head_dim": 1099511627776}"#, "head_dim"),
    (#"{"head_dim": 4294967296}"#, "head_dim"), (#"{"head_dim": 2147483646}"#, "2147483646"),
    (#"{"hidden_size": 1099511627776}"#, "hidden_size"), (#"{"num_hidden_layers": 2147483647}"#, "layers"),
    (#"{"num_attention_heads": 0}"#, "num_attention_heads"), (#"{"num_key_value_heads": 3}"#, "heads"),
    (#"{"intermediate_size": 4.5}"#, "intermediate_size"), (#"{"max_position_embeddings": -1}"#, "max_position"),
    (#"{"model_type": "gemma2"}"#, "gemma2"), (#"{"model_type": "qwen3"}"#, "q_norm"),
    (#"{"model_type": "qwen2"}"#, "q_proj.bias"),
  ]) func whatIsNotDoneIsNamed(change: String, word: String) throws {
    let scratch = try TestData.Scratch()
    let object = try #require(JSONSerialization.jsonObject(with: Data(change.utf8)) as? [String: Any])
    var changes = object.mapValues { Optional($0) }
    if object["rope_scaling"] != nil { changes["rope_parameters"] = .some(nil) }
    for key in ["rope_theta", "partial_rotary_factor"] where object[key] != nil {
      changes["rope_parameters"] = .some(nil)
    }
    let folder = try ModelCases.hub(scratch, of: TestData.fixtures + "/llama", changes)
    let refusal = try #require(ModelCases.refusal(folder))
    #expect(refusal.contains(word), "\(refusal)")
    #expect(!refusal.contains("\n"))
  }

  @Test func bothSpellingsOfScalingSayTheSame() throws {
    let scratch = try TestData.Scratch()
    func refusal(_ parameters: [String: Any], _ scaling: [String: Any]?) throws -> String? {
      let changes: [String: Any?] = ["rope_parameters": parameters, "rope_scaling": scaling]
      return ModelCases.refusal(try ModelCases.hub(scratch, of: TestData.fixtures + "/llama", changes))
    }
    let linear: [String: Any] = ["rope_type": "linear", "factor": 2, "rope_theta": 10_000]
    #expect(try refusal(linear, nil) == nil)
    #expect(try refusal(linear, ["type": "linear", "factor": 2.0]) == nil)
    for other: [String: Any] in [
      ["type": "linear", "factor": 4], ["type": "dynamic", "factor": 2], [:],
      ["type": "linear", "factor": 2, "rope_theta": 500_000],
    ] {
      let words = try #require(try refusal(linear, other))
      #expect(words.contains("rope_parameters") && words.contains("rope_scaling"), "\(words)")
    }
  }

  @Test func sizesThatAreAbsentAreTransformersDefaults() throws {
    let scratch = try TestData.Scratch()
    func model(_ name: String, _ changes: [String: Any?]) throws -> Llama {
      try #require(
        ModelLoading.load(Checkpoint.open(ModelCases.hub(scratch, of: TestData.fixtures + "/" + name, changes)))
          as? Llama)
    }
    #expect(try model("llama", ["rms_norm_eps": nil]).configuration.normEpsilon == 1e-6)
    #expect(try model("llama", ["max_position_embeddings": nil]).configuration.contextLength == 2048)
    #expect(try model("mistral", ["max_position_embeddings": nil]).configuration.contextLength == 131_072)
    #expect(
      try model("mistral", ["max_position_embeddings": 8192, "sliding_window": nil]).configuration.contextLength == 4096
    )
    #expect(try model("mistral", ["sliding_window": 100]).configuration.contextLength == 100)
    #expect(try model("qwen2", ["sliding_window": 100, "use_sliding_window": nil]).configuration.contextLength == 256)
    #expect(try model("qwen2", ["sliding_window": 100, "use_sliding_window": true]).configuration.contextLength == 100)
  }

  @Test(arguments: ["model.layers.0.self_attn.rotary_emb.inv_freq", "model.embeddings.position_ids"])
  func buffersAreHarmless(name: String) throws {
    try expect(name, isRefused: false)
  }

  @Test(arguments: [
    "model.layers.0.self_attn.q_proj.lora_A.weight", "model.layers.0.self_attn.q_norm.weight", "x",
    "model.layers.0.self_attn.sinks", "model.layers.2.input_layernorm.weight", "model.layers.0.mlp.gate_proj.scales",
  ]) func noTensorIsPassedOver(name: String) throws {
    try expect(name, isRefused: true)
  }

  private func expect(_ name: String, isRefused: Bool) throws {
    let scratch = try TestData.Scratch(), folder = try ModelCases.hub(scratch, of: TestData.fixtures + "/llama")
    let source = try Checkpoint.open(TestData.fixtures + "/llama")
    let list = try source.names.map(source.tensor)
    try Safetensors.write(
      to: folder + "/model.safetensors", tensors: list.map { ($0.name, $0.type, $0.shape) } + [(name, .f32, [2])]
    ) { index, write in
      if index < list.count { return try write(list[index].bytes) }
      try [Float(1), 1].withUnsafeBytes { try write($0) }
    }
    let refusal = ModelCases.refusal(folder)
    #expect((refusal != nil) == isRefused && (refusal?.contains(name) ?? true), "\(refusal ?? "loaded")")
    if name.contains("lora") { #expect(refusal?.contains("adapter") == true) }
  }

  @Test func doublesAreReadAsFloats() throws {
    let scratch = try TestData.Scratch(), folder = try ModelCases.hub(scratch, of: TestData.fixtures + "/llama")
    let source = try Checkpoint.open(TestData.fixtures + "/llama")
    let list = try source.names.map(source.tensor)
    try Safetensors.write(to: folder + "/model.safetensors", tensors: list.map { ($0.name, .f64, $0.shape) }) {
      try list[$0].floats().map(Double.init).withUnsafeBytes($1)
    }
    let truth = try ModelCases.last(TestData.fixtures + "/llama")
    #expect(try ModelCases.last(folder) == truth)
    #expect(try ModelCases.last(folder, format: nil) == truth)
  }
}
