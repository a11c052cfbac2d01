import Foundation
import MartletData

/// Writes a ZIP of uncompressed entries (ZIP64 where sizes need it), each beginning at a multiple of 64 bytes.
final class StoredArchive {
  private struct Entry {
    let name: String
    let offset, byteCount: Int
    let checksum: UInt32
  }

  private let file: AtomicFile
  private var position = 0
  private var entries: [Entry] = []

  init(path: String, replaces: Bool = true) throws {
    file = try AtomicFile(path: path, replaces: replaces)
  }

  func add(_ name: String, _ bytes: [UInt8]) throws {
    var checksum = CRC32()
    bytes.withUnsafeBytes { checksum.update($0) }
    try begin(name, byteCount: bytes.count, checksum: checksum.value)
    try write(bytes)
  }

  /// Begins an entry; `byteCount` bytes of ``append(_:)`` follow. The checksum stands before the data, so it must be
  /// known already.
  func begin(_ name: String, byteCount: Int, checksum: UInt32) throws {
    let offset = position
    // The extra field FB pads the data to a multiple of 64, as PyTorch's own writer does.
    let isLarge = byteCount >= 0xffff_ffff
    let fixed = 30 + name.utf8.count + (isLarge ? 20 : 0) + 4
    let padding = (64 - (offset + fixed) % 64) % 64
    var header = ByteWriter()
    header.put(UInt32(0x0403_4b50))
    header.put(UInt16(isLarge ? 45 : 20))
    header.put([UInt16](repeating: 0, count: 4))  // flags, stored, time, date
    header.put(checksum)
    header.put([UInt32](repeating: isLarge ? 0xffff_ffff : UInt32(byteCount), count: 2))
    header.put(UInt16(name.utf8.count))
    header.put(UInt16((isLarge ? 20 : 0) + 4 + padding))
    header.bytes += Array(name.utf8)
    if isLarge {
      header.put([UInt16(1), 16])
      header.put([UInt64(byteCount), UInt64(byteCount)])
    }
    header.put([UInt16(0x4246), UInt16(padding)])
    header.bytes += [UInt8](repeating: 0x5a, count: padding)
    try write(header.bytes)
    entries.append(Entry(name: name, offset: offset, byteCount: byteCount, checksum: checksum))
  }

  func append(_ bytes: UnsafeRawBufferPointer) throws {
    try file.write(bytes)
    position += bytes.count
  }

  func finish() throws {
    let start = position
    var directory = ByteWriter()
    for entry in entries {
      let isLarge = entry.byteCount >= 0xffff_ffff || entry.offset >= 0xffff_ffff
      directory.put(UInt32(0x0201_4b50))
      directory.put([UInt16(isLarge ? 45 : 20), UInt16(isLarge ? 45 : 20)])
      directory.put([UInt16](repeating: 0, count: 4))
      directory.put(entry.checksum)
      directory.put([UInt32](repeating: isLarge ? 0xffff_ffff : UInt32(entry.byteCount), count: 2))
      directory.put([UInt16(entry.name.utf8.count), isLarge ? 28 : 0, 0, 0, 0])
      directory.put([UInt32(0), isLarge ? 0xffff_ffff : UInt32(entry.offset)])
      directory.bytes += Array(entry.name.utf8)
      if isLarge {
        directory.put([UInt16(1), 24])
        directory.put([UInt64(entry.byteCount), UInt64(entry.byteCount), UInt64(entry.offset)])
      }
    }
    let size = directory.bytes.count
    if start >= 0xffff_ffff || entries.count >= 0xffff {
      let place = start + size
      directory.put(UInt32(0x0606_4b50))
      directory.put(UInt64(44))
      directory.put([UInt16(45), 45])
      directory.put([UInt32(0), 0])
      directory.put([UInt64(entries.count), UInt64(entries.count), UInt64(size), UInt64(start)])
      directory.put(UInt32(0x0706_4b50))
      directory.put(UInt32(0))
      directory.put(UInt64(place))
      directory.put(UInt32(1))
    }
    directory.put(UInt32(0x0605_4b50))
    directory.put([UInt16(0), 0])
    directory.put([UInt16](repeating: UInt16(clamping: entries.count), count: 2))
    directory.put([UInt32(clamping: size), start >= 0xffff_ffff ? 0xffff_ffff : UInt32(start)])
    directory.put(UInt16(0))
    try write(directory.bytes)
    try file.commit()
  }

  private func write(_ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { try file.write($0) }
    position += bytes.count
  }
}

/// Little-endian bytes.
private struct ByteWriter {
  var bytes: [UInt8] = []
  mutating func put(_ value: some FixedWidthInteger) { withUnsafeBytes(of: value.littleEndian) { bytes += $0 } }
  mutating func put(_ values: [some FixedWidthInteger]) { values.forEach { put($0) } }
}
