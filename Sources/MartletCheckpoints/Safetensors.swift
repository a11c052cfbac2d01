import Foundation
import MartletData

/// The safetensors format: a 64-bit header length, a JSON header, the tensors' bytes.
public enum Safetensors {
  private static let types: [String: FileType] = [
    "F64": .f64, "F32": .f32, "F16": .f16, "BF16": .bf16, "I64": .i64, "I32": .i32, "I16": .i16, "I8": .i8, "U8": .u8,
    "BOOL": .bool, "U16": .u16, "U32": .u32, "U64": .u64, "C64": .c64, "F8_E4M3": .f8_e4m3, "F8_E5M2": .f8_e5m2,
    "F8_E8M0": .f8_e8m0, "F8_E4M3FNUZ": .f8_e4m3fnuz, "F8_E5M2FNUZ": .f8_e5m2fnuz, "F6_E2M3": .f6_e2m3,
    "F6_E3M2": .f6_e3m2, "F4": .f4,
  ]

  /// Opens one file. As in the reference implementation, the tensors must fill the file: in the order of their offsets,
  /// each begins where the previous one ends.
  public static func open(_ path: String) throws -> Checkpoint { try read(MappedFile(path: path)) }

  /// Reads the header of a file that is already mapped.
  /// - Throws: `FileError` that names the damaged tensor or the damaged part of the header.
  public static func read(_ file: MappedFile) throws -> Checkpoint {
    var reader = ByteReader(file.bytes, file: file.path)
    let length = try reader.size("the header length", limit: min(100_000_000, file.bytes.count - 8))
    let header: JSONObject
    do {
      guard let object = try JSONValue(parsing: try reader.take(length, "the header"), values: 3_000_000).object else {
        throw reader.fail("its header is not a JSON object; it is not a safetensors file, or damaged")
      }
      header = object
    } catch let error as JSONError {
      throw reader.fail("its header is not JSON (\(error)); it is not a safetensors file, or damaged")
    }
    let start = reader.position, available = reader.remaining
    guard header.members.count(where: { $0.key == "__metadata__" }) <= 1 else {
      throw reader.fail("its header contains __metadata__ twice; the file is damaged")
    }
    var metadata: [String: MetadataValue] = [:]
    var entries: [(name: String, type: FileType, shape: [Int], offsets: Range<Int>)] = []
    for member in header.members {
      if member.key == "__metadata__" {
        metadata = try self.metadata(member.value, reader)
      } else {
        entries.append(try entry(member.key, member.value, available: available, reader))
      }
    }
    entries.sort {
      ($0.offsets.lowerBound, $0.offsets.upperBound, $0.name) < ($1.offsets.lowerBound, $1.offsets.upperBound, $1.name)
    }
    var end = 0
    for entry in entries {
      guard entry.offsets.lowerBound == end else {
        let fault = entry.offsets.lowerBound < end ? "overlaps the tensor before it" : "leaves a gap before it"
        throw reader.fail(
          "tensor \(entry.name) at bytes \(entry.offsets) \(fault), which ends at \(end); the file is damaged")
      }
      end = entry.offsets.upperBound
    }
    guard end == available else {
      throw reader.fail(
        "\(available - end) bytes follow the last tensor; the file is damaged, or more than one file: fetch it again")
    }
    let tensors = entries.map {
      CheckpointTensor(
        name: $0.name, type: $0.type, shape: $0.shape, file: file,
        range: start + $0.offsets.lowerBound..<start + $0.offsets.upperBound)
    }
    return try Checkpoint(format: .safetensors, path: file.path, tensors: tensors, metadata: metadata)
  }

  private static func entry(
    _ name: String, _ value: JSONValue, available: Int, _ reader: ByteReader
  ) throws -> (name: String, type: FileType, shape: [Int], offsets: Range<Int>) {
    func sizes(_ value: JSONValue?) -> [Int]? {
      guard let values = value?.array else { return nil }
      let sizes = values.compactMap { if case .integer(let size) = $0, size >= 0 { size } else { nil } }
      return sizes.count == values.count ? sizes : nil
    }
    guard let typeName = value["dtype"]?.string, let shape = sizes(value["shape"]),
      let offsets = sizes(value["data_offsets"]), offsets.count == 2
    else { throw reader.fail("the header's entry for \(name) lacks dtype, shape or data_offsets; it is damaged") }
    guard let type = types[typeName] else {
      throw reader.fail("tensor \(name) has the type \(typeName), which is not a type of safetensors; update Martlet")
    }
    guard shape.count <= 8 else { throw reader.fail("tensor \(name) has \(shape.count) axes; the file is damaged") }
    guard let bytes = type.byteCount(shape: shape), offsets[0] <= offsets[1], offsets[1] <= available,
      offsets[1] - offsets[0] == bytes
    else {
      throw reader.fail(
        "tensor \(name) of shape \(shape) lies at bytes \(offsets) of \(available); the file is truncated or damaged")
    }
    return (name, type, shape, offsets[0]..<offsets[1])
  }

  private static func metadata(_ value: JSONValue, _ reader: ByteReader) throws -> [String: MetadataValue] {
    if value.isNull { return [:] }
    guard let members = value.object?.members, members.allSatisfy({ $0.value.string != nil }) else {
      throw reader.fail("its __metadata__ contains a value that is not text; save it again with safetensors")
    }
    return Dictionary(members.map { ($0.key, .string($0.value.string ?? "")) }) { _, last in last }
  }

  /// Opens the shards that an index (`model.safetensors.index.json`) names, all in its folder.
  public static func openIndex(_ path: String) throws -> Checkpoint {
    try ShardIndex.open(path) { try open($0) }
  }

  /// Writes tensors in the given order; `write` passes the bytes of each tensor in pieces. The file gets its name only
  /// when it is complete.
  public static func write(
    to path: String, tensors: [(name: String, type: FileType, shape: [Int])], metadata: [String: String] = [:],
    replaces: Bool = true, bytes: (_ index: Int, _ write: ByteSink) throws -> Void
  ) throws {
    let names = Dictionary(types.map { ($1, $0) }) { first, _ in first }
    var header: [String: Any] = metadata.isEmpty ? [:] : ["__metadata__": metadata]
    var offset = 0
    var sizes: [Int] = []
    for tensor in tensors {
      guard let type = names[tensor.type], let size = tensor.type.byteCount(shape: tensor.shape) else {
        throw FileError(
          file: path,
          "safetensors has no type for \(tensor.name) (\(tensor.type)); write GGUF, or choose f32, f16 or bf16")
      }
      header[tensor.name] = ["dtype": type, "shape": tensor.shape, "data_offsets": [offset, offset + size]]
      sizes.append(size)
      offset += size
    }
    var json = try JSONSerialization.data(withJSONObject: header, options: [.sortedKeys, .withoutEscapingSlashes])
    json.append(Data(repeating: 0x20, count: (8 - json.count % 8) % 8))
    let output = try AtomicFile(path: path, replaces: replaces)
    try withUnsafeBytes(of: UInt64(json.count).littleEndian) { try output.write($0) }
    try json.withUnsafeBytes { try output.write($0) }
    for (index, size) in sizes.enumerated() {
      var written = 0
      try bytes(index) {
        written += $0.count
        try output.write($0)
      }
      precondition(written == size, "\(tensors[index].name): \(written) bytes written for \(size)")
    }
    try output.commit()
  }
}
