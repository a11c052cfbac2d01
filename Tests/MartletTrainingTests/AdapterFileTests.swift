import Foundation
import MartletCheckpoints
import MartletLayers
import MartletModels
import MartletTensor
import MartletTestSupport
import Testing

@testable import MartletTraining

/// Adapters of every kind that PEFT's LoRA has mean what PEFT computes with them
/// (Tests/Fixtures/adapters.safetensors, made by Scripts/make_adapter_fixture.py).
struct AdapterFileTests {
  private struct Fixture {
    let file: Checkpoint
    let configurations: [String: String]
    let bases: [String: String]
    let tokens: [Int]

    init() throws {
      file = try Safetensors.open(TestData.fixtures + "/adapters.safetensors")
      let facts = try #require(
        JSONSerialization.jsonObject(with: Data((file.metadata["facts"]?.string ?? "").utf8)) as? [String: Any])
      configurations = try #require(facts["configurations"] as? [String: String])
      bases = try #require(facts["bases"] as? [String: String])
      tokens = try #require(facts["tokens"] as? [Int])
    }

    /// Writes the base model or adapter `name` as a folder.
    func write(
      _ name: String, to folder: String, configuration changes: [String: Any?] = [:],
      renamed: (String) -> String? = { $0 }, values: (String, [Float]) -> [Float] = { $1 }
    ) throws {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      let isBase = bases[name] == nil
      var object = try #require(
        JSONSerialization.jsonObject(with: Data((configurations[name] ?? "").utf8)) as? [String: Any])
      for (key, value) in changes { object[key] = value }
      // The order of a file's patterns counts: what is not changed is written as it stands.
      let text = Data((configurations[name] ?? "").utf8)
      try (changes.isEmpty ? text : JSONSerialization.data(withJSONObject: object)).write(
        to: URL(fileURLWithPath: folder + (isBase ? "/config.json" : "/adapter_config.json")))
      let prefix = name + "/"
      let tensors = try file.names.filter { $0.hasPrefix(prefix) && $0 != prefix + "logits" }.compactMap { key in
        try renamed(String(key.dropFirst(prefix.count))).map { ($0, try file.tensor(key)) }
      }
      try Safetensors.write(
        to: folder + (isBase ? "/model.safetensors" : "/adapter_model.safetensors"),
        tensors: tensors.map { ($0.0, .f32, $0.1.shape) }, metadata: ["format": "pt"]
      ) { index, write in
        try values(tensors[index].0, tensors[index].1.floats()).withUnsafeBytes { try write($0) }
      }
    }

    func logits(_ model: any TrainableModel) -> [Float] {
      model.forward(Batch(tokens, state: model.makeState(), outputs: .all)).values
    }

    func difference(_ model: any TrainableModel, from name: String) throws -> Float {
      TestData.largestDifference(logits(model), try file.tensor(name + "/logits").floats())
    }
  }

  static let kinds = [
    "lora", "alpha_pattern", "rank_pattern", "pattern_order", "rslora", "pissa", "olora", "pissa_dora", "gaussian",
    "dora", "dora_bias", "lora_bias", "lora_bias_alone", "bias_all", "head", "tied_head", "embeddings",
    "tied_embeddings", "dora_embeddings", "saved_head", "saved_tied_head", "saved_embeddings", "saved_norms",
    "saved_layers", "fan_in_fan_out", "layers", "excluded", "expression", "all_linear",
  ]
  /// Largest difference to PEFT's logits, which lie below 4. PEFT decomposes for PiSSA and OLoRA in single precision.
  /// An alpha of 64 multiplies what single precision rounds: 3e-6 was measured.
  private static func tolerance(_ name: String) -> Float {
    name == "alpha_pattern" ? 5e-6 : name.hasPrefix("pissa") || name == "olora" ? 2e-5 : 2e-6
  }

  @Test(arguments: kinds) func everyKindIsWhatPEFTComputes(name: String) throws {
    let fixture = try Fixture(), scratch = try TestData.Scratch()
    try fixture.write(fixture.bases[name] ?? "", to: scratch.file("base"))
    try fixture.write(name, to: scratch.file("adapter"))
    let checkpoint = try Checkpoint.open(scratch.file("base"))
    var model = try ModelLoading.loadTrainable(checkpoint, options: .init(format: .f32), frozen: true)
    let fingerprint = model.description.fingerprint
    #expect(try fixture.difference(model, from: name) > 1e-3, "the adapter must do something")
    let loaded = try AdapterFile.load(scratch.file("adapter"), into: &model)
    #expect(try fixture.difference(model, from: name) < Self.tolerance(name))
    #expect(model.description.fingerprint != fingerprint, "what is kept for the base must not be taken for its own")
    // These differ from plain LoRA in nothing but the layers they are on.
    let plain = ["lora", "gaussian", "head", "tied_head", "fan_in_fan_out", "all_linear"]
    #expect(plain.contains(name) || !loaded.notes.isEmpty, "\(loaded.notes)")
    // Merged into every container, with a head that leaves the embeddings where it must.
    for container in Conversion.Container.allCases {
      var conversion = try Conversion(checkpoint, to: container, format: .f32)
      if name == "lora_bias_alone" {
        #expect(throws: ModelError.self) { try conversion.add(loaded.changes) }
        continue
      }
      try conversion.add(loaded.changes)
      #expect(conversion.isUntied == ["tied_head", "saved_tied_head", "tied_embeddings"].contains(name))
      let target = scratch.file("\(container)")
      try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
      try conversion.write(to: target + "/model." + container.rawValue)
      let merged = try ModelLoading.loadTrainable(Checkpoint.open(target), options: .init(format: .f32), frozen: true)
      #expect(try fixture.difference(merged, from: name) < Self.tolerance(name), "\(container)")
      let trial = MergeTrial(
        base: model, adapted: model, changes: loaded.changes, tokens: fixture.tokens
      ).outcome { conversion.writtenFormat(of: $0) }
      #expect(trial.fits && trial.divergence < 1e-7, "the trial is the merged model: \(trial)")
    }
  }

  @Test func aTrialMeasuresTheRoundingOfWeightsAlone() throws {
    let fixture = try Fixture(), scratch = try TestData.Scratch()
    try fixture.write("plain", to: scratch.file("base"))
    try fixture.write("lora", to: scratch.file("adapter"))
    let checkpoint = try Checkpoint.open(scratch.file("base"))
    let options = LoadedModel.Options(format: .f32)
    let base = try ModelLoading.loadTrainable(checkpoint, options: options, frozen: true)
    var adapted = base
    let loaded = try AdapterFile.load(scratch.file("adapter"), into: &adapted)
    var conversion = try Conversion(checkpoint, to: .safetensors, format: .f32)
    try conversion.add(loaded.changes)
    try FileManager.default.createDirectory(atPath: scratch.file("merged"), withIntermediateDirectories: true)
    try conversion.write(to: scratch.file("merged/model.safetensors"))
    // Rounded while it is loaded, and run in single precision; the kernels of bf16 round activations too.
    var merged: [String: Linear] = [:]
    var packed = try ModelLoading.loadTrainable(
      Checkpoint.open(scratch.file("merged")), options: .init(format: .bf16), frozen: true)
    packed.visitLinears { name, linear in
      guard loaded.changes[name + ".weight"] != nil else { return }
      merged[name] = Linear(weight: .dense(linear.weight.dense()), bias: linear.bias)
    }
    var rounded = base
    rounded.visitLinears { $1 = merged[$0] ?? $1 }
    let outcome = MergeTrial(base: base, adapted: adapted, changes: loaded.changes, tokens: fixture.tokens)
      .outcome { loaded.changes[$0] == nil ? nil : .bf16 }
    let expected = Self.divergence(fixture.logits(adapted), fixture.logits(rounded), rows: fixture.tokens.count)
    #expect(expected > 1e-8 && abs(outcome.divergence - expected) < 0.05 * expected, "\(outcome) \(expected)")
  }

  /// Mean Kullback-Leibler divergence of rows of logits.
  private static func divergence(_ p: [Float], _ q: [Float], rows: Int) -> Double {
    func logarithms(_ row: ArraySlice<Float>) -> [Double] {
      let total = log(row.reduce(0) { $0 + exp(Double($1)) })
      return row.map { Double($0) - total }
    }
    let width = p.count / rows
    return (0..<rows).reduce(0) { sum, row in
      let range = row * width..<(row + 1) * width
      return zip(logarithms(p[range]), logarithms(q[range])).reduce(sum) { $0 + exp($1.0) * ($1.0 - $1.1) }
    } / Double(rows)
  }

  @Test(arguments: [
    "module.base_model.model.", "base_model.model._orig_mod.", "", "base_model.model.base_model.model.",
  ])
  func otherWrappersOfNamesFit(prefix: String) throws {
    let fixture = try Fixture(), scratch = try TestData.Scratch()
    try fixture.write("plain", to: scratch.file("base"))
    try fixture.write(
      "lora", to: scratch.file("adapter"),
      renamed: { prefix + $0.replacing("base_model.model.", with: "").replacing(".lora_A.", with: ".lora_A.default.") })
    var model = try ModelLoading.loadTrainable(
      Checkpoint.open(scratch.file("base")), options: .init(format: .f32), frozen: true)
    try AdapterFile.load(scratch.file("adapter"), into: &model)
    #expect(try fixture.difference(model, from: "lora") < 2e-6)
  }

  @Test func defaultsArePEFTs() throws {
    let fixture = try Fixture(), scratch = try TestData.Scratch()
    try fixture.write("plain", to: scratch.file("base"))
    // r = 4 and alpha 8 in the file; without its key alpha is 8, and what is not said of layers is what the file holds.
    try fixture.write("lora", to: scratch.file("adapter"), configuration: ["lora_alpha": nil, "target_modules": nil])
    var model = try ModelLoading.loadTrainable(
      Checkpoint.open(scratch.file("base")), options: .init(format: .f32), frozen: true)
    try AdapterFile.load(scratch.file("adapter"), into: &model)
    #expect(try fixture.difference(model, from: "lora") < 2e-6)
  }

  @Test(arguments: [
    ("alora_invocation_tokens", "[1, 2]"), ("target_parameters", "[\"x\"]"), ("trainable_token_indices", "[1]"),
    ("layer_replication", "[[0, 2]]"), ("use_qalora", "true"), ("kasa_config", "{\"beta\": 1}"),
    ("arrow_config", "{\"top_k\": 1}"), ("megatron_config", "{\"a\": 1}"), ("use_bdlora", "{\"nblocks\": 2}"),
    ("monteclora_config", "{\"num_samples\": 2}"), ("ensure_weight_tying", "true"),
    ("init_lora_weights", "\"pissa_niter_8\""), ("init_lora_weights", "\"loftq\""), ("init_lora_weights", "\"corda\""),
    ("init_lora_weights", "3"), ("peft_type", "\"VERA\""), ("r", "0"), ("r", "5"), ("r", "1e300"),
    ("lora_alpha", "null"), ("lora_alpha", "\"8\""), ("rank_pattern", "{\"q_proj\": 9}"),
    ("rank_pattern", "{\"(\": 4}"), ("alpha_pattern", "{\"q_proj\": \"x\"}"), ("alpha_pattern", "[1]"),
    ("target_modules", "[\"q_proj\"]"), ("target_modules", "\"(q_proj\""), ("exclude_modules", "[\"q_proj\"]"),
    ("layers_to_transform", "[0]"), ("modules_to_save", "[\"mlp\"]"), ("use_dora", "true"), ("lora_bias", "true"),
    ("bias", "\"some\""), ("use_rslora", "1"),
  ])
  func whatIsNotDoneIsRefusedByItsKey(key: String, value: String) throws {
    let fixture = try Fixture(), scratch = try TestData.Scratch()
    try fixture.write("plain", to: scratch.file("base"))
    let object = try JSONSerialization.jsonObject(with: Data(value.utf8), options: .fragmentsAllowed)
    try fixture.write("lora", to: scratch.file("adapter"), configuration: [key: object])
    var model = try ModelLoading.loadTrainable(Checkpoint.open(scratch.file("base")), frozen: true)
    do {
      try AdapterFile.load(scratch.file("adapter"), into: &model)
      Issue.record("\(key) = \(value) was taken")
    } catch {
      // A rank that the tensors do not have is told by the tensor.
      let said = "\(error)"
      #expect(said.contains(key) || (key.hasPrefix("r") && said.contains("has shape")), "\(said)")
    }
  }

  @Test func brokenFilesAreRefused() throws {
    let fixture = try Fixture(), scratch = try TestData.Scratch()
    try fixture.write("plain", to: scratch.file("base"))
    let base = try Checkpoint.open(scratch.file("base"))
    func refusal(
      _ folder: String, renamed: @escaping (String) -> String? = { $0 },
      values: @escaping (String, [Float]) -> [Float] = { $1 }
    ) throws -> String {
      try fixture.write("lora", to: scratch.file(folder), renamed: renamed, values: values)
      var model = try ModelLoading.loadTrainable(base, frozen: true)
      do {
        try AdapterFile.load(scratch.file(folder), into: &model)
        return "taken"
      } catch { return "\(error)" }
    }
    #expect(try refusal("empty", renamed: { _ in nil }).contains("no tensors"))
    let nan = try refusal(
      "nan", values: { name, values in name.contains("1.mlp.up_proj.lora_A") ? [.nan] + values.dropFirst() : values })
    #expect(nan.contains("NaN") && nan.contains("up_proj"))
    #expect(
      try refusal("half", renamed: { $0.contains("0.self_attn.q_proj.lora_B") ? nil : $0 }).contains(
        "lacks one of its two matrices"))
    #expect(try refusal("less", renamed: { $0.contains("0.self_attn.q_proj") ? nil : $0 }).contains("incomplete"))
    let taller = try refusal("taller", renamed: { $0.replacing("layers.1.", with: "layers.7.") })
    #expect(taller.contains("layers.7.") && taller.contains("another model"), "\(taller)")
    #expect(try refusal("strange", renamed: { $0.replacing("lora_B", with: "lora_C") }).contains("lora_C"))
    var model = try ModelLoading.loadTrainable(base, frozen: true)
    #expect(throws: ModelError.self) { try AdapterFile.load(scratch.file("nowhere"), into: &model) }
    // A whole adapter whose training did nothing is said.
    try fixture.write("lora", to: scratch.file("zero"), values: { $0.contains("lora_B") ? $1.map { _ in 0 } : $1 })
    let notes = try AdapterFile.load(scratch.file("zero"), into: &model).notes
    #expect(notes.contains { $0.contains("has no effect: all its lora_B") })
  }

  @Test(arguments: ["rank_pattern", "rslora", "pissa", "excluded"])
  func anAdapterThatIsTrainedFurtherIsWrittenWhole(name: String) throws {
    let fixture = try Fixture(), scratch = try TestData.Scratch()
    try fixture.write("plain", to: scratch.file("base"))
    try fixture.write(name, to: scratch.file("adapter"))
    let base = try Checkpoint.open(scratch.file("base"))
    var model = try ModelLoading.loadTrainable(base, options: .init(format: .f32), frozen: true)
    let loaded = try AdapterFile.load(scratch.file("adapter"), into: &model)
    let settings = try AdapterSettings(continuing: loaded, in: &model, dropout: 0, path: "adapter")
    try AdapterFile.write(model, settings: settings, base: "base", to: scratch.file("again"))
    var again = try ModelLoading.loadTrainable(base, options: .init(format: .f32), frozen: true)
    try AdapterFile.load(scratch.file("again"), into: &again)
    #expect(try fixture.difference(again, from: name) < Self.tolerance(name))
  }

  @Test(arguments: ["dora", "lora_bias", "saved_norms", "embeddings"])
  func whatIsMoreThanLowRankIsNotTrainedFurther(name: String) throws {
    let fixture = try Fixture(), scratch = try TestData.Scratch()
    try fixture.write(fixture.bases[name] ?? "", to: scratch.file("base"))
    try fixture.write(name, to: scratch.file("adapter"))
    var model = try ModelLoading.loadTrainable(Checkpoint.open(scratch.file("base")), frozen: true)
    let loaded = try AdapterFile.load(scratch.file("adapter"), into: &model)
    #expect(throws: TrainingError.self) {
      try AdapterSettings(continuing: loaded, in: &model, dropout: 0, path: "adapter")
    }
  }

  /// The folders of shared cases; PEFT's logits of them are those that Scripts/check_adapters.py compares.
  @Test(
    .enabled(if: TestData.cases != nil, "MARTLET_DATA names no folder with the shared data"),
    arguments: [
      ("empty_file", "no tensors"), ("bin", ""), ("lora_bias", ""), ("modules_to_save", ""), ("no_alpha_key", ""),
      ("pissa", ""), ("alpha_pattern", ""), ("rank_pattern", ""),
    ])
  func sharedCasesAreTakenOrRefused(name: String, words: String) throws {
    let cases = try #require(TestData.cases)
    let folder = cases + "/learning/adapters/"
    var model = try ModelLoading.loadTrainable(
      Checkpoint.open(folder + "base_tiny"), options: .init(format: .f32), frozen: true)
    do {
      try AdapterFile.load(folder + name, into: &model)
      #expect(words.isEmpty)
    } catch { #expect(!words.isEmpty && "\(error)".contains(words), "\(error)") }
  }
}
