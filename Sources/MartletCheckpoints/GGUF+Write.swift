import MartletData

extension GGUF {
  /// Writes a file of version 3. `bytes` passes the bytes of each tensor in pieces.
  public static func write(
    to path: String, tensors: [(name: String, type: FileType, shape: [Int])], metadata: [(String, MetadataValue)],
    replaces: Bool = true, bytes: (_ index: Int, _ write: ByteSink) throws -> Void
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
      case .numbers(let values):
        put(values.type.rawValue)
        put(UInt64(values.count))
        head.append(contentsOf: values.bytes)
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
        throw FileError(
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
    let output = try AtomicFile(path: path, replaces: replaces)
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
    case .array, .numbers: 9
    }
  }
}
