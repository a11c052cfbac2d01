import Foundation
import MartletCheckpoints
import MartletTensor
import MartletTestSupport
import Testing

@testable import MartletModels

/// Logits and states against the `rwkv` package (Tests/Fixtures) and rwkv.cpp (shared data).
struct RWKV5Tests {
  static let tokens = (0..<24).map { (7 * $0 * $0 + 3 * $0 + 1) % 64 }

  private func load(_ path: String, format: WeightFormat? = .f32) throws -> RWKV5 {
    try #require(ModelLoading.load(Checkpoint.open(path), options: .init(format: format)) as? RWKV5)
  }

  private func run(_ model: RWKV5, _ tokens: [Int], step: Int) -> (logits: [Float], state: RWKV5State) {
    let state = model.makeState() as! RWKV5State
    var logits: [Float] = []
    for start in stride(from: 0, to: tokens.count, by: step) {
      let chunk = Array(tokens[start..<min(tokens.count, start + step)])
      logits += model.forward(Batch(chunk, state: state, outputs: .all)).values
    }
    return (logits, state)
  }

  @Test(arguments: ["5.0", "5.1", "5.2"], [1, 5, 24]) func equalsThePackage(version: String, step: Int) throws {
    let path = TestData.fixtures + "/rwkv-\(version)"
    let model = try load(path + ".pth")
    #expect(model.configuration.version.rawValue == version)
    let (logits, state) = run(model, Self.tokens, step: step)
    #expect(try TestData.largestDifference(logits, TestData.floats(path + ".logits")) < 2e-5)
    #expect(try TestData.largestDifference(state.values, TestData.floats(path + ".state")) < 2e-5)
    #expect(state.position == 24)
  }

  @Test(arguments: ["5.0", "5.1", "5.2"]) func roundedFormatsStayClose(version: String) throws {
    let path = TestData.fixtures + "/rwkv-\(version)"
    let truth = try TestData.floats(path + ".logits")
    // Random weights are the worst case: mean differences in units of logits of deviation about 1.
    for (format, tolerance) in [(WeightFormat.f16, 1e-4), (.bf16, 0.01), (.q8_0, 0.1), (.q4_0, 1)]
      as [(WeightFormat, Float)]
    {
      let (logits, _) = run(try load(path + ".pth", format: format), Self.tokens, step: 24)
      let mean = zip(logits, truth).reduce(0) { $0 + abs($1.0 - $1.1) } / Float(truth.count)
      #expect(mean < tolerance, "\(format): \(mean)")
    }
  }

  @Test func conversionsGiveTheSameModel() throws {
    let scratch = try TestData.Scratch()
    for version in ["5.0", "5.1", "5.2"] {
      let source = TestData.fixtures + "/rwkv-\(version).pth"
      let truth = run(try load(source), Self.tokens, step: 24).logits
      for name in ["a.safetensors", "a.gguf"] {
        let container = try #require(Conversion.Container(rawValue: String(name.dropFirst(2))))
        try Conversion(Checkpoint.open(source), to: container, format: nil).write(to: scratch.file(name))
        #expect(try run(load(scratch.file(name)), Self.tokens, step: 24).logits == truth, "\(version) \(name)")
      }
    }
  }

  /// The hub's and web-rwkv's names for the same tensors.
  @Test func otherNamesGiveTheSameModel() throws {
    let scratch = try TestData.Scratch()
    let source = try Checkpoint.open(TestData.fixtures + "/rwkv-5.2.pth")
    let truth = run(try load(source.path), Self.tokens, step: 24).logits
    func write(_ name: String, rename: (String) -> String) throws -> [Float] {
      let tensors = source.names.compactMap { source[$0] }
      try Safetensors.write(to: scratch.file(name), tensors: tensors.map { (rename($0.name), $0.type, $0.shape) }) {
        try $1(tensors[$0].bytes)
      }
      return run(try load(scratch.file(name)), Self.tokens, step: 24).logits
    }
    let hub = try write("hub.safetensors") { name in
      var name = name
      for (old, new) in [
        ("emb.", "embeddings."), (".ln0.", ".pre_ln."), (".att.", ".attention."), (".ffn.", ".feed_forward."),
        ("time_mix_k", "time_mix_key"), ("time_mix_v", "time_mix_value"), ("time_mix_r", "time_mix_receptance"),
        ("time_mix_g", "time_mix_gate"),
      ] { name = name.replacing(old, with: new) }
      return name == "head.weight" ? name : "rwkv." + name
    }
    #expect(hub == truth)
    #expect(try write("ai00.st") { $0.replacing("time_faaaa", with: "time_first") } == truth)
  }

  @Test(.enabled(if: TestData.shared != nil, "MARTLET_DATA names no folder with the shared data"))
  func rwkvCppsTrainedModel() throws {
    let shared = try #require(TestData.shared)
    let truth = try TestData.floats("\(shared)/rwkv/expected-logits-5v2-730K.bin")
    for (file, tolerance) in [("FP32", Float(2e-5)), ("FP16", 2e-2)] {
      let model = try load("\(shared)/rwkv/tiny-rwkv-5v2-730K-\(file).bin")
      let logits = run(model, [0x22, 0x69, 0x6e], step: 3).logits.suffix(256)
      #expect(TestData.largestDifference(Array(logits), truth) < tolerance, "\(file)")
    }
  }

  @Test(.enabled(if: TestData.shared != nil, "MARTLET_DATA names no folder with the shared data"))
  func theSharedCheckpoint() throws {
    let shared = try #require(TestData.shared)
    let path = "\(shared)/rwkv/dev-v52-l2-d128-h64-v256-bf16"
    let tokens = (try TestData.json(path + ".json") as! [String: Any])["tokens"] as! [Int]
    let (logits, state) = run(try load(path + ".pth"), tokens, step: 16)
    #expect(try TestData.largestDifference(logits, TestData.floats(path + ".logits-fp32.f32")) < 2e-5)
    #expect(try TestData.largestDifference(state.values, TestData.floats(path + ".state-fp32.f32")) < 1e-4)
  }

  /// The batch layout: sequences of different lengths together give the bits they give alone.
  @Test(arguments: WeightFormat.allCases) func raggedBatchesEqualSingleRuns(format: WeightFormat) throws {
    let model = try load(TestData.fixtures + "/rwkv-5.2.pth", format: format)
    let sequences = [[1, 2, 3, 4, 5, 6, 7], [9], [11, 12, 13], [5, 5]]
    var batch = Batch(outputs: .all)
    let states = sequences.map { _ in model.makeState() }
    for (sequence, state) in zip(sequences, states) { batch.append(sequence, state: state) }
    let together = model.forward(batch).values
    var alone: [Float] = []
    for (index, sequence) in sequences.enumerated() {
      let (logits, state) = run(model, sequence, step: 1)
      alone += logits
      #expect(state.values == (states[index] as? RWKV5State)?.values)
    }
    #expect(together == alone)
  }

  @Test func statesSurviveSaving() throws {
    let model = try load(TestData.fixtures + "/rwkv-5.2.pth")
    let state = run(model, [1, 2, 3], step: 3).state
    let copy = try model.restoreState(state.serialized()[...]) as? RWKV5State
    #expect(copy?.values == state.values && copy?.position == 3)
    #expect(throws: ModelError.self) { try model.restoreState(state.serialized().dropLast()) }
  }
}
