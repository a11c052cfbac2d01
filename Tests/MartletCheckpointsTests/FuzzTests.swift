import Foundation
import MartletData
import MartletTestSupport
import Testing

@testable import MartletCheckpoints

/// Every reader on thousands of mutated files: truncations, flipped bytes, huge counts. It may refuse them or read them;
/// it may not crash, hang, or read past the end.
struct FuzzTests {
  static let rounds = ProcessInfo.processInfo.environment["MARTLET_FUZZ_ROUNDS"].flatMap(Int.init) ?? 1_000

  private struct Mutator {
    var random = SystemSeed()

    struct SystemSeed: RandomNumberGenerator {
      var state: UInt64 = 0x1234_5678_9abc_def1
      mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
      }
    }

    /// Most damage goes to the first `head` bytes or the last `tail`, where the structure is.
    mutating func mutate(_ original: [UInt8], head: Int, tail: Int) -> [UInt8] {
      var bytes = original
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        guard !bytes.isEmpty else { return bytes }
        let place: Int
        switch Int.random(in: 0..<4, using: &random) {
        case 0 where tail > 0: place = max(0, bytes.count - 1 - Int.random(in: 0..<tail, using: &random))
        case 1: place = Int.random(in: 0..<bytes.count, using: &random)
        default: place = Int.random(in: 0..<min(head, bytes.count), using: &random)
        }
        switch Int.random(in: 0..<6, using: &random) {
        case 0: bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
        case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 2: bytes[place] = [0, 1, 0x7f, 0x80, 0xff].randomElement(using: &random)!
        case 3:  // a huge count
          for i in place..<min(bytes.count, place + 8) { bytes[i] = 0xff }
        case 4:
          for i in place..<min(bytes.count, place + 8) { bytes[i] = i == place + 7 ? 0x7f : 0xff }
        default:
          let end = min(bytes.count, place + Int.random(in: 1...16, using: &random))
          bytes.removeSubrange(place..<end)
        }
      }
      return bytes
    }
  }

  private func fuzz(
    _ original: [UInt8], head: Int, tail: Int = 0, open: (String) throws -> Checkpoint
  ) throws {
    let scratch = try TestData.Scratch()
    let path = scratch.file("victim")
    var mutator = Mutator()
    var refused = 0
    for _ in 0..<Self.rounds {
      let bytes = mutator.mutate(original, head: head, tail: tail)
      let file = fopen(path, "w")!
      _ = bytes.withUnsafeBytes { fwrite($0.baseAddress, 1, $0.count, file) }
      fclose(file)
      do {
        let checkpoint = try open(path)
        #expect(checkpoint.byteCount <= 64 * bytes.count)
        for tensor in checkpoint.tensors.values where tensor.type.isReal { _ = try tensor.floats() }
      } catch let error as FileError {
        refused += 1
        if refused % 1000 == 0 { #expect(error.description.contains(path)) }
      }
    }
    #expect(refused > Self.rounds / 10)
  }

  private func sample(_ write: (String) throws -> Void) throws -> [UInt8] {
    let scratch = try TestData.Scratch()
    try write(scratch.file("sample"))
    return [UInt8](try Data(contentsOf: URL(fileURLWithPath: scratch.file("sample"))))
  }

  private static let list: [(name: String, type: FileType, shape: [Int])] = [
    ("a.weight", .f32, [4, 8]), ("b.weight", .f16, [3, 5]), ("c", .bf16, [7]), ("d", .f32, []),
  ]

  private static func send(_ index: Int, _ write: (UnsafeRawBufferPointer) throws -> Void) throws {
    let size = list[index].type.byteCount(shape: list[index].shape)!
    try [UInt8](repeating: UInt8(index), count: size).withUnsafeBytes { try write($0) }
  }

  @Test func safetensors() throws {
    let bytes = try sample { try Safetensors.write(to: $0, tensors: Self.list, metadata: ["k": "v"], bytes: Self.send) }
    try fuzz(bytes, head: 400, open: Safetensors.open)
  }

  @Test func gguf() throws {
    let bytes = try sample { path in
      try GGUF.write(
        to: path,
        tensors: Self.list + [("q", .q4_0, [2, 64])],
        metadata: [
          ("general.architecture", .string("llama")), ("x", .integer(7)), ("r", .real(0.5)), ("f", .bool(true)),
          ("list", .array([.string("a"), .string("bc")])), ("numbers", .array([.integer(1), .integer(2)])),
        ]
      ) { index, write in
        if index < Self.list.count { return try Self.send(index, write) }
        try [UInt8](repeating: 3, count: 72).withUnsafeBytes { try write($0) }
      }
    }
    try fuzz(bytes, head: 500, open: GGUF.open)
  }

  @Test func pyTorch() throws {
    // The pickle and the ZIP directory of a real file, its storages cut out would break it: damage goes to both ends.
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: TestData.fixtures + "/tiny.pth")))
    try fuzz(bytes, head: 1200, tail: 900, open: PyTorch.open)
  }

  @Test func rwkvCpp() throws {
    var bytes: [UInt8] = []
    func put(_ value: Int32) { withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) } }
    for value in [0x6767_6d66, 101, 8, 4, 1, 0] { put(Int32(value)) }
    for (name, shape) in [("emb.weight", [4, 8]), ("ln.weight", [4])] {
      put(Int32(shape.count))
      put(Int32(name.utf8.count))
      put(0)
      shape.forEach { put(Int32($0)) }
      bytes += Array(name.utf8)
      bytes += [UInt8](repeating: 1, count: shape.reduce(4, *))
    }
    try fuzz(bytes, head: bytes.count, open: RWKVCpp.open)
  }
}
