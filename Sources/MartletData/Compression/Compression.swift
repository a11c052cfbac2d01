/// How a file of data is compressed, detected from its first bytes.
public enum Compression: Sendable, Equatable {
  /// A compression that Martlet reads.
  case gzip, zstandard
  /// A compression that Martlet does not read; `command` decompresses such a file.
  case other(name: String, command: String)

  /// Detects the compression from the first bytes of a file; nil if the file is not compressed.
  public init?(_ bytes: some Collection<UInt8>) {
    let first = Array(bytes.prefix(6))
    if first.starts(with: [0x1f, 0x8b]) {
      self = .gzip
    } else if first.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) {
      self = .zstandard
    } else if first.starts(with: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]) {
      self = .other(name: "an xz file", command: "xz -dk")
    } else if first.starts(with: Array("BZh".utf8)), first.count > 3, (0x31...0x39).contains(first[3]) {
      self = .other(name: "a bzip2 file", command: "bzip2 -dk")
    } else if first.starts(with: [0x04, 0x22, 0x4d, 0x18]) {
      self = .other(name: "an lz4 file", command: "lz4 -dk")
    } else if first.starts(with: [0x50, 0x4b, 0x03, 0x04]) || first.starts(with: [0x50, 0x4b, 0x05, 0x06]) {
      self = .other(name: "a ZIP archive", command: "unzip")
    } else if first.starts(with: [0x37, 0x7a, 0xbc, 0xaf]) {
      self = .other(name: "a 7-Zip archive", command: "7z x")
    } else {
      return nil
    }
  }

  /// Most bytes that a packed file may hold.
  static let mostBytes = 2 << 30
  /// Above this many bytes a file that grows more than 100 times is taken for one that is made to fill the memory.
  static let suspicious = 64 << 20

  /// Whether so many bytes, unpacked from so many, are more than is allowed.
  static func isTooLarge(_ written: Int, _ read: Int) -> Bool {
    written > mostBytes || written > suspicious && written / 100 > read
  }

  /// Decompresses the bytes of a file.
  /// - Throws: ``FileError`` that names the file, what is wrong, and the command that decompresses it.
  public func unpack(_ bytes: UnsafeRawBufferPointer, of path: String) throws -> [UInt8] {
    switch self {
    case .gzip: return try Gzip.unpack(bytes, of: path)
    case .zstandard: return try Zstandard.unpack(bytes, of: path)
    case .other(let name, let command):
      throw FileError(file: path, "this is \(name); unpack it first, e.g. \(command) \(path)")
    }
  }

  static func tooLarge(_ path: String) -> FileError {
    FileError(
      file: path,
      "it unpacks to more than the limit (2 GiB, or 100 times its size); unpack it and give the part that you need")
  }
}

/// gzip files (RFC 1952), of one member or several.
package enum Gzip {
  static func unpack(_ bytes: UnsafeRawBufferPointer, of path: String) throws -> [UInt8] {
    func fail(_ problem: String) -> FileError {
      FileError(file: path, "it is a gzip file, but \(problem); fetch it again")
    }
    var output: [UInt8] = []
    var at = 0
    // Zeros behind the last member are padding.
    while at < bytes.count, bytes[at...].contains(where: { $0 != 0 }) {
      guard let start = header(bytes, at) else {
        throw fail(at == 0 ? "its header is damaged or cut off" : "the data after its end is not gzip")
      }
      let before = output.count
      let member: [UInt8]
      do throws(Inflate.Problem) {
        (member, at) = try Inflate.expand(bytes, from: start) { Compression.isTooLarge(before + $0, $1) }
      } catch {
        switch error {
        case .cutOff: throw fail("it is cut off")
        case .damaged: throw fail("it is damaged")
        case .tooLarge: throw Compression.tooLarge(path)
        }
      }
      guard at + 8 <= bytes.count else { throw fail("it is cut off") }
      var checksum = CRC32()
      member.withUnsafeBytes { checksum.update($0) }
      let said = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self))
      let length = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: at + 4, as: UInt32.self))
      guard checksum.value == said, UInt32(truncatingIfNeeded: member.count) == length else {
        throw fail("its checksum is wrong")
      }
      at += 8
      output = output.isEmpty ? member : output + member
    }
    return output
  }

  /// Where a member's data begins.
  private static func header(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int? {
    guard start + 10 <= bytes.count, bytes[start] == 0x1f, bytes[start + 1] == 0x8b, bytes[start + 2] == 8 else {
      return nil
    }
    let flags = bytes[start + 3]
    var at = start + 10
    if flags & 4 != 0 {
      guard at + 2 <= bytes.count else { return nil }
      at += 2 + Int(bytes[at]) + Int(bytes[at + 1]) << 8
    }
    for flag in [UInt8(8), 16] where flags & flag != 0 {
      guard at < bytes.count, let end = bytes[at...].firstIndex(of: 0) else { return nil }
      at = end + 1
    }
    if flags & 2 != 0 { at += 2 }
    return at < bytes.count ? at : nil
  }
}
