import Foundation
import MartletCheckpoints
import MartletTensor
import MartletTestSupport
import Testing

@testable import MartletModels

/// Logits against transformers in float32 (Tests/Fixtures): grouped heads, odd head sizes, biases, Llama 3 scaling.
struct LlamaTests {
  private func load(_ name: String, format: WeightFormat? = .f32) throws -> Llama {
    try #require(
      ModelLoading.load(Checkpoint.open(TestData.fixtures + "/" + name), options: .init(format: format)) as? Llama)
  }

  private func run(_ model: Llama, _ tokens: [Int], step: Int) -> [Float] {
    let state = model.makeState()
    var logits: [Float] = []
    for start in stride(from: 0, to: tokens.count, by: step) {
      logits +=
        model.forward(Batch(Array(tokens[start..<min(tokens.count, start + step)]), state: state, outputs: .all)).values
    }
    return logits
  }

  @Test(arguments: ["llama", "llama3", "qwen2", "mistral"], [1, 7, 24]) func equalsTransformers(name: String, step: Int)
    throws
  {
    let truth = try TestData.floats(TestData.fixtures + "/\(name)/logits")
    #expect(try TestData.largestDifference(run(load(name), RWKV5Tests.tokens, step: step), truth) < 2e-5)
  }

  @Test(arguments: WeightFormat.allCases) func raggedBatchesEqualSingleRuns(format: WeightFormat) throws {
    let model = try load("llama3", format: format)
    let long = (0..<100).map { ($0 * 5 + 1) % 64 }
    let sequences = [long, [9], [11, 12, 13], [5, 5]]
    var batch = Batch(outputs: .all)
    for sequence in sequences { batch.append(sequence, state: model.makeState()) }
    let alone = sequences.flatMap { run(model, $0, step: 1) }
    #expect(model.forward(batch).values == alone)
  }

  @Test(arguments: ["llama", "qwen2", "mistral"]) func conversionsGiveTheSameModel(name: String) throws {
    let scratch = try TestData.Scratch()
    let source = TestData.fixtures + "/" + name
    let truth = try TestData.floats(source + "/logits")
    try Conversion(Checkpoint.open(source), to: .gguf, format: nil).write(to: scratch.file("a.gguf"))
    try Conversion(Checkpoint.open(scratch.file("a.gguf")), to: .safetensors, format: nil).write(
      to: scratch.file("b.safetensors"))
    for file in ["a.gguf", "b.safetensors"] {
      let model = try #require(
        ModelLoading.load(Checkpoint.open(scratch.file(file)), options: .init(format: .f32)) as? Llama)
      #expect(TestData.largestDifference(run(model, RWKV5Tests.tokens, step: 24), truth) < 2e-5, "\(file)")
    }
  }

  @Test func statesForkAndSurviveSaving() throws {
    let model = try load("qwen2")
    let state = model.makeState()
    _ = model.forward(Batch((0..<70).map { $0 % 64 }, state: state))
    let fork = state.copy(), restored = try model.restoreState(state.serialized()[...])
    let next = model.forward(Batch([3, 4], state: state)).values
    #expect(model.forward(Batch([3, 4], state: fork)).values == next)
    #expect(model.forward(Batch([3, 4], state: restored)).values == next)
    #expect(restored.position == 72)
    #expect(throws: ModelError.self) { try model.restoreState([1, 2, 3]) }
  }

  @Test func wrongFilesAreNamed() throws {
    let scratch = try TestData.Scratch()
    func message(_ body: () throws -> Void) -> String {
      do {
        try body()
        return "accepted"
      } catch { return "\(error)" }
    }
    let weights = TestData.fixtures + "/llama/model.safetensors"
    try FileManager.default.copyItem(atPath: weights, toPath: scratch.file("model.safetensors"))
    let alone = scratch.path
    #expect(message { _ = try ModelLoading.load(Checkpoint.open(alone)) }.contains("config.json"))
    try #"{"model_type":"gemma"}"#.write(toFile: scratch.file("config.json"), atomically: true, encoding: .utf8)
    #expect(message { _ = try ModelLoading.load(Checkpoint.open(alone)) }.contains("gemma"))
    let other = scratch.file("other.safetensors")
    try Safetensors.write(to: other, tensors: [("x", .f32, [1])]) { _, write in
      try [UInt8](repeating: 0, count: 4).withUnsafeBytes { try write($0) }
    }
    #expect(
      message { _ = try ModelLoading.load(Checkpoint.open(other)) }.contains("no architecture that Martlet supports"))
    let adapter = scratch.file("adapter.safetensors")
    try Safetensors.write(to: adapter, tensors: [("base_model.model.model.layers.0.q_proj.lora_A.weight", .f32, [1])]) {
      _, write in try [UInt8](repeating: 0, count: 4).withUnsafeBytes { try write($0) }
    }
    let refusal = message { _ = try ModelLoading.load(Checkpoint.open(adapter)) }
    #expect(refusal.contains("this is an adapter") && refusal.contains("martlet merge"), "\(refusal)")
  }
}
