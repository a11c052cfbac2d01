import MartletData

/// The `.bin` format of rwkv.cpp, version 101 (magic "ggmf"): six header integers, then tensors to the end.
public enum RWKVCpp {
  static let magic: UInt32 = 0x6767_6d66
  private static let types: [Int32: FileType] = [
    0: .f32, 1: .f16, 2: .q4_0, 3: .q4_1, 7: .q5_0, 8: .q5_1, 9: .q8_0,
  ]

  /// Opens a file of rwkv.cpp.
  public static func open(_ path: String) throws -> Checkpoint {
    let file = try MappedFile(path: path)
    var reader = ByteReader(file.bytes, file: path)
    guard try reader.integer(UInt32.self, "the magic") == magic else { throw reader.fail("it is not an rwkv.cpp file") }
    let version = try reader.integer(Int32.self, "the version")
    guard version == 100 || version == 101 else {
      throw reader.fail("rwkv.cpp file version \(version) is not supported (100 and 101 are); convert the model again")
    }
    var metadata: [String: MetadataValue] = [:]
    for name in ["n_vocab", "n_embed", "n_layer", "data_type"] {
      metadata[name] = .integer(Int(try reader.integer(Int32.self, name)))
    }
    var tensors: [CheckpointTensor] = []
    while reader.remaining > 0 {
      let axes = try reader.integer(Int32.self, "a tensor's axes")
      let length = try reader.integer(Int32.self, "a tensor name's length")
      let code = try reader.integer(Int32.self, "a tensor's type")
      guard (1...4).contains(axes), (1...1024).contains(length) else {
        throw reader.fail(
          "a tensor at byte \(reader.position) has \(axes) axes and a name of \(length) bytes; it is damaged")
      }
      let shape = try (0..<axes).map { _ in Int(try reader.integer(Int32.self, "a shape")) }
      let name = try reader.string(Int(length), "a tensor name")
      guard let type = types[code] else { throw reader.fail("tensor \(name) has the unknown type \(code)") }
      guard let bytes = type.byteCount(shape: shape.reversed()), bytes <= reader.remaining else {
        throw reader.fail(
          "tensor \(name) of shape \(shape) reaches past the end; the file is truncated, fetch it again")
      }
      let start = reader.position
      try reader.seek(start + bytes)
      tensors.append(
        CheckpointTensor(name: name, type: type, shape: shape.reversed(), file: file, range: start..<start + bytes))
    }
    return try Checkpoint(format: .rwkvCpp, path: path, tensors: tensors, metadata: metadata)
  }
}
