import Foundation
import MartletCheckpoints
import MartletTensor
import MartletTestSupport
import Testing

@testable import MartletModels

/// Every model of Tests/Fixtures, found by looking, goes through every pair of containers with the logits that it had.
struct RoundTripTests {
  /// Hub folders and single files that hold a model, with the logits that another program gave where they are known.
  static let fixtures: [String] = {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: TestData.fixtures)) ?? []
    return names.sorted().filter { name in
      let path = TestData.fixtures + "/" + name
      guard FileManager.default.fileExists(atPath: path + "/config.json") || name.hasSuffix(".pth") else {
        return false
      }
      return (try? Checkpoint.open(path)).flatMap { try? ModelFamilies.recognize($0) } != nil
    }
  }()

  /// Settings of rotary positions for the hub's folder `llama`, as transformers 4 and as transformers 5 writes them.
  static let scalings: [[String: any Sendable]] = {
    let kinds: [[String: any Sendable]] = [
      ["rope_type": "linear", "factor": 4.0], ["rope_type": "dynamic", "factor": 4.0],
      ["rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16],
      [
        "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 16,
      ],
      [
        "rope_type": "longrope", "short_factor": [1, 1.5, 2, 3, 4, 5], "long_factor": [1, 1.5, 2, 3, 4, 5],
        "factor": 1.0,
      ],
    ]
    return kinds.map { ["rope_scaling": $0, "rope_theta": 20_000.0] }
      + kinds.map { ["rope_parameters": $0.merging(["rope_theta": 20_000.0]) { $1 }] }
  }()

  private func convert(_ source: String, to folder: String, _ container: Conversion.Container) throws -> String {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let path = folder + "/model." + container.rawValue
    try Conversion(Checkpoint.open(source), to: container, format: .f32).write(to: path)
    return container == .safetensors ? folder : path
  }

  private func logits(_ path: String) throws -> [Float] {
    let model = try ModelLoading.load(Checkpoint.open(path), options: .init(format: .f32))
    return model.forward(Batch(RWKV5Tests.tokens, state: model.makeState(), outputs: .all)).values
  }

  /// Through every pair of containers.
  private func check(_ source: String, _ truth: [Float]) throws {
    let scratch = try TestData.Scratch()
    for first in Conversion.Container.allCases {
      let one = try convert(source, to: scratch.file("\(first)"), first)
      #expect(try TestData.largestDifference(logits(one), truth) < 2e-5, "\(source) as \(first)")
      for second in Conversion.Container.allCases {
        let two = try convert(one, to: scratch.file("\(first)-\(second)"), second)
        #expect(try TestData.largestDifference(logits(two), truth) < 2e-5, "\(source) as \(first), then \(second)")
      }
    }
  }

  @Test func allFixturesAreFound() {
    #expect(Set(Self.fixtures).isSuperset(of: ["llama", "llama3", "mistral", "qwen2"]), "\(Self.fixtures)")
    #expect(Set(Self.fixtures).isSuperset(of: ["rwkv-5.0.pth", "rwkv-5.1.pth", "rwkv-5.2.pth"]), "\(Self.fixtures)")
  }

  @Test(arguments: fixtures) func everyFixtureKeepsItsLogits(name: String) throws {
    let path = TestData.fixtures + "/" + name
    let known = name.hasSuffix(".pth") ? (path as NSString).deletingPathExtension + ".logits" : path + "/logits"
    try check(path, TestData.floats(known))
  }

  @Test(arguments: scalings.indices) func everyScalingKeepsItsLogits(index: Int) throws {
    let scratch = try TestData.Scratch()
    var changes: [String: Any?] = ["rope_parameters": nil]
    for (key, value) in Self.scalings[index] { changes[key] = value }
    let path = try ModelCases.hub(scratch, of: TestData.fixtures + "/llama", changes)
    try check(path, logits(path))
  }

  /// GGUF's own table of divisors, which has no named kind of scaling.
  @Test func aTableOfDivisorsKeepsItsLogits() throws {
    let scratch = try TestData.Scratch()
    let plain = try convert(TestData.fixtures + "/llama", to: scratch.file("plain"), .gguf)
    let path = scratch.file("divided.gguf")
    try ModelCases.variant(
      of: plain, at: path, tensors: ["rope_freqs.weight": (shape: [6], values: [1, 1, 1.5, 2, 4, 8])])
    let truth = try logits(path)
    #expect(try TestData.largestDifference(truth, logits(plain)) > 1e-3)
    try check(path, truth)
  }
}
