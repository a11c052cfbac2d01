import Foundation
import MartletData
import MartletTestSupport
import Testing

@testable import MartletCheckpoints

/// Every reader on files damaged by what their fields mean: counts, lengths, offsets, types, names, sections that are
/// swapped, doubled or left out, nesting. A reader may refuse or read; it may not trap, hang, or take more memory than the
/// file deserves. `MARTLET_FUZZ_ROUNDS` sets the number of files for each reader.
struct StructureMutationTests {
  static let rounds = ProcessInfo.processInfo.environment["MARTLET_FUZZ_ROUNDS"].flatMap(Int.init) ?? 1_000

  private static let tensors: [(name: String, type: FileType, shape: [Int])] = [
    ("a.weight", .f32, [4, 8]), ("b.weight", .f16, [3, 5]), ("c", .bf16, [7]), ("q", .q4_0, [2, 64]),
  ]

  /// Opens `rounds` damaged files and reads every tensor of those that open.
  private func check(
    seed: UInt64, make: (inout TestRandom) -> [UInt8], open: (String) throws -> Checkpoint
  ) throws {
    let scratch = try TestData.Scratch()
    let path = scratch.file("victim")
    var random = TestRandom(seed: seed)
    var refused = 0
    for round in 0..<Self.rounds {
      let bytes = make(&random)
      try scratch.write(bytes, to: "victim")
      let start = ContinuousClock.now
      do {
        let checkpoint = try open(path)
        #expect(checkpoint.byteCount <= 64 * max(64, bytes.count))
        for tensor in checkpoint.tensors.values where tensor.type.isReal { _ = try tensor.floats() }
        _ = checkpoint.metadata.values.map { $0.array?.count }
      } catch let error as FileError {
        refused += 1
        #expect(error.description == error.description.printable)
        #expect(error.description.contains(path))
      }
      #expect(ContinuousClock.now - start < .seconds(2), "round \(round)")
    }
    #expect(refused > Self.rounds / 4 && refused < Self.rounds)
  }

  // MARK: GGUF

  private static let gguf: FieldFile = {
    var file = FieldFile()
    func text(_ name: String) {
      file.put(.length, UInt64(name.utf8.count))
      file.put(.name, name.utf8)
    }
    func entry(_ key: String, _ type: UInt32) {
      file.beginGroup()
      text(key)
      file.put(.type, type)
    }
    file.put(.payload, "GGUF".utf8)
    file.put(.type, UInt32(3))
    file.put(.count, UInt64(tensors.count))
    file.put(.count, UInt64(9))
    entry("general.architecture", 8)
    text("llama")
    entry("general.alignment", 4)
    file.put(.value, UInt32(32))
    entry("i", 11)
    file.put(.value, Int64(-1))
    entry("d", 12)
    file.put(.value, (0.5).bitPattern)
    entry("f", 6)
    file.put(.value, Float(0.5).bitPattern)
    entry("flag", 7)
    file.put(.value, UInt8(1))
    entry("words", 9)
    file.put(.type, UInt32(8))
    file.put(.count, UInt64(2))
    text("alpha")
    text("beta")
    entry("numbers", 9)
    file.put(.type, UInt32(5))
    file.put(.count, UInt64(3))
    for value in [Int32(1), -2, 3] { file.put(.value, value) }
    entry("nested", 9)
    file.put(.type, UInt32(9))
    file.put(.count, UInt64(1))
    file.put(.type, UInt32(0))
    file.put(.count, UInt64(2))
    file.put(.value, UInt16(0x0201))
    var offset = 0
    for tensor in tensors {
      file.beginGroup()
      text(tensor.name)
      file.put(.count, UInt32(tensor.shape.count))
      for size in tensor.shape.reversed() { file.put(.count, UInt64(size)) }
      file.put(.type, tensor.type.rawValue)
      file.put(.offset, UInt64(offset))
      offset += (tensor.type.byteCount(shape: tensor.shape)! + 31) / 32 * 32
    }
    let padding = (32 - file.bytes.count % 32) % 32
    file.beginGroup()
    file.put(.payload, [UInt8](repeating: 0, count: padding))
    file.put(.payload, [UInt8](repeating: 1, count: offset))
    return file
  }()

  @Test func gguf() throws {
    try #require(try read(Self.gguf.bytes, GGUF.open).names.count == 4)
    try check(seed: 1, make: { Self.gguf.mutated(using: &$0).bytes }, open: GGUF.open)
  }

  // MARK: safetensors and JSON

  private static let header = """
    {"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[4,8],"data_offsets":[0,128]},
    "b":{"dtype":"F16","shape":[3,5],"data_offsets":[128,158]},"c":{"dtype":"BF16","shape":[1],"data_offsets":[158,160]},
    "d":{"dtype":"F64","shape":[],"data_offsets":[160,168]},"e":{"dtype":"U8","shape":[0,3],"data_offsets":[168,168]}}
    """

  private static func safetensors(_ header: String) -> [UInt8] {
    withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + Array(header.utf8)
      + [UInt8](repeating: 1, count: 168)
  }

  @Test func safetensors() throws {
    let tree = try JSONTree(parsing: Self.header)
    try #require(try read(Self.safetensors(tree.text), Safetensors.open).names.count == 5)
    try check(
      seed: 2, make: { Self.safetensors(tree.mutated(using: &$0).text) }, open: Safetensors.open)
  }

  @Test func anIndexOfShards() throws {
    let scratch = try TestData.Scratch()
    try Data(Self.safetensors(Self.header)).write(to: URL(fileURLWithPath: scratch.file("one.safetensors")))
    let tree = try JSONTree(
      parsing: #"{"metadata":{"total_size":168},"weight_map":{"a":"one.safetensors","b":"one.safetensors"}}"#)
    let path = scratch.file("model.safetensors.index.json")
    var random = TestRandom(seed: 3)
    var refused = 0
    for _ in 0..<Self.rounds {
      try scratch.write(Array(tree.mutated(using: &random).text.utf8), to: "model.safetensors.index.json")
      do { _ = try Checkpoint.open(path) } catch let error as FileError {
        refused += 1
        #expect(error.description == error.description.printable)
      }
    }
    #expect(refused > Self.rounds / 4 && refused < Self.rounds)
  }

  @Test func aConfiguration() throws {
    let scratch = try TestData.Scratch()
    try Data(Self.safetensors(Self.header)).write(to: URL(fileURLWithPath: scratch.file("model.safetensors")))
    let tree = try JSONTree(
      parsing: #"{"model_type":"llama","hidden_size":64,"rope_scaling":{"type":"linear","factor":2.5},"a":[1,[2,[3]]]}"#
    )
    var random = TestRandom(seed: 4)
    for _ in 0..<Self.rounds {
      try scratch.write(Array(tree.mutated(using: &random).text.utf8), to: "config.json")
      do {
        let configuration = try Checkpoint.open(scratch.path).configuration
        _ = configuration.values.map { ($0.integer, $0.real, $0.array, $0.object, $0.string) }
        _ = configuration.mapValues(\.foundation)
      } catch is FileError {}
    }
  }

  // MARK: PyTorch

  /// A dictionary in a training checkpoint's wrapping, as torch.save pickles it; each opcode is a group.
  private static let pickle: FieldFile = {
    var file = FieldFile()
    func op(_ opcode: Character) {
      file.beginGroup()
      file.put(.type, opcode.asciiValue!)
    }
    func byte(_ opcode: UInt8) {
      file.beginGroup()
      file.put(.type, opcode)
    }
    func text(_ string: String) {
      op("X")
      file.put(.length, UInt32(string.utf8.count))
      file.put(.name, string.utf8)
    }
    func global(_ module: String, _ name: String) {
      op("c")
      file.put(.name, "\(module)\n\(name)\n".utf8)
    }
    func integer(_ value: Int) {
      op("K")
      file.put(.value, UInt8(value))
    }
    func memo(_ opcode: Character, _ place: Int) {
      op(opcode)
      file.put(.offset, UInt8(place))
    }
    byte(0x80)
    file.put(.type, UInt8(2))
    op("}")
    memo("q", 0)
    op("(")
    text("epoch")
    integer(3)
    text("args")
    global("argparse", "Namespace")
    op(")")
    byte(0x81)
    op("}")
    text("lr")
    op("G")
    file.put(.value, (0.5).bitPattern)
    op("s")
    op("b")
    text("state_dict")
    global("collections", "OrderedDict")
    op(")")
    op("R")
    memo("q", 1)
    op("(")
    for (index, shape) in [[4, 8], [3, 5], [7]].enumerated() {
      text("layer.\(index).weight")
      memo("q", 2 + index)
      if index == 1 { global("torch._utils", "_rebuild_parameter") }
      if index == 1 { op("(") }
      global("torch._utils", "_rebuild_tensor_v2")
      op("(")
      op("(")
      text("storage")
      global("torch", ["FloatStorage", "HalfStorage", "DoubleStorage"][index])
      text("\(index)")
      text("cpu")
      integer(shape.reduce(1, *))
      op("t")
      op("Q")
      integer(0)
      for strides in [false, true] {
        op("(")
        for axis in shape.indices { integer(strides ? shape[(axis + 1)...].reduce(1, *) : shape[axis]) }
        op("t")
      }
      byte(0x89)
      global("collections", "OrderedDict")
      op(")")
      op("R")
      op("t")
      op("R")
      if index == 1 {
        byte(0x88)
        global("collections", "OrderedDict")
        op(")")
        op("R")
        op("t")
        op("R")
      }
    }
    op("u")
    op("}")
    text("_metadata")
    memo("h", 1)
    op("s")
    op("b")
    op("u")
    op(".")
    return file
  }()

  private static let storages: [(name: String, size: Int)] = [("0", 128), ("1", 30), ("2", 56)]

  /// A ZIP of stored entries, each local header and each entry of the directory a group.
  private static func archive(_ pickle: [UInt8]) -> FieldFile {
    let entries: [(name: String, bytes: [UInt8])] =
      [("m/data.pkl", pickle), ("m/byteorder", Array("little".utf8))]
      + storages.map { ("m/data/" + $0.name, [UInt8](repeating: 60, count: $0.size)) }
    var file = FieldFile()
    /// From the flags to the length of what is added.
    func putWhatBothSay(_ entry: (name: String, bytes: [UInt8])) {
      file.put(.type, UInt16(0))
      file.put(.type, UInt16(0))
      file.put(.value, UInt32(0))
      file.put(.value, UInt32(0))
      file.put(.length, UInt32(entry.bytes.count))
      file.put(.length, UInt32(entry.bytes.count))
      file.put(.length, UInt16(entry.name.utf8.count))
      file.put(.length, UInt16(0))
    }
    var offsets: [Int] = []
    var at = 0
    for entry in entries {
      offsets.append(at)
      file.beginGroup()
      file.put(.payload, UInt32(0x0403_4b50))
      file.put(.type, UInt16(20))
      putWhatBothSay(entry)
      file.put(.name, entry.name.utf8)
      file.put(.payload, entry.bytes)
      at += 30 + entry.name.utf8.count + entry.bytes.count
    }
    let start = at
    for (entry, offset) in zip(entries, offsets) {
      file.beginGroup()
      file.put(.payload, UInt32(0x0201_4b50))
      file.put(.type, UInt16(20))
      file.put(.type, UInt16(20))
      putWhatBothSay(entry)
      file.put(.length, UInt16(0))
      file.put(.value, UInt16(0))
      file.put(.value, UInt16(0))
      file.put(.value, UInt32(0))
      file.put(.offset, UInt32(offset))
      file.put(.name, entry.name.utf8)
      at += 46 + entry.name.utf8.count
    }
    file.beginGroup()
    file.put(.payload, UInt32(0x0605_4b50))
    file.put(.value, UInt32(0))
    file.put(.count, UInt16(entries.count))
    file.put(.count, UInt16(entries.count))
    file.put(.length, UInt32(at - start))
    file.put(.offset, UInt32(start))
    file.put(.length, UInt16(0))
    return file
  }

  @Test func anArchiveOfPyTorch() throws {
    try #require(try read(Self.archive(Self.pickle.bytes).bytes, PyTorch.open).names.count == 3)
    try check(
      seed: 5, make: { Self.archive(Self.pickle.bytes).mutated(using: &$0).bytes }, open: PyTorch.open)
  }

  @Test func pickles() throws {
    try check(
      seed: 6, make: { Self.archive(Self.pickle.mutated(using: &$0).bytes).bytes }, open: PyTorch.open)
  }

  @Test func theOldFormatOfPyTorch() throws {
    var before = FieldFile()
    before.put(.payload, [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e])
    before.beginGroup()
    before.put(.value, [0x80, 2, UInt8(ascii: "M"), 0xe9, 3, 0x2e])
    before.beginGroup()
    before.put(.value, [0x80, 2, UInt8(ascii: "}"), 0x2e])
    var after = FieldFile()
    after.beginGroup()
    after.put(.payload, [0x80, 2])
    after.put(.type, UInt8(ascii: "]"))
    after.put(.type, UInt8(ascii: "("))
    for storage in Self.storages {
      after.put(.type, UInt8(ascii: "X"))
      after.put(.length, UInt32(storage.name.utf8.count))
      after.put(.name, storage.name.utf8)
    }
    after.put(.payload, Array("e.".utf8))
    for (storage, width) in zip(Self.storages, [4, 2, 8]) {
      after.beginGroup()
      after.put(.count, UInt64(storage.size / width))
      after.put(.payload, [UInt8](repeating: 60, count: storage.size))
    }
    var file = before
    file.append(Self.pickle)
    file.append(after)
    try #require(try read(file.bytes, PyTorch.open).names.count == 3)
    try check(
      seed: 7,
      make: { [file] random in
        // Half of the damage to what stands around the dictionary.
        guard Bool.random(using: &random) else { return file.mutated(using: &random).bytes }
        return before.mutated(using: &random).bytes + Self.pickle.bytes + after.mutated(using: &random).bytes
      }, open: PyTorch.open)
  }

  // MARK: rwkv.cpp

  @Test func rwkvCpp() throws {
    var file = FieldFile()
    file.put(.payload, UInt32(0x6767_6d66))
    file.put(.type, Int32(101))
    for value in [8, 4, 1, 0] { file.put(.count, Int32(value)) }
    for (name, shape) in [("emb.weight", [4, 8]), ("ln.weight", [4]), ("head.weight", [4, 8])] {
      file.beginGroup()
      file.put(.count, Int32(shape.count))
      file.put(.length, Int32(name.utf8.count))
      file.put(.type, Int32(0))
      for size in shape { file.put(.count, Int32(size)) }
      file.put(.name, name.utf8)
      file.put(.payload, [UInt8](repeating: 1, count: shape.reduce(4, *)))
    }
    try #require(try read(file.bytes, RWKVCpp.open).names.count == 3)
    try check(seed: 8, make: { [file] in file.mutated(using: &$0).bytes }, open: RWKVCpp.open)
  }

  private func read(_ bytes: [UInt8], _ open: (String) throws -> Checkpoint) throws -> Checkpoint {
    let scratch = try TestData.Scratch()
    try Data(bytes).write(to: URL(fileURLWithPath: scratch.file("whole")))
    return try open(scratch.file("whole"))
  }
}
