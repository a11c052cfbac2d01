import Foundation
import MartletTestSupport
import Testing

@testable import MartletCheckpoints

/// Nothing of a folder, of shards or of a state dictionary is passed over without a word.
struct ModelFolderTests {
  private func file(_ names: [String], at path: String) throws {
    try Safetensors.write(to: path, tensors: names.map { ($0, .f32, [2]) }) { _, write in
      try [Float(1), 2].withUnsafeBytes { try write($0) }
    }
  }

  private func index(_ map: [String: String], at path: String) throws {
    try JSONSerialization.data(withJSONObject: ["weight_map": map]).write(to: URL(fileURLWithPath: path))
  }

  @Test(arguments: [
    (["model.safetensors"], "model.safetensors"), (["one.gguf"], "one.gguf"),
    (["model.safetensors", "pytorch_model.bin", "training_args.bin", "optimizer.bin"], "model.safetensors"),
    (["model.safetensors", "adapter_model.safetensors", "consolidated.safetensors"], "model.safetensors"),
    (["a-00001-of-00002.gguf", "a-00002-of-00002.gguf"], "a-00001-of-00002.gguf"),
    (["only.pth", "training_args.bin"], "only.pth"), (["model.safetensors", ".hidden.gguf"], "model.safetensors"),
    (["expected.safetensors", "model.gguf", "model.safetensors"], "model.safetensors"),
    (["a.safetensors", "model.safetensors.index.json"], "model.safetensors.index.json"),
    (["other.bin", "pytorch_model.bin"], "pytorch_model.bin"),
  ])
  func oneModelIsFound(names: [String], found: String) throws {
    let scratch = try TestData.Scratch()
    for name in names { try scratch.write([1], to: name) }
    #expect(try ModelFolder.modelFile(in: scratch.path) == found)
  }

  @Test(arguments: [
    ["a.safetensors", "b.safetensors"], ["expected.safetensors", "model.gguf"], ["a.pth", "b.st"],
    ["model.safetensors", "model.safetensors.index.json"], ["a.Q4_0.gguf", "a.Q8_0.gguf"],
    ["a-00001-of-00002.gguf", "a-00002-of-00002.gguf", "b.gguf"],
  ])
  func severalAreRefusedByName(names: [String]) throws {
    let scratch = try TestData.Scratch()
    for name in names { try scratch.write([1], to: name) }
    do {
      _ = try ModelFolder.modelFile(in: scratch.path)
      Issue.record("one of \(names) was taken")
    } catch {
      #expect("\(error)".contains(names[0]) && "\(error)".contains(names[names.count - 1]), "\(error)")
    }
  }

  @Test(arguments: [["adapter_model.safetensors"], ["adapter_model.safetensors", "adapter_model.bin"], []])
  func adaptersAreToldFromModels(names: [String]) throws {
    let scratch = try TestData.Scratch()
    for name in names + ["adapter_config.json", "training_args.bin"] { try scratch.write([1], to: name) }
    do {
      _ = try ModelFolder.modelFile(in: scratch.path)
      Issue.record("one of \(names) was taken")
    } catch {
      #expect("\(error)".contains("this is an adapter") && "\(error)".contains("--adapter"), "\(error)")
    }
    // A folder that holds a model too is the model's.
    try scratch.write([1], to: "model.safetensors")
    #expect(try ModelFolder.modelFile(in: scratch.path) == "model.safetensors")
  }

  @Test func shardsOfAnIndexAreNoOtherModels() throws {
    let scratch = try TestData.Scratch()
    try file(["x"], at: scratch.file("first.safetensors"))
    try file(["y"], at: scratch.file("second.safetensors"))
    try index(
      ["x": "first.safetensors", "y": "second.safetensors"], at: scratch.file("model.safetensors.index.json"))
    #expect(try Checkpoint.open(scratch.path).names.sorted() == ["x", "y"])
  }

  /// Some programs write an index beside a model of one file.
  @Test func anIndexOfTheOneFileIsNoOtherModel() throws {
    let scratch = try TestData.Scratch()
    try file(["x"], at: scratch.file("model.safetensors"))
    try index(["x": "model.safetensors"], at: scratch.file("model.safetensors.index.json"))
    #expect(try Checkpoint.open(scratch.path).names == ["x"])
  }

  @Test func tensorsThatTheIndexDoesNotNameAreThere() throws {
    let scratch = try TestData.Scratch()
    try file(["x", "forgotten"], at: scratch.file("first.safetensors"))
    try index(["x": "first.safetensors"], at: scratch.file("model.safetensors.index.json"))
    #expect(try Checkpoint.open(scratch.path)["forgotten"] != nil)
    try file(["y", "x"], at: scratch.file("second.safetensors"))
    try index(
      ["x": "first.safetensors", "y": "second.safetensors"], at: scratch.file("model.safetensors.index.json"))
    #expect { try Checkpoint.open(scratch.path) } throws: {
      "\($0)".contains("second.safetensors") && "\($0)".contains("tensor x")
    }
  }

  @Test func whatLiesBesideTheWeightsIsTold() throws {
    let folder = TestData.fixtures + "/pytorch/"
    let adapter = try Checkpoint.open(folder + "beside-adapter.pth")
    #expect(adapter.beside == ["lora (a dictionary with 2 tensors)"])
    let arrays = try Checkpoint.open(folder + "beside-arrays.pth")
    #expect(arrays.beside == ["parts (a list with 1 tensor)"])
    #expect(Set(arrays.unreadable.keys) == ["history", "blocks.0.bias"])
    #expect { try arrays.tensor("blocks.0.bias") } throws: { "\($0)".contains("numpy") }
    // What trainings keep is told, and no more.
    let training = try Checkpoint.open(folder + "wrapped-msd.pth")
    #expect(
      training.beside == ["optimizer_state_dict (a dictionary with 2 tensors)", "history (an array of numpy)"])
  }
}
