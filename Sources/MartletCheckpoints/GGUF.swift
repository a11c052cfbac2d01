import Foundation
import MartletData

/// The GGUF format of llama.cpp, versions 2 and 3 (little-endian), in one file or split into parts.
public enum GGUF {
  static let magic: UInt32 = 0x4655_4747
  private static let tensorLimit = 1 << 18
  private static let metadataLimit = 1 << 16
  /// Block types of llama.cpp that are known by name only.
  private static let otherTypes: [Int32: String] = [
    9: "Q8_1", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S", 21: "IQ3_S", 22: "IQ2_S", 29: "IQ1_M",
    34: "TQ1_0", 35: "TQ2_0",
  ]

  /// Opens a file. Any part of a split model opens the whole model.
  public static func open(_ path: String) throws -> Checkpoint {
    let first = try read(MappedFile(path: path))
    guard let count = first.metadata["split.count"]?.integer, count > 1 else { return first }
    guard let parts = FileParts(path), parts.count == count else {
      throw FileError(
        file: path,
        "it is one of \(count) parts, but its name does not say which one; give the parts the names NAME-00001-of-\(FileParts.digits(count)).gguf and so on"
      )
    }
    let all = try parts.open { try read(MappedFile(path: $0)) }
    for (index, part) in all.enumerated() {
      guard part.metadata["split.count"]?.integer == count, part.metadata["split.no"]?.integer == index else {
        throw FileError(
          file: part.path, "its metadata does not identify it as part \(index + 1) of \(count); fetch it again")
      }
    }
    let tensors = all.flatMap { part in part.names.compactMap { part[$0] } }
    if let promised = all.first?.metadata["split.tensors.count"]?.integer, promised != tensors.count {
      throw FileError(
        file: path,
        "its parts contain \(tensors.count) tensors, but the first part declares \(promised); fetch them again")
    }
    return try Checkpoint(format: .gguf, path: path, tensors: tensors, metadata: all.first?.metadata ?? [:])
  }

  /// Reads a file that is already mapped.
  public static func read(_ file: MappedFile) throws -> Checkpoint {
    var reader = ByteReader(file.bytes, file: file.path)
    guard try reader.integer(UInt32.self, "the magic") == magic else { throw reader.fail("it is not a GGUF file") }
    try checkVersion(try reader.integer(UInt32.self, "the version"), reader)
    let tensorCount = try reader.size("the tensor count", limit: min(tensorLimit, file.bytes.count / 24))
    let metadataCount = try reader.size("the metadata count", limit: min(metadataLimit, file.bytes.count / 12))
    var metadata: [String: MetadataValue] = [:]
    for _ in 0..<metadataCount {
      let key = try reader.string(reader.size("a key's length"), "a key")
      let type = try valueType(&reader, "the type of \(key)")
      let value = try value(&reader, file, type: type, depth: 0)
      guard metadata.updateValue(value, forKey: key) == nil else {
        throw reader.fail("its metadata contains \(key) twice; the file is damaged, convert the model again")
      }
    }
    let entries = try (0..<tensorCount).map { _ in try entry(&reader) }
    let alignment = try alignment(metadata["general.alignment"], reader)
    let start = (reader.position + alignment - 1) / alignment * alignment
    // The format's own reader wants each tensor where the one before it ends, at the next multiple of the alignment.
    var expected = 0
    let tensors = try entries.map { entry in
      guard entry.offset == expected else {
        let why = entry.offset % alignment == 0 ? "" : ", which is not a multiple of the alignment \(alignment)"
        throw reader.fail(
          "tensor \(entry.name) lies at offset \(entry.offset)\(why) instead of \(expected), the end of the tensors before it; the file is damaged, convert the model again"
        )
      }
      guard let bytes = entry.type.byteCount(shape: entry.shape) else {
        throw reader.fail("tensor \(entry.name) (\(entry.type) \(entry.shape)) has no valid size; the file is damaged")
      }
      guard start <= file.bytes.count, bytes <= file.bytes.count - start,
        entry.offset <= file.bytes.count - start - bytes
      else {
        throw reader.fail(
          "tensor \(entry.name) (\(entry.type) \(entry.shape)) reaches past the end at byte \(file.bytes.count); the file is truncated, fetch it again"
        )
      }
      expected += (bytes + alignment - 1) / alignment * alignment
      let range = start + entry.offset..<start + entry.offset + bytes
      return CheckpointTensor(name: entry.name, type: entry.type, shape: entry.shape, file: file, range: range)
    }
    return try Checkpoint(format: .gguf, path: file.path, tensors: tensors, metadata: metadata)
  }

  private static func checkVersion(_ version: UInt32, _ reader: ByteReader) throws {
    switch version {
    case 2, 3: break
    case 1:
      throw reader.fail("it is GGUF version 1 of 2023 (2 and 3 are supported); convert the model again with llama.cpp")
    case 1 << 24, 2 << 24, 3 << 24:
      throw reader.fail(
        "it is a big-endian GGUF file; convert it with llama.cpp's gguf_convert_endian.py, or fetch the little-endian one"
      )
    default:
      throw reader.fail(
        "GGUF version \(version) is not supported (2 and 3 are); update Martlet, or convert the model again")
    }
  }

  /// The alignment of tensors, in any integer type.
  private static func alignment(_ value: MetadataValue?, _ reader: ByteReader) throws -> Int {
    guard let value else { return 32 }
    guard case .integer(let alignment) = value, alignment > 0, alignment <= 1 << 20, alignment & (alignment - 1) == 0
    else {
      throw reader.fail("its general.alignment is not a power of two up to 1048576; the file is damaged")
    }
    return alignment
  }

  private struct Entry {
    let name: String
    let type: FileType
    let shape: [Int]
    let offset: Int
  }

  private static func entry(_ reader: inout ByteReader) throws -> Entry {
    let name = try reader.string(reader.size("a tensor name's length"), "a tensor name")
    let axes = try reader.integer(UInt32.self, "the axes of \(name)")
    guard (1...4).contains(axes) else {
      throw reader.fail("tensor \(name) has \(axes) axes instead of 1 to 4; the file is damaged")
    }
    let shape = try (0..<axes).map { _ in try reader.size("an axis of \(name)", limit: 1 << 40) }
    let code = try reader.integer(Int32.self, "the type of \(name)")
    guard let type = FileType(rawValue: code), code < 1000 else {
      throw reader.fail(
        "tensor \(name) has the block type \(otherTypes[code] ?? "\(code)"), which Martlet does not read; use a file in Q4_0, Q4_1, Q5, Q8_0, K-quants, IQ4_NL, IQ4_XS, MXFP4, F16, BF16 or F32"
      )
    }
    return Entry(name: name, type: type, shape: shape.reversed(), offset: try reader.size("an offset"))
  }

  private static func valueType(_ reader: inout ByteReader, _ what: String) throws -> GGUFValueType {
    let code = try reader.integer(UInt32.self, what)
    guard let type = GGUFValueType(rawValue: code) else {
      throw reader.fail("\(what) at byte \(reader.position - 4) is \(code), which is not part of GGUF; it is damaged")
    }
    return type
  }

  private static func value(
    _ reader: inout ByteReader, _ file: MappedFile, type: GGUFValueType, depth: Int
  ) throws -> MetadataValue {
    switch type {
    case .string: return .string(try reader.string(reader.size("a string's length"), "a string"))
    case .array:
      guard depth < 4 else { throw reader.fail("its metadata nests arrays too deeply; the file is damaged") }
      let element = try valueType(&reader, "an array's type")
      let count = try reader.size("an array's length", limit: reader.remaining / element.byteCount)
      guard element == .string || element == .array else {
        let numbers = MetadataNumbers(file: file, start: reader.position, type: element, count: count)
        _ = try reader.take(count * element.byteCount, "an array")
        return .numbers(numbers)
      }
      var values: [MetadataValue] = []
      values.reserveCapacity(count)
      for _ in 0..<count { values.append(try value(&reader, file, type: element, depth: depth + 1)) }
      return .array(values)
    default:
      let single = MetadataNumbers(file: file, start: reader.position, type: type, count: 1)
      _ = try reader.take(type.byteCount, "a value")
      return single[0]
    }
  }
}
