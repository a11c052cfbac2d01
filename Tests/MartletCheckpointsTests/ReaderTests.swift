import Foundation
import MartletData
import MartletTestSupport
import Testing

@testable import MartletCheckpoints

struct ReaderTests {
  private func refusal(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "accepted"
    } catch { return "\(error)" }
  }

  @Test func pyTorchReadsViewsAndTypes() throws {
    let checkpoint = try Checkpoint.open(TestData.fixtures + "/tiny.pth")
    let truth = try TestData.json(TestData.fixtures + "/tiny.json") as! [String: [String: Any]]
    #expect(Set(checkpoint.names) == Set(truth.keys))
    for (name, entry) in truth {
      let tensor = try checkpoint.tensor(name)
      #expect(tensor.shape == entry["shape"] as? [Int])
      guard tensor.type.isReal else { continue }
      #expect(try tensor.floats() == (entry["values"] as! [Double]).map(Float.init), "\(name)")
    }
    #expect(checkpoint["t"]?.isContiguous == false)
  }

  @Test func aPickleThatCallsCodeIsRefused() {
    let message = refusal { _ = try Checkpoint.open(TestData.fixtures + "/evil.pth") }
    #expect(message.contains("posix.system") && message.contains("refused"))
  }

  @Test func unsafeOpcodesAreRefused() {
    // PROTO 2, then INST (protocol 0's way to call a class)
    let bytes: [UInt8] = [0x80, 2] + Array("(ios\nsystem\n.".utf8)
    let message = refusal {
      try bytes.withUnsafeBytes {
        var reader = ByteReader($0, file: "x.pth")
        _ = try Pickle.load(&reader)
      }
    }
    #expect(message.contains("refused"))
  }

  @Test func writtenFilesReadBack() throws {
    let scratch = try TestData.Scratch()
    let values = TestData.noise(64), bytes = values.withUnsafeBytes { Array($0) }
    let tensors: [(name: String, type: FileType, shape: [Int])] = [("x", .f32, [2, 32]), ("y", .f32, [64])]
    let send = { (_: Int, write: (UnsafeRawBufferPointer) throws -> Void) in try bytes.withUnsafeBytes { try write($0) }
    }
    try Safetensors.write(to: scratch.file("a.safetensors"), tensors: tensors, metadata: ["made": "here"], bytes: send)
    try GGUF.write(
      to: scratch.file("a.gguf"), tensors: tensors,
      metadata: [
        ("s", .string("é")), ("n", .integer(5)), ("l", .array([.string("a"), .string("b")])), ("b", .bool(true)),
      ],
      bytes: send)
    for name in ["a.safetensors", "a.gguf"] {
      let checkpoint = try Checkpoint.open(scratch.file(name))
      #expect(try checkpoint.tensor("x").floats() == values)
      #expect(checkpoint["x"]?.shape == [2, 32])
      #expect(try checkpoint.tensor("y").floats() == values)
    }
    let metadata = try Checkpoint.open(scratch.file("a.gguf")).metadata
    #expect(metadata["s"]?.string == "é" && metadata["n"]?.integer == 5 && metadata["b"]?.bool == true)
    #expect(metadata["l"]?.array?.compactMap(\.string) == ["a", "b"])
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).allSatisfy { !$0.hasSuffix(".part") })
  }

  @Test func shardsJoin() throws {
    let scratch = try TestData.Scratch()
    for shard in ["1", "2"] {
      try Safetensors.write(to: scratch.file("m-\(shard).safetensors"), tensors: [("t\(shard)", .f32, [1])]) {
        _, write in
        try [UInt8](repeating: 0, count: 4).withUnsafeBytes { try write($0) }
      }
    }
    let index = scratch.file("model.safetensors.index.json")
    func write(_ text: String) throws { try text.write(toFile: index, atomically: true, encoding: .utf8) }
    try write(#"{"weight_map": {"t1": "m-1.safetensors", "t2": "m-2.safetensors"}}"#)
    #expect(try Checkpoint.open(scratch.path).names == ["t1", "t2"])
    try write(#"{"weight_map": {"t1": "../m-1.safetensors"}}"#)
    #expect(refusal { _ = try Checkpoint.open(index) }.contains("not a plain file name"))
    try write(#"{"weight_map": {"t3": "m-1.safetensors"}}"#)
    #expect(refusal { _ = try Checkpoint.open(index) }.contains("lacks the tensor t3"))
  }

  @Test func overlapsAndOverrunsAreRefused() throws {
    let scratch = try TestData.Scratch()
    func file(_ header: String, _ body: Int) throws -> String {
      let path = scratch.file("x.safetensors")
      var data = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) }
      data.append(Data(header.utf8))
      data.append(Data(count: body))
      try data.write(to: URL(fileURLWithPath: path))
      return path
    }
    let overlap =
      #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#
    #expect(refusal { _ = try Checkpoint.open(file(overlap, 12)) }.contains("overlap"))
    let beyond = #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#
    #expect(refusal { _ = try Checkpoint.open(file(beyond, 7)) }.contains("truncated"))
    let wrong = #"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}"#
    #expect(refusal { _ = try Checkpoint.open(file(wrong, 8)) }.contains("damaged"))
  }

  @Test func errorsNameTheFileAndTheCure() throws {
    let scratch = try TestData.Scratch()
    #expect(refusal { _ = try Checkpoint.open(scratch.file("absent")) }.contains("no such file"))
    _ = FileManager.default.createFile(atPath: scratch.file("empty"), contents: Data())
    #expect(refusal { _ = try Checkpoint.open(scratch.file("empty")) }.contains("empty"))
    _ = FileManager.default.createFile(atPath: scratch.file("text"), contents: Data("hello, this is text".utf8))
    #expect(refusal { _ = try Checkpoint.open(scratch.file("text")) }.contains("not a model file"))
    #expect(refusal { _ = try Checkpoint.open(scratch.path) }.contains("contains no model file"))
  }

  @Test(.enabled(if: TestData.shared != nil, "MARTLET_DATA names no folder with the shared data"))
  func sharedFilesOpen() throws {
    let shared = try #require(TestData.shared)
    for name in ["tiny-rwkv-5v2-730K-FP32.bin", "tiny-rwkv-5v2-730K-FP16.bin"] {
      let checkpoint = try Checkpoint.open("\(shared)/rwkv/\(name)")
      #expect(checkpoint.format == .rwkvCpp)
      #expect(checkpoint["emb.weight"]?.shape == [256, 64])
    }
    let gradients = try Checkpoint.open("\(shared)/rwkv/dev-train-grad-v52-l2-d64-h32-v61.safetensors")
    #expect(gradients.names.count == 103)
    #expect(gradients.metadata["loss_ce"]?.string.map { $0.hasPrefix("4.5367409") } == true)
  }

  @Test func sha256() {
    func digest(_ text: String) -> String {
      var hash = SHA256()
      for piece in text.utf8 { hash.update([piece]) }
      return hash.finalize()
    }
    #expect(digest("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    #expect(digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(
      digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
        == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
    #expect(
      digest(String(repeating: "a", count: 1_000_000))
        == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }
}
