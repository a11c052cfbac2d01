import Foundation
import MartletCheckpoints
import MartletData
import MartletTensor
import MartletTestSupport
import Testing

@testable import MartletModels

/// RWKV-5 files as people have them: read right, or refused with the tensor or layer named.
struct RWKV5CaseTests {
  private static let folder = ModelCases.folder.map { $0 + "/rwkv" }

  private static func gap(_ path: String, _ truth: String = "rwkv-base") throws -> Float {
    try TestData.largestDifference(ModelCases.last(path), ModelCases.truth(truth))
  }

  /// The .pth of a case with other tensors (nil takes one away), as .pth or .safetensors.
  private static func variant(
    of name: String, at target: String, _ changes: [String: (shape: [Int], values: [Float])?] = [:],
    rename: (String) -> String = { $0 }
  ) throws {
    let source = try Checkpoint.open(try #require(folder) + "/\(name).pth")
    var list = try source.names.filter { !changes.keys.contains($0) }.map { name in
      let tensor = try source.tensor(name)
      return (name: rename(name), shape: tensor.shape, values: try tensor.floats())
    }
    for (name, tensor) in changes.sorted(by: { $0.key < $1.key }) {
      if let tensor { list.append((name, tensor.shape, tensor.values)) }
    }
    let table = list.map { (name: $0.name, type: FileType.f32, shape: $0.shape) }
    let bytes = { (index: Int, write: (UnsafeRawBufferPointer) throws -> Void) in
      try list[index].values.withUnsafeBytes { try write($0) }
    }
    if target.hasSuffix(".pth") {
      try PyTorch.write(to: target, tensors: table, bytes: bytes)
    } else {
      try Safetensors.write(to: target, tensors: table, bytes: bytes)
    }
  }

  private static func shape(_ name: String) throws -> [Int] { try tensor(name).shape }
  private static func tensor(_ name: String) throws -> CheckpointTensor {
    try Checkpoint.open(try #require(folder) + "/base.pth").tensor(name)
  }

  @Test(.enabled(if: Self.folder != nil, "MARTLET_DATA names no folder with the shared data")) func equalsThePackage()
    throws
  {
    let folder = try #require(Self.folder)
    #expect(try Self.gap(folder + "/base.pth") < 2e-5)
    #expect(try Self.gap(folder + "/with-state.pth", "rwkv-with-state") < 2e-5)
    // ai00's file holds halves.
    #expect(try Self.gap(folder + "/ai00-with-state.st", "rwkv-with-state") < 5e-3)
    if ModelCases.refusal(folder + "/prefix-module.pth")?.contains("module.") != true {
      #expect(try Self.gap(folder + "/prefix-module.pth") < 2e-5)
    }
  }

  @Test(
    .enabled(if: Self.folder != nil, "MARTLET_DATA names no folder with the shared data"),
    arguments: [
      ("middle-layer-missing", "no layer 1"), ("inf-f16", "NaN"), ("no-ln_x", "blocks.0.att.ln_x"),
      ("state-only", "initial states"),
    ]) func isRefused(name: String, word: String) throws
  {
    let folder = try #require(Self.folder)
    let refusal = try #require(ModelCases.refusal("\(folder)/\(name).pth"))
    #expect(refusal.contains(word) && !refusal.contains("RWKV-4"), "\(refusal)")
  }

  /// The small 5.2 as a hub's folder.
  private static func hub(
    _ scratch: TestData.Scratch, configuration: String, twin: String? = nil
  ) throws -> String {
    let source = try Checkpoint.open(TestData.fixtures + "/rwkv-5.2.pth")
    let list = try source.names.map(source.tensor)
    var table = list.map { ($0.name, FileType.f32, $0.shape) }
    if let twin { table.append((twin, .f32, try source.tensor("blocks.0.att.key.weight").shape)) }
    try Safetensors.write(to: scratch.file("model.safetensors"), tensors: table) { index, write in
      let tensor = try index < list.count ? list[index] : source.tensor("blocks.0.att.key.weight")
      try tensor.floats().withUnsafeBytes { try write($0) }
    }
    try configuration.write(toFile: scratch.file("config.json"), atomically: true, encoding: .utf8)
    return scratch.file("model.safetensors")
  }

  @Test(arguments: [
    (#"{"model_type": "rwkv5", "layer_norm_epsilon": 1e-6}"#, "layer_norm_epsilon"),
    (#"{"head_size_divisor": 4}"#, "head_size_divisor"), (#"{"head_size_divisor": "8"}"#, "head_size_divisor"),
    (#"{"model_type": "rwkv5", "quantization_config": {"quant_method": "awq"}}"#, "awq"),
  ]) func whatTheConfigurationAsksForIsNamed(configuration: String, word: String) throws {
    let scratch = try TestData.Scratch()
    let refusal = try #require(ModelCases.refusal(Self.hub(scratch, configuration: configuration)))
    #expect(refusal.contains(word), "\(refusal)")
  }

  @Test func configurationsThatAskForNothingElseAreTaken() throws {
    for configuration in [
      #"{"model_type": "rwkv5", "layer_norm_epsilon": 1e-05, "head_size_divisor": 8, "quantization_config": null}"#,
      #"{"model_type": "llama", "quantization_config": {"quant_method": "awq"}}"#, "{}",
    ] {
      let scratch = try TestData.Scratch()
      #expect(try ModelCases.refusal(Self.hub(scratch, configuration: configuration)) == nil)
    }
  }

  @Test func twoSpellingsOfOneTensorAreNamed() throws {
    let scratch = try TestData.Scratch(), twin = "blocks.0.attention.key.weight"
    let path = try Self.hub(scratch, configuration: "{}", twin: twin)
    let refusal = try #require(ModelCases.refusal(path))
    #expect(refusal.contains("blocks.0.att.key.weight") && refusal.contains(twin), "\(refusal)")
    #expect(try ModelSummary(Checkpoint.open(path)).problem != nil)
  }

  @Test(.enabled(if: Self.folder != nil, "MARTLET_DATA names no folder with the shared data"))
  func valuesBeyondAFormatAreNamed() throws {
    let folder = try #require(Self.folder)
    let path = folder + "/beyond-f16.pth", scratch = try TestData.Scratch()
    // The embeddings are read from the file as they are; elsewhere the values would be lost.
    let model = try ModelLoading.load(Checkpoint.open(path), options: .init(format: .f16))
    #expect(model.description.remarks.contains { $0.contains("emb.weight") && $0.contains("f16") })
    for format in [nil, WeightFormat.f32, .bf16] {
      let model = try ModelLoading.load(Checkpoint.open(path), options: .init(format: format))
      #expect(model.description.remarks.isEmpty)
    }
    let conversion = try Conversion(Checkpoint.open(path), to: .safetensors, format: .f16)
    #expect(throws: FileError.self) { try conversion.write(to: scratch.file("a.safetensors")) }
    // Scales of blocks are halves too.
    var values = try Self.tensor("head.weight").floats()
    values[5] = 1e8
    try Self.variant(of: "base", at: scratch.file("a.pth"), ["head.weight": (try Self.shape("head.weight"), values)])
    for format in [WeightFormat.f16, .q8_0, .q4_0, .q4_1] {
      #expect(ModelCases.refusal(scratch.file("a.pth"), format: format)?.contains("head.weight") == true)
    }
  }

  @Test(.enabled(if: Self.folder != nil, "MARTLET_DATA names no folder with the shared data"))
  func startStatesOfTheirOwn() throws {
    let folder = try #require(Self.folder)
    let model = try #require(
      ModelLoading.load(Checkpoint.open(folder + "/base.pth"), options: .init(format: .f32)) as? RWKV5)
    let tuned = try #require(
      ModelLoading.load(Checkpoint.open(folder + "/with-state.pth"), options: .init(format: .f32)) as? RWKV5)
    let truth = try ModelCases.truth("rwkv-with-state"), scratch = try TestData.Scratch()
    func last(_ path: String) throws -> [Float] {
      let state = try model.startState(from: Checkpoint.open(path))
      #expect(state.position == 0)
      return model.forward(Batch(ModelCases.tokens, state: state)).values
    }
    for name in ["state-only.pth", "with-state.pth"] {
      #expect(try TestData.largestDifference(last("\(folder)/\(name)"), truth) < 2e-5, "\(name)")
    }
    #expect((model.makeState() as? RWKV5State)?.values != (tuned.makeState() as? RWKV5State)?.values)
    // Under the hub's names, and as web-rwkv's converter writes them: the last two axes exchanged.
    try Self.variant(of: "state-only", at: scratch.file("hub.pth")) {
      "rwkv." + $0.replacing(".att.", with: ".attention.")
    }
    #expect(try TestData.largestDifference(last(scratch.file("hub.pth")), truth) < 2e-5)
    let source = try Checkpoint.open(folder + "/state-only.pth")
    var exchanged: [String: (shape: [Int], values: [Float])?] = [:]
    for name in source.names {
      let tensor = try source.tensor(name), size = tensor.shape[2], values = try tensor.floats()
      exchanged[name] = (
        tensor.shape,
        values.indices.map { values[$0 / (size * size) * size * size + $0 % size * size + $0 / size % size] }
      )
    }
    try Self.variant(of: "state-only", at: scratch.file("a.st"), exchanged)
    #expect(try TestData.largestDifference(last(scratch.file("a.st")), truth) < 2e-5)
    // A converted file keeps the state.
    try Conversion(Checkpoint.open(folder + "/ai00-with-state.st"), to: .safetensors, format: nil).write(
      to: scratch.file("b.safetensors"))
    #expect(
      try TestData.largestDifference(
        ModelCases.last(scratch.file("b.safetensors")), ModelCases.last(folder + "/ai00-with-state.st")) < 2e-5)
  }

  @Test(.enabled(if: Self.folder != nil, "MARTLET_DATA names no folder with the shared data"))
  func startStatesThatDoNotFitAreNamed() throws {
    let folder = try #require(Self.folder)
    let model = try #require(ModelLoading.load(Checkpoint.open(folder + "/base.pth")) as? RWKV5)
    let scratch = try TestData.Scratch(), path = scratch.file("a.pth")
    func message(_ path: String) -> String {
      do {
        _ = try model.startState(from: Checkpoint.open(path))
        return "accepted"
      } catch { return "\(error)" }
    }
    #expect(message(folder + "/base.pth").contains("no initial state"))
    try Self.variant(of: "state-only", at: path, ["blocks.1.att.time_state": nil])
    #expect(message(path).contains("blocks.1.att.time_state"))
    try Self.variant(
      of: "state-only", at: path, ["blocks.2.att.time_state": ([2, 32, 32], Array(repeating: 0, count: 2048))])
    #expect(message(path).contains("blocks.2.att.time_state"))
    try Self.variant(
      of: "state-only", at: path, ["blocks.1.att.time_state": ([1, 32, 32], Array(repeating: 0, count: 1024))])
    #expect(message(path).contains("[1, 32, 32]"))
    try Self.variant(
      of: "state-only", at: path, ["blocks.0.att.time_state": ([2, 32, 32], Array(repeating: .nan, count: 2048))])
    #expect(message(path).contains("NaN"))
    let llama = try LoadedModel.load(folder + "/../inference/gguf/base.gguf")
    #expect(throws: ModelError.self) { try llama.readState(path: folder + "/state-only.pth") }
  }

  /// Decays and bonuses with more or fewer axes mean the same.
  @Test func shapesOfDecays() throws {
    guard Self.folder != nil else { return }
    let scratch = try TestData.Scratch(), path = scratch.file("a.pth")
    let decays = try ["blocks.0.att.time_decay", "blocks.1.att.time_decay"].map { ($0, try Self.tensor($0).floats()) }
    let bonuses = try ["blocks.0.att.time_faaaa", "blocks.1.att.time_faaaa"].map { ($0, try Self.tensor($0).floats()) }
    for shape in [[2, 32, 1], [64], [1, 1, 64], [1, 64], [1, 2, 32]] {
      for list in [decays, bonuses] {
        try Self.variant(
          of: "base", at: path, Dictionary(uniqueKeysWithValues: list.map { ($0.0, .some((shape, $0.1))) }))
        #expect(try Self.gap(path) < 2e-5, "\(shape) of \(list[0].0)")
      }
    }
    // All flat: nothing tells two heads of 32 from one of 64, which is every released model's.
    let flat = Dictionary(uniqueKeysWithValues: (decays + bonuses).map { ($0.0, Optional(([64], $0.1))) })
    try Self.variant(of: "base", at: path, flat)
    let model = try #require(ModelLoading.load(Checkpoint.open(path)) as? RWKV5)
    #expect(model.configuration.heads == 1)
    for shape in [[32, 2], [4, 16]] {
      try Self.variant(of: "base", at: path, ["blocks.1.att.time_decay": (shape, decays[1].1)])
      #expect(ModelCases.refusal(path)?.contains("heads") == true, "\(shape)")
    }
    for (shape, count) in [([63], 63), ([3, 32], 96), ([0], 0)] {
      try Self.variant(of: "base", at: path, ["blocks.1.att.time_faaaa": (shape, Array(repeating: 0, count: count))])
      #expect(ModelCases.refusal(path)?.contains("blocks.1.att.time_faaaa") == true, "\(shape)")
    }
  }

  /// Whichever tensor is missing is named; none turns the model into another version.
  @Test(.enabled(if: Self.folder != nil, "MARTLET_DATA names no folder with the shared data"))
  func everyMissingTensorIsNamed() throws {
    let folder = try #require(Self.folder)
    let scratch = try TestData.Scratch(), path = scratch.file("a.pth")
    for name in try Checkpoint.open(folder + "/base.pth").names {
      try Self.variant(of: "base", at: path, [name: nil])
      let refusal = try #require(ModelCases.refusal(path), "\(name)")
      #expect(refusal.contains(name), "\(refusal)")
      #expect(!refusal.contains("RWKV-"), "\(refusal)")
    }
  }

  @Test(arguments: [
    "blocks.0.att.key.lora_A", "blocks.0.att.key.lora.0", "emb.extra", "blocks.0.att.time_mix_x", "blocks.0.ffn.bone",
    "blocks.0.att.key.bias", "blocks.7x.att.key.weight",
  ]) func noTensorIsPassedOver(name: String) throws {
    guard Self.folder != nil else { return }
    let scratch = try TestData.Scratch(), path = scratch.file("a.pth")
    try Self.variant(of: "base", at: path, [name: ([4], [1, 2, 3, 4])])
    let refusal = try #require(ModelCases.refusal(path))
    #expect(refusal.contains(name), "\(refusal)")
  }

  @Test(arguments: [
    ("blocks.0.att.r_k", "RWKV-7"), ("blocks.1.att.x_r", "RWKV-7"), ("blocks.0.att.time_maa_x", "RWKV-6"),
    ("blocks.1.ffn.time_maa_k", "RWKV-6"),
  ]) func laterVersionsAreNamed(name: String, version: String) throws {
    guard Self.folder != nil else { return }
    let scratch = try TestData.Scratch(), path = scratch.file("a.pth")
    try Self.variant(of: "base", at: path, [name: ([64], Array(repeating: 0, count: 64))])
    #expect(ModelCases.refusal(path)?.contains(version) == true)
  }

  @Test(
    .enabled(if: TestData.shared != nil, "MARTLET_DATA names no folder with the shared data"),
    arguments: ["rwkv4", "rwkv4-hub", "rwkv6", "rwkv7"]) func otherVersionsOfTheFamilyAreNamed(name: String) throws
  {
    let shared = try #require(TestData.shared)
    let folder = "\(shared)/family/\(name)" + (name.hasSuffix("hub") ? "" : "/model.pth")
    let refusal = try #require(ModelCases.refusal(folder))
    #expect(refusal.contains("RWKV-\(name.dropFirst(4).prefix(1))"), "\(refusal)")
  }

  @Test(
    .enabled(if: ModelCases.folder != nil, "MARTLET_DATA names no folder with the shared data"),
    arguments: [
      "rwkv_extra", "rwkv_half", "rwkv_missing_ln0", "rwkv_module", "rwkv_deepspeed", "rwkv_time_decay_2d",
    ])
  func wrappersOfTheCases(name: String) throws {
    let cases = try #require(ModelCases.folder)
    let path = "\(cases)/inference/pth/\(name).pth"
    let refusal = ModelCases.refusal(path)
    switch name {
    case "rwkv_extra": #expect(refusal?.contains("emb.extra") == true)
    case "rwkv_missing_ln0": #expect(refusal?.contains("blocks.0.ln0.weight") == true)
    case "rwkv_half": #expect(refusal == nil, "\(refusal ?? "")")
    case "rwkv_time_decay_2d":
      #expect(refusal == nil, "\(refusal ?? "")")
      let model = try #require(ModelLoading.load(Checkpoint.open(path)) as? RWKV5)
      #expect(model.configuration.heads == 2 && model.configuration.version == .v5_2)
    default: #expect(refusal?.contains(name) ?? true)  // unwrapped, or said
    }
  }
}
