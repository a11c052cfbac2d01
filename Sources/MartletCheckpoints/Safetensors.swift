import Foundation

/// The safetensors format: a 64-bit header length, a JSON header, the tensors' bytes.
public enum Safetensors {
  private static let types: [String: FileType] = [
    "F64": .f64, "F32": .f32, "F16": .f16, "BF16": .bf16, "I64": .i64, "I32": .i32, "I16": .i16, "I8": .i8, "U8": .u8,
    "BOOL": .bool,
  ]

  /// Opens one file. Offsets must be in range, fit shape and type, and not overlap.
  public static func open(_ path: String) throws -> Checkpoint { try read(MappedFile(path: path)) }

  public static func read(_ file: MappedFile) throws -> Checkpoint {
    let path = file.path
    var reader = ByteReader(file.bytes, file: path)
    let length = try reader.size("the header length", limit: min(100 << 20, file.bytes.count - 8))
    let raw = try reader.take(length, "the header")
    guard raw.first == UInt8(ascii: "{"), let header = (try? MetadataValue(json: Data(raw)))?.object else {
      throw reader.fail("its header is not a JSON object; it is not a safetensors file, or damaged")
    }
    let start = reader.position, available = reader.remaining
    var tensors: [(CheckpointTensor, Range<Int>)] = []
    for (name, value) in header where name != "__metadata__" {
      guard let entry = value.object, let typeName = entry["dtype"]?.string,
        let shape = entry["shape"]?.array?.compactMap(\.integer), shape.count == entry["shape"]?.array?.count,
        let offsets = entry["data_offsets"]?.array?.compactMap(\.integer), offsets.count == 2
      else { throw reader.fail("the header's entry for \(name) lacks dtype, shape or data_offsets; it is damaged") }
      guard let type = types[typeName] else {
        throw reader.fail("tensor \(name) has the type \(typeName), which Martlet does not read")
      }
      guard shape.count <= 8, shape.allSatisfy({ $0 >= 0 }), let bytes = type.byteCount(shape: shape),
        offsets[0] >= 0, offsets[0] <= offsets[1], offsets[1] <= available, offsets[1] - offsets[0] == bytes
      else {
        throw reader.fail(
          "tensor \(name) of shape \(shape) lies at bytes \(offsets) of \(available); the file is truncated or damaged")
      }
      let range = start + offsets[0]..<start + offsets[1]
      tensors.append((CheckpointTensor(name: name, type: type, shape: shape, file: file, range: range), range))
    }
    tensors.sort { ($0.1.lowerBound, $0.1.upperBound, $0.0.name) < ($1.1.lowerBound, $1.1.upperBound, $1.0.name) }
    for (first, second) in zip(tensors, tensors.dropFirst()) where second.1.lowerBound < first.1.upperBound {
      throw reader.fail("tensors \(first.0.name) and \(second.0.name) overlap; the file is damaged")
    }
    return try Checkpoint(
      format: .safetensors, path: path, tensors: tensors.map(\.0), metadata: header["__metadata__"]?.object ?? [:])
  }

  /// Opens the shards that an index (`model.safetensors.index.json`) names, all in its folder.
  public static func openIndex(_ path: String) throws -> Checkpoint {
    try openShards(path) { try open($0) }
  }

  /// Writes tensors in the given order; `write` hands over each one's bytes in pieces.
  /// The file appears under its name only when it is whole.
  public static func write(
    to path: String, tensors: [(name: String, type: FileType, shape: [Int])], metadata: [String: String] = [:],
    bytes: (_ index: Int, _ write: (UnsafeRawBufferPointer) throws -> Void) throws -> Void
  ) throws {
    let names = Dictionary(types.map { ($1, $0) }) { first, _ in first }
    var header: [String: Any] = metadata.isEmpty ? [:] : ["__metadata__": metadata]
    var offset = 0
    var sizes: [Int] = []
    for tensor in tensors {
      guard let type = names[tensor.type], let size = tensor.type.byteCount(shape: tensor.shape) else {
        throw CheckpointError(
          file: path,
          "safetensors has no type for \(tensor.name) (\(tensor.type)); write GGUF, or choose f32, f16 or bf16")
      }
      header[tensor.name] = ["dtype": type, "shape": tensor.shape, "data_offsets": [offset, offset + size]]
      sizes.append(size)
      offset += size
    }
    var json = try JSONSerialization.data(withJSONObject: header, options: [.sortedKeys, .withoutEscapingSlashes])
    json.append(Data(repeating: 0x20, count: (8 - json.count % 8) % 8))
    let output = try AtomicFile(path: path)
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

/// Opens every file that the `weight_map` of an index names and joins them.
func openShards(_ path: String, open: (String) throws -> Checkpoint) throws -> Checkpoint {
  guard let map = try readJSONObject(path)["weight_map"]?.object else {
    throw CheckpointError(file: path, "it has no weight_map; it is not an index of shards")
  }
  let folder = (path as NSString).deletingLastPathComponent
  var shards: [String: Checkpoint] = [:]
  var tensors: [CheckpointTensor] = []
  for (name, value) in map.sorted(by: { $0.key < $1.key }) {
    guard let shard = value.string, !shard.contains("/"), !shard.isEmpty, shard != "..", shards.count < 10_000 else {
      throw CheckpointError(file: path, "the shard of \(name) is not a plain file name; the index is damaged")
    }
    if shards[shard] == nil { shards[shard] = try open((folder as NSString).appendingPathComponent(shard)) }
    guard let tensor = shards[shard]?[name] else {
      throw CheckpointError(
        file: path, "\(shard) lacks the tensor \(name) that the index places there; fetch both again")
    }
    tensors.append(tensor)
  }
  guard let format = shards.values.first?.format else { throw CheckpointError(file: path, "the index names no tensor") }
  return try Checkpoint(format: format, path: path, tensors: tensors)
}
