/// The GGUF format of llama.cpp, versions 2 and 3 (little-endian).
public enum GGUF {
  private static let magic: UInt32 = 0x4655_4747

  public static func open(_ path: String) throws -> Checkpoint {
    try read(MappedFile(path: path))
  }

  /// Reads a file that is in memory already.
  public static func read(_ file: MappedFile) throws -> Checkpoint {
    let path = file.path
    var reader = ByteReader(file.bytes, file: path)
    guard try reader.integer(UInt32.self, "the magic") == magic else { throw reader.fail("it is not a GGUF file") }
    let version = try reader.integer(UInt32.self, "the version")
    guard version == 2 || version == 3 else {
      throw reader.fail("GGUF version \(version) is not supported (2 and 3 are); convert the model again")
    }
    let tensorCount = try reader.size("the tensor count", limit: file.bytes.count / 24)
    let metadataCount = try reader.size("the metadata count", limit: file.bytes.count / 12)
    var metadata: [String: MetadataValue] = [:]
    for _ in 0..<metadataCount {
      let key = try reader.string(reader.size("a key's length"), "a key")
      metadata[key] = try value(&reader, type: reader.integer(UInt32.self, "the type of \(key)"), depth: 0)
    }
    struct Entry {
      let name: String
      let type: FileType
      let shape: [Int]
      let offset: Int
    }
    var entries: [Entry] = []
    for _ in 0..<tensorCount {
      let name = try reader.string(reader.size("a tensor name's length"), "a tensor name")
      let axes = try reader.integer(UInt32.self, "the axes of \(name)")
      guard axes <= 4 else { throw reader.fail("tensor \(name) has \(axes) axes; the file is damaged") }
      let shape = try (0..<axes).map { _ in try reader.size("an axis of \(name)", limit: 1 << 40) }
      let code = try reader.integer(Int32.self, "the type of \(name)")
      guard let type = FileType(rawValue: code), code < 1000 else {
        throw reader.fail(
          "tensor \(name) has the block type \(code), which Martlet does not read; use a file in Q4_0, Q4_1, Q5, Q8_0, K-quants, F16, BF16 or F32"
        )
      }
      entries.append(Entry(name: name, type: type, shape: shape.reversed(), offset: try reader.size("an offset")))
    }
    let alignment = metadata["general.alignment"]?.integer ?? 32
    guard alignment > 0, alignment <= 1 << 20, alignment & (alignment - 1) == 0 else {
      throw reader.fail("an alignment of \(alignment) is not a power of two; the file is damaged")
    }
    let start = (reader.position + alignment - 1) / alignment * alignment
    var tensors: [CheckpointTensor] = []
    for entry in entries {
      guard let bytes = entry.type.byteCount(shape: entry.shape), bytes <= file.bytes.count,
        start + entry.offset + bytes <= file.bytes.count
      else {
        throw reader.fail(
          "tensor \(entry.name) (\(entry.type) \(entry.shape)) reaches past the end at byte \(file.bytes.count); the file is truncated, fetch it again"
        )
      }
      let range = start + entry.offset..<start + entry.offset + bytes
      tensors.append(CheckpointTensor(name: entry.name, type: entry.type, shape: entry.shape, file: file, range: range))
    }
    let ordered = tensors.filter { !$0.range.isEmpty }.sorted { $0.range.lowerBound < $1.range.lowerBound }
    for (first, second) in zip(ordered, ordered.dropFirst()) where second.range.lowerBound < first.range.upperBound {
      throw reader.fail("tensors \(first.name) and \(second.name) overlap; the file is damaged")
    }
    return try Checkpoint(format: .gguf, path: path, tensors: tensors, metadata: metadata)
  }

  private static func value(_ reader: inout ByteReader, type: UInt32, depth: Int) throws -> MetadataValue {
    switch type {
    case 0: return .integer(Int(try reader.integer(UInt8.self, "a value")))
    case 1: return .integer(Int(try reader.integer(Int8.self, "a value")))
    case 2: return .integer(Int(try reader.integer(UInt16.self, "a value")))
    case 3: return .integer(Int(try reader.integer(Int16.self, "a value")))
    case 4: return .integer(Int(try reader.integer(UInt32.self, "a value")))
    case 5: return .integer(Int(try reader.integer(Int32.self, "a value")))
    case 6: return .real(Double(Float(bitPattern: try reader.integer(UInt32.self, "a value"))))
    case 7: return .bool(try reader.integer(UInt8.self, "a value") != 0)
    case 8: return .string(try reader.string(reader.size("a string's length"), "a string"))
    case 9:
      let element = try reader.integer(UInt32.self, "an array's type")
      guard depth < 4 else { throw reader.fail("its metadata nests arrays too deeply; the file is damaged") }
      let least = [1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8]
      guard element < least.count else { throw reader.fail("unknown metadata type \(element)") }
      let count = try reader.size("an array's length", limit: reader.remaining / least[Int(element)])
      var values: [MetadataValue] = []
      values.reserveCapacity(count)
      for _ in 0..<count { values.append(try value(&reader, type: element, depth: depth + 1)) }
      return .array(values)
    case 10:
      let wide = try reader.integer(UInt64.self, "a value")
      return Int(exactly: wide).map { .integer($0) } ?? .unsigned(wide)
    case 11: return .integer(Int(try reader.integer(Int64.self, "a value")))
    case 12: return .real(Double(bitPattern: try reader.integer(UInt64.self, "a value")))
    default: throw reader.fail("unknown metadata type \(type) at byte \(reader.position); the file is damaged")
    }
  }

  /// Writes a version 3 file; `bytes` hands over each tensor's bytes in pieces.
  public static func write(
    to path: String, tensors: [(name: String, type: FileType, shape: [Int])], metadata: [(String, MetadataValue)],
    bytes: (_ index: Int, _ write: (UnsafeRawBufferPointer) throws -> Void) throws -> Void
  ) throws {
    var head: [UInt8] = []
    func put<T: FixedWidthInteger>(_ value: T) {
      withUnsafeBytes(of: value.littleEndian) { head.append(contentsOf: $0) }
    }
    func put(_ text: String) {
      put(UInt64(text.utf8.count))
      head.append(contentsOf: text.utf8)
    }
    func put(_ value: MetadataValue) {
      switch value {
      case .integer(let value):
        if value >= 0 { put(UInt64(value)) } else { put(Int64(value)) }
      case .unsigned(let value): put(value)
      case .real(let value): put(Float(value).bitPattern)
      case .bool(let value): put(UInt8(value ? 1 : 0))
      case .string(let value): put(value)
      case .array(let values):
        // Numbers go in 32 bits, as llama.cpp expects token types to.
        let narrow = values.compactMap(\.integer).compactMap { Int32(exactly: $0) }
        if narrow.count == values.count, !values.isEmpty, case .integer = values[0] {
          put(UInt32(5))
          put(UInt64(values.count))
          narrow.forEach { put($0) }
        } else {
          put(values.first.map(code) ?? 8)
          put(UInt64(values.count))
          values.forEach { put($0) }
        }
      case .object, .null: break
      }
    }
    put(magic)
    put(UInt32(3))
    put(UInt64(tensors.count))
    put(UInt64(metadata.count))
    for (key, value) in metadata {
      put(key)
      // llama.cpp reads most numbers as 32-bit unsigned
      if case .integer(let number) = value, number >= 0, number <= UInt32.max {
        put(UInt32(4))
        put(UInt32(number))
      } else {
        put(code(value))
        put(value)
      }
    }
    var offset = 0
    var sizes: [Int] = []
    for tensor in tensors {
      guard tensor.type.rawValue < 1000, let size = tensor.type.byteCount(shape: tensor.shape) else {
        throw CheckpointError(
          file: path, "tensor \(tensor.name) (\(tensor.type) \(tensor.shape)) cannot be written to GGUF")
      }
      put(tensor.name)
      put(UInt32(tensor.shape.count))
      tensor.shape.reversed().forEach { put(UInt64($0)) }
      put(tensor.type.rawValue)
      put(UInt64(offset))
      sizes.append(size)
      offset += (size + 31) / 32 * 32
    }
    head.append(contentsOf: [UInt8](repeating: 0, count: (32 - head.count % 32) % 32))
    let output = try AtomicFile(path: path)
    try head.withUnsafeBytes { try output.write($0) }
    for (index, size) in sizes.enumerated() {
      var written = 0
      try bytes(index) {
        written += $0.count
        try output.write($0)
      }
      precondition(written == size, "\(tensors[index].name): \(written) bytes written for \(size)")
      try [UInt8](repeating: 0, count: (32 - size % 32) % 32).withUnsafeBytes { try output.write($0) }
    }
    try output.commit()
  }

  private static func code(_ value: MetadataValue) -> UInt32 {
    switch value {
    case .integer(let number): number >= 0 ? 10 : 11
    case .unsigned: 10
    case .real: 6
    case .bool: 7
    case .string, .object, .null: 8
    case .array: 9
    }
  }
}
