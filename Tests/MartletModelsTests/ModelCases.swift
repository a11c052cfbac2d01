import Foundation
import MartletCheckpoints
import MartletTensor
import MartletTestSupport
import Testing

@testable import MartletModels

/// Small model files that each vary one thing (the folder `cases` beside the data folder given by MARTLET_DATA), and what
/// other people's programs answer to them (Tests/Fixtures/case-logits.safetensors, made by Scripts/make_case_logits.py).
enum ModelCases {
  static let tokens = (0..<24).map { (7 * $0 * $0 + 3 * $0 + 1) % 64 }

  /// The folder of cases; nil where it is absent, and tests of them skip.
  static let folder = TestData.cases

  static func truth(_ name: String) throws -> [Float] {
    try Checkpoint.open(TestData.fixtures + "/case-logits.safetensors").tensor(name).floats()
  }

  /// The config.json of the rows of truth that vary Tests/Fixtures/llama.
  static func settings() throws -> [String: [String: Any]] {
    let text = try #require(
      Checkpoint.open(TestData.fixtures + "/case-logits.safetensors").metadata["settings"]?.string)
    return try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: [String: Any]])
  }

  /// The last row of logits after some tokens, read in two pieces.
  static func last(_ path: String, _ tokens: [Int] = tokens, format: WeightFormat? = .f32) throws -> [Float] {
    try last(ModelLoading.load(Checkpoint.open(path), options: .init(format: format)), tokens)
  }

  static func last(_ model: any LanguageModel, _ tokens: [Int] = tokens) -> [Float] {
    let state = model.makeState()
    _ = model.forward(Batch(Array(tokens[..<7]), state: state))
    return model.forward(Batch(Array(tokens[7...]), state: state)).values
  }

  /// What is said of a file that is refused; nil when it is loaded.
  static func refusal(_ path: String, format: WeightFormat? = nil) -> String? {
    do {
      _ = try ModelLoading.load(Checkpoint.open(path), options: .init(format: format))
      return nil
    } catch { return "\(error)" }
  }

  /// A GGUF file with other metadata (nil takes a key away) and tensors (nil takes one away).
  static func variant(
    of path: String, at target: String, metadata: [String: MetadataValue?] = [:],
    tensors: [String: (shape: [Int], values: [Float])?] = [:]
  ) throws {
    let source = try Checkpoint.open(path)
    var keys = source.metadata
    for (key, value) in metadata { keys[key] = value }
    var list = try source.names.map { name in
      let tensor = try source.tensor(name)
      return (name: name, shape: tensor.shape, values: try tensor.floats())
    }
    list.removeAll { tensors.keys.contains($0.name) }
    for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
      if let tensor { list.append((name, tensor.shape, tensor.values)) }
    }
    try GGUF.write(
      to: target, tensors: list.map { ($0.name, .f32, $0.shape) }, metadata: keys.sorted { $0.key < $1.key }
    ) { index, write in try list[index].values.withUnsafeBytes { try write($0) } }
  }

  /// A hub folder with the weights of another and a changed config.json (nil takes a key away).
  static func hub(
    _ scratch: TestData.Scratch, of folder: String, _ changes: [String: Any?] = [:]
  ) throws -> String {
    let target = scratch.file(UUID().uuidString)
    try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: folder + "/model.safetensors", toPath: target + "/model.safetensors")
    var object = try #require(TestData.json(folder + "/config.json") as? [String: Any])
    for (key, value) in changes { object[key] = value }
    try JSONSerialization.data(withJSONObject: object).write(to: URL(fileURLWithPath: target + "/config.json"))
    return target
  }
}
