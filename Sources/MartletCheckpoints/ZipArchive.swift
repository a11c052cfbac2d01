import MartletData

/// Reads the table of a ZIP file (with ZIP64) whose entries are stored without compression.
struct ZipArchive {
  struct Entry {
    let name: String
    let range: Range<Int>
  }

  let entries: [String: Entry]

  init(_ file: MappedFile) throws {
    var reader = ByteReader(file.bytes, file: file.path)
    let size = file.bytes.count
    // The end record is 22 bytes and a comment of at most 65,535.
    guard size >= 22,
      let end = (max(0, size - 22 - 65_535)...size - 22).reversed().first(where: { at in
        file.bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self) == UInt32(littleEndian: 0x0605_4b50)
      })
    else { throw reader.fail("it has no ZIP directory; it is truncated, or not a PyTorch file") }
    try reader.seek(end + 10)
    var count = Int(try reader.integer(UInt16.self, "the entry count"))
    var length = Int(try reader.integer(UInt32.self, "the directory's size"))
    var start = Int(try reader.integer(UInt32.self, "the directory's offset"))
    if count == 0xffff || length == 0xffff_ffff || start == 0xffff_ffff {
      guard end >= 20 else { throw reader.fail("its ZIP64 directory is missing; it is truncated") }
      try reader.seek(end - 20)
      guard try reader.integer(UInt32.self, "the ZIP64 locator") == 0x0706_4b50 else {
        throw reader.fail("its ZIP64 directory is missing; it is truncated")
      }
      _ = try reader.integer(UInt32.self, "a disk number")
      try reader.seek(try reader.size("the ZIP64 directory's offset"))
      guard try reader.integer(UInt32.self, "the ZIP64 record") == 0x0606_4b50 else {
        throw reader.fail("its ZIP64 directory is damaged")
      }
      try reader.seek(reader.position + 28)
      count = try reader.size("the entry count")
      length = try reader.size("the directory's size")
      start = try reader.size("the directory's offset")
    }
    guard count <= size / 46 else { throw reader.fail("\(count) ZIP entries cannot fit in it; it is damaged") }
    guard length <= size, start <= size - length else {
      throw reader.fail("its ZIP directory lies outside it; it is damaged")
    }
    try reader.seek(start)
    var entries: [String: Entry] = [:]
    for _ in 0..<count {
      guard try reader.integer(UInt32.self, "a directory entry") == 0x0201_4b50 else {
        throw reader.fail("its ZIP directory is damaged at byte \(reader.position - 4)")
      }
      try reader.seek(reader.position + 4)
      let flags = try reader.integer(UInt16.self, "flags")
      let method = try reader.integer(UInt16.self, "a method")
      try reader.seek(min(reader.position + 8, size))
      var packed = UInt64(try reader.integer(UInt32.self, "a size"))
      var plain = UInt64(try reader.integer(UInt32.self, "a size"))
      let nameLength = Int(try reader.integer(UInt16.self, "a length"))
      let extraLength = Int(try reader.integer(UInt16.self, "a length"))
      let commentLength = Int(try reader.integer(UInt16.self, "a length"))
      try reader.seek(min(reader.position + 8, size))
      var offset = UInt64(try reader.integer(UInt32.self, "an offset"))
      let name = try reader.string(nameLength, "an entry's name")
      var extra = ByteReader(try reader.take(extraLength, "an extra field"), file: file.path)
      while extra.remaining >= 4 {
        let kind = try extra.integer(UInt16.self, "an extra field")
        var body = ByteReader(
          try extra.take(Int(try extra.integer(UInt16.self, "a length")), "an extra field"), file: file.path)
        guard kind == 1 else { continue }
        if plain == 0xffff_ffff { plain = try body.integer(UInt64.self, "a ZIP64 size") }
        if packed == 0xffff_ffff { packed = try body.integer(UInt64.self, "a ZIP64 size") }
        if offset == 0xffff_ffff { offset = try body.integer(UInt64.self, "a ZIP64 offset") }
      }
      _ = try reader.take(commentLength, "a comment")
      guard method == 0, flags & 1 == 0, packed == plain else {
        throw reader.fail("its entry \(name) is compressed or encrypted; save it again with torch.save")
      }
      guard offset <= UInt64(size), plain <= UInt64(size) else {
        throw reader.fail("its entry \(name) lies outside it; it is truncated, fetch it again")
      }
      var local = ByteReader(file.bytes, file: file.path)
      try local.seek(Int(offset))
      guard try local.integer(UInt32.self, "a local header") == 0x0403_4b50 else {
        throw reader.fail("the header of \(name) is damaged")
      }
      try local.seek(min(local.position + 22, size))
      let skip = Int(try local.integer(UInt16.self, "a length")) + Int(try local.integer(UInt16.self, "a length"))
      try local.seek(local.position + skip)
      guard Int(plain) <= local.remaining else {
        throw reader.fail("its entry \(name) reaches past the end; it is truncated, fetch it again")
      }
      guard
        entries.updateValue(Entry(name: name, range: local.position..<local.position + Int(plain)), forKey: name) == nil
      else { throw reader.fail("it contains the entry \(name) twice; it is damaged") }
    }
    self.entries = entries
  }
}
