import MartletData

extension PyTorch {
  /// 0x1950a86a20f9469cfc6c, as a pickle's LONG1 and in protocols 0 and 1.
  private static let magic: [UInt8] = [0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]
  private static let textMagic = Array("L119547037146038801333356L\n".utf8)

  /// Whether a file is one of torch.save before version 1.6.
  static func isLegacy(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let head = Array(bytes.prefix(32))
    guard head.first == 0x80 else { return head.starts(with: textMagic) }
    // Behind PROTO, and in protocol 4 and later FRAME.
    return [2, 11].contains { head.dropFirst($0).starts(with: magic) || head.dropFirst($0).starts(with: textMagic) }
  }

  /// Five pickles (magic number, version, facts of the machine, the dictionary, the storages' keys), then each storage:
  /// its count in 64 bits and its elements.
  static func openLegacy(_ file: MappedFile) throws -> Checkpoint {
    var reader = ByteReader(file.bytes, file: file.path)
    _ = try Pickle.load(&reader)
    _ = try Pickle.load(&reader)
    let machine = try Pickle.load(&reader)
    let littleEndian = machine.entries(machine.root)?.last { $0.key == "little_endian" }?.value
    if case .bool(false)? = littleEndian {
      throw reader.fail("it was saved on a big-endian machine; save it again on a little-endian one")
    }
    let graph = try Pickle.load(&reader)
    let keys = try Pickle.load(&reader)
    var types: [String: FileType] = [:]
    for case .storage(let storage) in graph.nodes.map(\.kind) { types[storage.key] = storage.type ?? .u8 }
    var storages: [String: Range<Int>] = [:]
    for case .string(let key) in keys.node(keys.root)?.items ?? [] {
      let count = try reader.size("the size of storage \(key)")
      guard let type = types[key], let bytes = product([count, type.blockByteCount]) else {
        throw reader.fail("its storage \(key) belongs to no tensor; the file is damaged")
      }
      let start = reader.position
      _ = try reader.take(bytes, "storage \(key)")
      storages[key] = start..<start + bytes
    }
    return try checkpoint(graph, file) { storages[$0] }
  }
}
