import Foundation
import MartletCheckpoints
import MartletData
import MartletTensor
import MartletTestSupport
import MartletTokenizers
import Testing

@testable import MartletModels

/// What is written can be read, from every container into every other, with the same logits.
struct ConversionTests {
  private func convert(_ source: String, to target: String, _ container: Conversion.Container) throws {
    let conversion = try Conversion(Checkpoint.open(source), to: container, format: .f32)
    try FileManager.default.createDirectory(
      atPath: (target as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try conversion.write(to: target)
  }

  private func logits(_ path: String) throws -> [Float] {
    let model = try ModelLoading.load(Checkpoint.open(path), options: .init(format: .f32))
    return model.forward(Batch(RWKV5Tests.tokens, state: model.makeState(), outputs: .all)).values
  }

  @Test(arguments: ["llama", "llama3", "qwen2", "mistral"], Conversion.Container.allCases)
  func everyPairOfContainersKeepsTheLogits(name: String, first: Conversion.Container) throws {
    let scratch = try TestData.Scratch()
    let source = TestData.fixtures + "/" + name, truth = try TestData.floats(source + "/logits")
    let one = scratch.file("one/model." + first.rawValue)
    try convert(source, to: one, first)
    #expect(try TestData.largestDifference(logits(one), truth) < 2e-5)
    for second in Conversion.Container.allCases {
      let two = scratch.file("\(second)/model." + second.rawValue)
      try convert(one, to: two, second)
      #expect(try TestData.largestDifference(logits(two), truth) < 2e-5, "\(first) to \(second)")
      let files = Set(try FileManager.default.contentsOfDirectory(atPath: scratch.file("\(second)")))
      #expect(files.contains("config.json") == (second != .gguf), "\(files)")
    }
  }

  /// Loading the hub's scalings is held to transformers in HubCaseTests; here nothing of them is lost on the way.
  @Test(arguments: [
    #"{"rope_type": "linear", "factor": 4.0}"#, #"{"rope_type": "dynamic", "factor": 4.0}"#,
    #"{"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16}"#,
    #"{"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 16}"#,
    #"{"rope_type": "longrope", "short_factor": [1, 1.5, 2, 3, 4, 5], "long_factor": [1, 1.5, 2, 3, 4, 5], "factor": 1}"#,
    #"{"rope_type": "longrope", "short_factor": [1, 1.5, 2, 3, 4, 5], "long_factor": [2, 2, 2, 3, 4, 9], "factor": 4.0, "original_max_position_embeddings": 64}"#,
  ])
  func rotaryScalingIsKept(scaling: String) throws {
    let scratch = try TestData.Scratch()
    let source = scratch.file("source")
    try FileManager.default.copyItem(atPath: TestData.fixtures + "/llama", toPath: source)
    let plain = try logits(source)
    let file = URL(fileURLWithPath: source + "/config.json")
    var object = try #require(JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
    object["rope_parameters"] = nil
    object["rope_scaling"] = try JSONSerialization.jsonObject(with: Data(scaling.utf8))
    try JSONSerialization.data(withJSONObject: object).write(to: file)
    let truth = try logits(source)
    #expect(scaling.contains("dynamic") == (TestData.largestDifference(truth, plain) < 1e-3))
    var path = source
    for (step, container) in [Conversion.Container.gguf, .safetensors, .gguf, .pth, .gguf].enumerated() {
      let next = scratch.file("\(step)/model." + container.rawValue)
      try convert(path, to: next, container)
      #expect(try TestData.largestDifference(logits(next), truth) < 2e-5, "step \(step), \(container)")
      path = next
    }
  }

  @Test(arguments: ["5.0", "5.1", "5.2"], Conversion.Container.allCases)
  func everyPairKeepsRWKV(version: String, first: Conversion.Container) throws {
    let scratch = try TestData.Scratch()
    let source = TestData.fixtures + "/rwkv-\(version)", truth = try TestData.floats(source + ".logits")
    let one = scratch.file("one." + first.rawValue)
    try convert(source + ".pth", to: one, first)
    for second in Conversion.Container.allCases {
      let two = scratch.file("two." + second.rawValue)
      try convert(one, to: two, second)
      #expect(try TestData.largestDifference(logits(two), truth) < 2e-5, "\(first) to \(second)")
    }
  }

  @Test func shardsAreJoinedAndTheConfigurationGoesAlong() throws {
    let scratch = try TestData.Scratch()
    let source = TestData.fixtures + "/llama", whole = try Checkpoint.open(source)
    for (place, part) in [whole.names.prefix(9), whole.names.dropFirst(9)].enumerated() {
      let tensors = try part.map(whole.tensor)
      try Safetensors.write(
        to: scratch.file("model-0000\(place + 1)-of-00002.safetensors"),
        tensors: tensors.map { ($0.name, $0.type, $0.shape) }
      ) { try $1(tensors[$0].bytes) }
    }
    var map: [String: String] = [:]
    for (place, name) in whole.names.enumerated() { map[name] = "model-0000\(place < 9 ? 1 : 2)-of-00002.safetensors" }
    try JSONSerialization.data(withJSONObject: ["weight_map": map]).write(
      to: URL(fileURLWithPath: scratch.file("model.safetensors.index.json")))
    try FileManager.default.copyItem(atPath: source + "/config.json", toPath: scratch.file("config.json"))
    try scratch.write(Array(#"{"do_sample": true}"#.utf8), to: "generation_config.json")
    try convert(scratch.path, to: scratch.file("out/model.safetensors"), .safetensors)
    #expect(try TestData.largestDifference(logits(scratch.file("out")), TestData.floats(source + "/logits")) < 2e-5)
    #expect(
      FileManager.default.contents(atPath: scratch.file("out/generation_config.json"))
        == Data(#"{"do_sample": true}"#.utf8))
  }

  /// What lies beside the target may be of another model.
  @Test(arguments: ["config.json", "generation_config.json", "tokenizer.json"])
  func filesOfOthersAreReplacedByPermissionAlone(name: String) throws {
    let scratch = try TestData.Scratch()
    try FileManager.default.copyItem(atPath: TestData.fixtures + "/llama", toPath: scratch.file("in"))
    try scratch.write(Array(#"{"do_sample": true}"#.utf8), to: "in/generation_config.json")
    try FileManager.default.copyItem(
      atPath: TestData.fixtures + "/smollm.tokenizer.json", toPath: scratch.file("in/tokenizer.json"))
    try FileManager.default.createDirectory(atPath: scratch.file("out"), withIntermediateDirectories: true)
    try scratch.write(Array("mine".utf8), to: "out/" + name)
    let path = scratch.file("out/model.safetensors")
    let conversion = try Conversion(Checkpoint.open(scratch.file("in")), to: .safetensors, format: .f16)
    #expect(
      performing: { try conversion.write(to: path, replaces: false) },
      throws: { "\($0)".contains("out/\(name)") && "\($0)".contains("--force") })
    #expect(FileManager.default.contents(atPath: scratch.file("out/" + name)) == Data("mine".utf8))
    #expect(!FileManager.default.fileExists(atPath: path))
    try conversion.write(to: path, replaces: true)
    #expect(FileManager.default.contents(atPath: scratch.file("out/" + name)) != Data("mine".utf8))
    // The same files are no obstacle.
    try FileManager.default.removeItem(atPath: path)
    try conversion.write(to: path, replaces: false)
  }

  @Test func theTypeInTheConfigurationIsTheOneWritten() throws {
    let scratch = try TestData.Scratch()
    let conversion = try Conversion(
      Checkpoint.open(TestData.fixtures + "/llama"), to: .safetensors, format: .bf16)
    try conversion.write(to: scratch.file("model.safetensors"))
    let configuration = try #require(TestData.json(scratch.file("config.json")) as? [String: Any])
    #expect((configuration["dtype"] ?? configuration["torch_dtype"]) as? String == "bfloat16")
  }

  /// The fixture's rows are shorter than a block of 256.
  @Test func matricesThatCannotHaveAFormatAreTold() throws {
    let checkpoint = try Checkpoint.open(TestData.fixtures + "/llama")
    let conversion = try Conversion(checkpoint, to: .gguf, format: .q4_K)
    let told = conversion.substitutes, scratch = try TestData.Scratch()
    #expect(!told.isEmpty && told.allSatisfy { $0.type != "q4_K" })
    try conversion.write(to: scratch.file("model.gguf"))
    let written = try Checkpoint.open(scratch.file("model.gguf"))
    for (type, count) in told {
      #expect(written.tensors.values.count { "\($0.type)" == type && $0.shape.count == 2 } == count, "\(type)")
    }
    #expect(try Conversion(checkpoint, to: .gguf, format: .f16).substitutes.isEmpty)
  }

  @Test func sentencePieceBecomesATokenizerFile() throws {
    let scratch = try TestData.Scratch()
    let checkpoint = try Checkpoint.open(TestData.fixtures + "/sentencepiece.gguf")
    let bytes = try #require(try TokenizerLoading.hubTokenizer(of: checkpoint))
    try scratch.write(bytes, to: "tokenizer.json")
    let own = try TokenizerLoading.open(TestData.fixtures + "/sentencepiece.gguf")
    let written = try TokenizerLoading.open(scratch.file("tokenizer.json"))
    let cases = try #require(TestData.json(TestData.fixtures + "/sentencepiece.cases.json") as? [[String: Any]])
    #expect(cases.count > 10)
    for text in cases.compactMap({ $0["text"] as? String }) {
      let right = own.encode(Array(text.utf8), special: false)
      #expect(written.encode(Array(text.utf8), special: false) == right, "\(text)")
      #expect(written.decode(right) == own.decode(right), "\(text)")
    }
  }

  /// A GGUF file of an architecture that is not run can be copied, but its rows have an order that nobody knows.
  @Test func aCopyOfAnUnknownArchitectureTakesNoChange() throws {
    let scratch = try TestData.Scratch()
    let source = scratch.file("model.gguf")
    try convert(TestData.fixtures + "/llama", to: source, .gguf)
    var bytes = try Data(contentsOf: URL(fileURLWithPath: source))
    let name = try #require(bytes.range(of: Data("general.architecture".utf8)))
    let value = name.upperBound + 12  // behind the type and the length
    #expect(bytes[value..<value + 5].elementsEqual("llama".utf8))
    bytes.replaceSubrange(value..<value + 5, with: Data("lemma".utf8))
    try bytes.write(to: URL(fileURLWithPath: source))
    var conversion = try Conversion(Checkpoint.open(source), to: .gguf, format: nil)
    try conversion.add([:])
    let error = #expect(throws: FileError.self) {
      try conversion.add(["lm_head.weight": WeightChange(rowShares: [])])
    }
    #expect(error?.message.contains("lemma") == true, "\(String(describing: error))")
    try conversion.write(to: scratch.file("copy.gguf"))
  }

  @Test func damageAndWrongKindsAreSaid() throws {
    let scratch = try TestData.Scratch()
    let source = TestData.fixtures + "/llama", whole = try Checkpoint.open(source)
    let tensors = try whole.names.map(whole.tensor)
    try Safetensors.write(
      to: scratch.file("model.safetensors"), tensors: tensors.map { ($0.name, .f32, $0.shape) }
    ) { index, write in
      var values = try tensors[index].floats()
      if tensors[index].name.hasSuffix("up_proj.weight") { values[3] = .nan }
      try values.withUnsafeBytes { try write($0) }
    }
    try FileManager.default.copyItem(atPath: source + "/config.json", toPath: scratch.file("config.json"))
    // Rounded or copied as it is.
    for (format, container) in [(WeightFormat.f16, Conversion.Container.gguf), (.f32, .safetensors), (.f32, .pth)] {
      #expect {
        let conversion = try Conversion(Checkpoint.open(scratch.path), to: container, format: format)
        try conversion.write(to: scratch.file("out." + container.rawValue))
      } throws: {
        "\($0)".contains("NaN") && "\($0)".contains("up_proj")
      }
    }
    #expect(ModelSummary(try Checkpoint.open(scratch.path)).problem?.problem.contains("NaN") == true)
    try PyTorch.write(to: scratch.file("state.pth"), tensors: [("blocks.0.att.time_state", .f32, [2, 4, 4])]) {
      _, write in
      try [Float](repeating: 0, count: 32).withUnsafeBytes { try write($0) }
    }
    for container in Conversion.Container.allCases {
      #expect {
        try Conversion(Checkpoint.open(scratch.file("state.pth")), to: container, format: nil)
      } throws: { "\($0)".contains("initial states") }
    }
  }

  /// A summary judges as loading does.
  @Test(arguments: ["llama", "qwen2", "mistral"]) func inspectionRefusesWhatLoadingRefuses(name: String) throws {
    #expect(ModelSummary(try Checkpoint.open(TestData.fixtures + "/" + name)).problem == nil)
    let scratch = try TestData.Scratch()
    let source = TestData.fixtures + "/" + name, whole = try Checkpoint.open(source)
    for left in ["q_proj.weight", "norm.weight", "k_proj.weight"] {
      let tensors = try whole.names.map(whole.tensor)
      let gone = try #require(tensors.last { $0.name.hasSuffix(left) })
      let rest = tensors.filter { $0.name != gone.name }
      let folder = scratch.file(left)
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try Safetensors.write(to: folder + "/model.safetensors", tensors: rest.map { ($0.name, $0.type, $0.shape) }) {
        try $1(rest[$0].bytes)
      }
      try FileManager.default.copyItem(atPath: source + "/config.json", toPath: folder + "/config.json")
      let said = ModelSummary(try Checkpoint.open(folder)).problem?.description
      #expect(said == ModelCases.refusal(folder), "\(left)")
      #expect(said != nil)
    }
  }
}
