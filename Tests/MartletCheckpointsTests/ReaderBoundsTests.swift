import Foundation
import MartletData
import MartletTestSupport
import Testing

@testable import MartletCheckpoints

/// Bounds of readers that no shared case shows: sizes, names, doubled keys, numbers at their edges.
struct ReaderBoundsTests {
  private func refusal(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "accepted"
    } catch { return "\(error)" }
  }

  private struct GGUFFile {
    var bytes: [UInt8] = []
    mutating func put(_ value: some FixedWidthInteger) { withUnsafeBytes(of: value.littleEndian) { bytes += $0 } }
    mutating func put(_ text: String) {
      put(UInt64(text.utf8.count))
      bytes += Array(text.utf8)
    }
    init(tensors: Int, metadata: Int, version: UInt32 = 3) {
      bytes = Array("GGUF".utf8)
      put(version)
      put(UInt64(tensors))
      put(UInt64(metadata))
    }
    mutating func tensor(_ name: String, shape: [Int], offset: Int) {
      put(name)
      put(UInt32(shape.count))
      shape.forEach { put(UInt64($0)) }
      put(Int32(0))
      put(UInt64(offset))
    }
    mutating func fill(_ count: Int) {
      bytes += [UInt8](repeating: 0, count: (32 - bytes.count % 32) % 32 + count)
    }
  }

  private func write(_ bytes: [UInt8], _ name: String = "x.gguf") throws -> (TestData.Scratch, String) {
    let scratch = try TestData.Scratch()
    try Data(bytes).write(to: URL(fileURLWithPath: scratch.file(name)))
    return (scratch, scratch.file(name))
  }

  // MARK: GGUF

  @Test(arguments: [
    ([0, 36], "not a multiple of the alignment 32"), ([0, 64], "instead of 32"), ([32, 0], "instead of 0"),
    ([0, 0], "instead of 32"),
  ])
  func offsetsFollowEachOther(offsets: [Int], words: String) throws {
    var file = GGUFFile(tensors: 2, metadata: 0)
    file.tensor("a", shape: [8], offset: offsets[0])
    file.tensor("b", shape: [8], offset: offsets[1])
    file.fill(128)
    let (scratch, path) = try write(file.bytes)
    #expect(refusal { _ = try Checkpoint.open(path) }.contains(words))
    withExtendedLifetime(scratch) {}
  }

  @Test func doubledKeysAndTensorsAreRefused() throws {
    var file = GGUFFile(tensors: 0, metadata: 2)
    for _ in 0..<2 {
      file.put("llama.block_count")
      file.put(UInt32(4))
      file.put(UInt32(1))
    }
    var (scratch, path) = try write(file.bytes)
    #expect(refusal { _ = try Checkpoint.open(path) }.contains("llama.block_count twice"))
    file = GGUFFile(tensors: 2, metadata: 0)
    file.tensor("a", shape: [8], offset: 0)
    file.tensor("a", shape: [8], offset: 32)
    file.fill(64)
    (scratch, path) = try write(file.bytes)
    #expect(refusal { _ = try Checkpoint.open(path) }.contains("tensor a twice"))
    withExtendedLifetime(scratch) {}
  }

  @Test(arguments: [
    (UInt32(1), "version 1 of 2023"), (4, "update Martlet"), (0, "version 0"), (3 << 24, "big-endian"),
    (2 << 24, "big-endian"), (.max, "version 4294967295"),
  ])
  func versions(version: UInt32, words: String) throws {
    let (scratch, path) = try write(GGUFFile(tensors: 0, metadata: 0, version: version).bytes)
    #expect(refusal { _ = try Checkpoint.open(path) }.contains(words))
    withExtendedLifetime(scratch) {}
  }

  @Test(arguments: [1, 8, 32, 64, 1024, 1 << 20]) func alignments(alignment: Int) throws {
    for type in [UInt32(4), 5, 10, 11] {  // u32, i32, u64, i64
      var file = GGUFFile(tensors: 1, metadata: 1)
      file.put("general.alignment")
      file.put(type)
      if type < 6 { file.put(UInt32(alignment)) } else { file.put(UInt64(alignment)) }
      file.tensor("a", shape: [1], offset: 0)
      file.bytes += [UInt8](repeating: 0, count: (alignment - file.bytes.count % alignment) % alignment)
      file.put(Float(2.5).bitPattern)
      let (scratch, path) = try write(file.bytes)
      #expect(try Checkpoint.open(path).tensor("a").floats() == [2.5])
      withExtendedLifetime(scratch) {}
    }
  }

  @Test(arguments: [0, 3, 33, -32, 1 << 21, 1 << 40]) func impossibleAlignments(alignment: Int) throws {
    var file = GGUFFile(tensors: 0, metadata: 1)
    file.put("general.alignment")
    file.put(UInt32(11))
    file.put(Int64(alignment))
    let (scratch, path) = try write(file.bytes)
    #expect(refusal { _ = try Checkpoint.open(path) }.contains("power of two"))
    withExtendedLifetime(scratch) {}
  }

  /// 60 million numbers of a byte once took 1.5 GB. The file is a hole of zeros.
  @Test func largeArraysStayInTheFile() throws {
    let scratch = try TestData.Scratch()
    let path = scratch.file("large.gguf")
    let count = 60_000_000
    var file = GGUFFile(tensors: 0, metadata: 1)
    file.put("tokenizer.ggml.token_type")
    file.put(UInt32(9))
    file.put(UInt32(0))
    file.put(UInt64(count))
    try Data(file.bytes).write(to: URL(fileURLWithPath: path))
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try handle.truncate(atOffset: UInt64(file.bytes.count + count))
    try handle.close()
    let start = ContinuousClock.now
    let value = try Checkpoint.open(path).metadata["tokenizer.ggml.token_type"]
    let numbers = try #require(value?.numbers)
    #expect(value?.array == nil)
    #expect(numbers.count == count && numbers[count - 1] == .integer(0))
    #expect(ContinuousClock.now - start < .seconds(1))
    #expect(MemoryLayout<MetadataValue>.stride == 24)
  }

  @Test func numbersOfEveryTypeReadTheirEdges() throws {
    var file = GGUFFile(tensors: 0, metadata: 5)
    func array(_ key: String, _ type: UInt32, _ count: Int) {
      file.put(key)
      file.put(UInt32(9))
      file.put(type)
      file.put(UInt64(count))
    }
    array("i8", 1, 2)
    file.put(Int8.min)
    file.put(Int8.max)
    array("u64", 10, 2)
    file.put(UInt64.max)
    file.put(UInt64(7))
    array("i64", 11, 2)
    file.put(Int64.min)
    file.put(Int64.max)
    array("f64", 12, 2)
    file.put((-0.1).bitPattern)
    file.put(Double.nan.bitPattern)
    array("bool", 7, 2)
    file.put(UInt8(0))
    file.put(UInt8(9))
    let (scratch, path) = try write(file.bytes)
    let metadata = try Checkpoint.open(path).metadata
    #expect(metadata["i8"]?.array == [.integer(-128), .integer(127)])
    #expect(metadata["u64"]?.array == [.unsigned(.max), .integer(7)])
    #expect(metadata["i64"]?.array == [.integer(.min), .integer(.max)])
    #expect(metadata["f64"]?.array?.first == .real(-0.1) && metadata["f64"]?.array?.last?.integer == nil)
    #expect(metadata["bool"]?.array == [.bool(false), .bool(true)])
    // And they are written as they were read.
    let copy = scratch.file("copy.gguf")
    try GGUF.write(to: copy, tensors: [], metadata: metadata.map { ($0.key, $0.value) }) { _, _ in }
    #expect(try Checkpoint.open(copy).metadata["i64"] == metadata["i64"])
    withExtendedLifetime(scratch) {}
  }

  // MARK: Parts

  @Test func aMissingPartIsNamed() throws {
    let scratch = try TestData.Scratch()
    func save(_ name: String, _ tensor: String, number: Int) throws {
      try GGUF.write(
        to: scratch.file(name), tensors: [(tensor, .f32, [1])],
        metadata: [("split.no", .integer(number)), ("split.count", .integer(3)), ("split.tensors.count", .integer(3))]
      ) { _, write in try [UInt8](repeating: 0, count: 4).withUnsafeBytes { try write($0) } }
    }
    try save("m-00001-of-00003.gguf", "a", number: 0)
    try save("m-00003-of-00003.gguf", "c", number: 2)
    #expect(refusal { _ = try Checkpoint.open(scratch.path) }.contains("m-00002-of-00003.gguf: this part of the 3"))
    try save("m-00002-of-00003.gguf", "b", number: 1)
    for name in ["m-00001-of-00003.gguf", "m-00002-of-00003.gguf", "m-00003-of-00003.gguf"] {
      #expect(try Checkpoint.open(scratch.file(name)).names == ["a", "b", "c"])
    }
    try save("renamed.gguf", "a", number: 0)
    #expect(refusal { _ = try Checkpoint.open(scratch.file("renamed.gguf")) }.contains("NAME-00001-of-00003.gguf"))
    try FileManager.default.removeItem(atPath: scratch.file("renamed.gguf"))
    try save("m-00002-of-00003.gguf", "b", number: 2)
    #expect(refusal { _ = try Checkpoint.open(scratch.path) }.contains("part 2 of 3"))
    try save("m-00002-of-00003.gguf", "a", number: 1)
    #expect(refusal { _ = try Checkpoint.open(scratch.path) }.contains("tensor a twice"))
  }

  @Test func shardsWithoutAnIndexJoin() throws {
    let scratch = try TestData.Scratch()
    func save(_ name: String, _ tensor: String) throws {
      try Safetensors.write(to: scratch.file(name), tensors: [(tensor, .f32, [1])]) { _, write in
        try [UInt8](repeating: 0, count: 4).withUnsafeBytes { try write($0) }
      }
    }
    try save("model-00001-of-00002.safetensors", "a")
    #expect(refusal { _ = try Checkpoint.open(scratch.path) }.contains("model-00002-of-00002.safetensors"))
    try save("model-00002-of-00002.safetensors", "b")
    #expect(try Set(Checkpoint.open(scratch.path).names) == ["a", "b"])
  }

  // MARK: safetensors and JSON

  private func safetensors(_ header: String, _ body: Int) throws -> (TestData.Scratch, String) {
    try write(
      withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + Array(header.utf8)
        + [UInt8](repeating: 0, count: body), "x.safetensors")
  }

  /// What PyPI's safetensors says of each, tried with version 0.8: true where it opens.
  @Test(arguments: [
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, 8, true),
    ("  {\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}\n ", 8, true),
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, 9, false),
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[1,9]}}"#, 9, false),
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#, 8, false),
    (#"{"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}"#, 8, false),
    (#"{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#, 8, false),
    (#"{"a":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}}"#, 8, false),
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"__metadata__":{"a":1}}"#, 8, false),
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"__metadata__":null}"#, 8, true),
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"note":[1]}}"#, 8, true),
    (#"{"a":{"dtype":"F4","shape":[2,3],"data_offsets":[0,3]}}"#, 3, true),
    (#"{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}}"#, 2, false),
    (#"{"a":{"dtype":"F32","shape":[9223372036854775807,9223372036854775807],"data_offsets":[0,8]}}"#, 8, false),
    (#"{"a":{"dtype":"F32","shape":[-9223372036854775808],"data_offsets":[0,8]}}"#, 8, false),
    (#"{"a":{"dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,8]}}"#, 8, false),
    ("{}", 0, true), ("[]", 0, false), ("{}", 1, false),
  ])
  func safetensorsAsItsOwnReader(header: String, body: Int, opens: Bool) throws {
    let (scratch, path) = try safetensors(header, body)
    #expect((refusal { _ = try Safetensors.open(path) } == "accepted") == opens, "\(header)")
    withExtendedLifetime(scratch) {}
  }

  @Test func doubledNamesAreRefused() throws {
    let entry = #""a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}"#
    let (scratch, path) = try safetensors("{\(entry),\(entry)}", 0)
    #expect(refusal { _ = try Safetensors.open(path) }.contains("tensor a twice"))
    withExtendedLifetime(scratch) {}
  }

  @Test(arguments: [
    ("-9223372036854775808", MetadataValue.integer(.min)), ("9223372036854775807", .integer(.max)),
    ("-9223372036854775809", .real(-9223372036854775808)), ("18446744073709551615", .real(18446744073709551616)),
    ("4503599627370497", .integer(4_503_599_627_370_497)), ("-0", .integer(0)), ("1e2", .real(100)), ("2.0", .real(2)),
    ("1e308", .real(1e308)), ("1e-400", .real(0)), ("true", .bool(true)),
  ])
  func numbersOfJSON(text: String, value: MetadataValue) throws {
    #expect(try MetadataValue(json: Data(text.utf8)) == value)
    #expect(try MetadataValue(json: Data("[\(text)]".utf8)) == .array([value]))
    _ = (value.integer, value.real, value.foundation)
  }

  @Test func largeAndDeepJSONIsRefused() throws {
    let many = "[" + String(repeating: "0,", count: 6_000_000) + "0]"
    #expect(refusal { _ = try MetadataValue(json: Data(many.utf8)) }.contains("too many values"))
    for text in ["[", "{\"a\":"] {
      let deep = String(repeating: text, count: 1_000_000)
      #expect(refusal { _ = try MetadataValue(json: Data(deep.utf8)) }.contains("nested too deeply"))
    }
    #expect(try MetadataValue(json: Data("\u{feff}{\"a\":1,\"a\":2}".utf8)) == .object(["a": .integer(2)]))
  }

  // MARK: What is shown

  @Test func controlCharactersAreShownNotObeyed() throws {
    #expect("plain, é, 日本, 👩‍👩‍👧".printable == "plain, é, 日本, 👩‍👩‍👧")
    #expect("\u{1b}[2J\u{7}\r\n\u{9b}x\u{202e}\u{7f}".printable == #"\u{1b}[2J\u{7}\u{d}\u{a}\u{9b}x\u{202e}\u{7f}"#)
    let (scratch, path) = try safetensors(
      #"{"\u001b[31mred":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, 4)
    let message = refusal { _ = try Safetensors.open(path) }
    #expect(message.contains(#"\u{1b}[31mred"#) && message == message.printable)
    withExtendedLifetime(scratch) {}
  }
}
