/// The checksum of ZIP (ISO 3309).
package struct CRC32 {
  private static let table: [[UInt32]] = {
    var first: [UInt32] = (0..<256).map { index in
      var value = UInt32(index)
      for _ in 0..<8 { value = value & 1 == 1 ? 0xedb8_8320 ^ (value >> 1) : value >> 1 }
      return value
    }
    var tables = [first]
    for _ in 1..<8 {
      first = first.map { value in tables[0][Int(value & 255)] ^ (value >> 8) }
      tables.append(first)
    }
    return tables
  }()

  private var state: UInt32 = 0xffff_ffff

  package init() {}

  package var value: UInt32 { ~state }

  /// Eight bytes at a time ("slicing by 8").
  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    let tables = Self.table
    var place = 0
    while place + 8 <= bytes.count {
      let word = bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self).littleEndian ^ UInt64(state)
      var next: UInt32 = 0
      for lane in 0..<8 {
        let byte = Int((word >> UInt64(8 * lane)) & 255)
        next ^= tables[7 - lane][byte]
      }
      state = next
      place += 8
    }
    while place < bytes.count {
      let byte = Int((state ^ UInt32(bytes[place])) & 255)
      state = tables[0][byte] ^ (state >> 8)
      place += 1
    }
  }
}
