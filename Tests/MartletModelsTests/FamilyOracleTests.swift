import Foundation
import MartletCheckpoints
import MartletLayers
import MartletTensor
import MartletTestSupport
import Testing

@testable import MartletModels

/// Whole logits of transformers, from the hub's folder and from llama.cpp's conversion of it (shared data).
struct FamilyOracleTests {
  @Test(
    .enabled(if: TestData.shared != nil, "MARTLET_DATA names no folder with the shared data"),
    arguments: ["llama-linear", "llama-yarn", "llama-rope3", "qwen3"], ["", "/model.gguf"])
  func equalsTransformers(name: String, file: String) throws {
    let shared = try #require(TestData.shared)
    let folder = "\(shared)/family/\(name)"
    let expected = try #require(TestData.json(folder + "/expected.json") as? [String: Any])
    let tokens = try #require(expected["tokens"] as? [Int])
    let truth = try TestData.floats(folder + "/logits.f32")
    let model = try ModelLoading.load(Checkpoint.open(folder + file), options: .init(format: .f32))
    for step in [1, 9, tokens.count] {
      let state = model.makeState()
      var logits: [Float] = []
      for start in stride(from: 0, to: tokens.count, by: step) {
        let chunk = tokens[start..<min(tokens.count, start + step)]
        logits += model.forward(Batch(Array(chunk), state: state, outputs: .all)).values
      }
      let scale = truth.reduce(0) { max($0, abs($1)) }
      #expect(TestData.largestDifference(logits, truth) < 1e-5 * max(1, scale), "step \(step)")
    }
  }

  /// Dynamic scaling does nothing within the window, and the window is where the context ends.
  @Test(.enabled(if: TestData.shared != nil, "MARTLET_DATA names no folder with the shared data"))
  func dynamicScalingWithinTheWindow() throws {
    let shared = try #require(TestData.shared)
    let folder = "\(shared)/family/llama-dynamic"
    let expected = try #require(TestData.json(folder + "/expected.json") as? [String: Any])
    let tokens = try #require(expected["tokens.short"] as? [Int])
    let truth = try Checkpoint.open(folder + "/expected.safetensors").tensor("logits.short").floats()
    let model = try ModelLoading.load(Checkpoint.open(folder), options: .init(format: .f32))
    let logits = model.forward(Batch(tokens, state: model.makeState(), outputs: .all)).values
    #expect(TestData.largestDifference(logits, truth) < 2e-5)
    #expect(model.description.contextLength == 16)
  }

  /// Norms over heads are trained, written and read like the other parameters.
  @Test(.enabled(if: TestData.shared != nil, "MARTLET_DATA names no folder with the shared data"))
  func qwen3SurvivesConversionAndTraining() throws {
    let shared = try #require(TestData.shared)
    let folder = "\(shared)/family/qwen3", scratch = try TestData.Scratch()
    let truth = try ModelCases.last(folder)
    try Conversion(Checkpoint.open(folder), to: .gguf, format: nil).write(to: scratch.file("a.gguf"))
    try Conversion(Checkpoint.open(scratch.file("a.gguf")), to: .safetensors, format: nil).write(
      to: scratch.file("b.safetensors"))
    for file in ["a.gguf", "b.safetensors"] {
      #expect(try TestData.largestDifference(ModelCases.last(scratch.file(file)), truth) < 2e-5, "\(file)")
    }
    let model = try ModelLoading.loadTrainable(Checkpoint.open(folder), frozen: false)
    #expect(
      model.parameters.filter { $0.name.hasSuffix("q_norm.weight") || $0.name.hasSuffix("k_norm.weight") }.count == 6)
    let logits = model.logits(ModelCases.tokens, spans: [0..<24], rows: [23], checkpointing: true).values
    #expect(TestData.largestDifference(logits, truth) < 2e-5)
  }

  @Test(
    .enabled(if: TestData.shared != nil, "MARTLET_DATA names no folder with the shared data"),
    arguments: ["gemma2", "gemma3", "phi3", "smollm3", "gpt2", "gptneox"]) func othersAreRefusedByName(name: String)
    throws
  {
    let shared = try #require(TestData.shared)
    for file in ["", "/model.gguf"] {
      let path = "\(shared)/family/\(name)\(file)"
      guard FileManager.default.fileExists(atPath: path) else { continue }
      #expect(ModelCases.refusal(path) != nil, "\(path)")
    }
  }
}
