/// Data in the format zlib (RFC 1950), as PNG files hold them.
package enum Zlib {
  /// Expands a stream.
  /// - Parameters:
  ///   - bytes: the stream, from its two bytes of header to its checksum.
  ///   - path: the file, for messages.
  ///   - most: more bytes than this are refused.
  /// - Throws: ``FileError`` if the stream is damaged, cut off or larger than `most`.
  package static func unpack(_ bytes: [UInt8], of path: String, most: Int) throws -> [UInt8] {
    func fail(_ problem: String) -> FileError {
      FileError(file: path, "its compressed data \(problem); fetch or save it again")
    }
    guard bytes.count > 2, bytes[0] & 15 == 8, (Int(bytes[0]) << 8 + Int(bytes[1])) % 31 == 0, bytes[1] & 32 == 0 else {
      throw fail("have a damaged header")
    }
    let (output, end): ([UInt8], Int)
    do {
      (output, end) = try bytes.withUnsafeBytes { try Inflate.expand($0, from: 2) { written, _ in written > most } }
    } catch let problem as Inflate.Problem {
      switch problem {
      case .cutOff: throw fail("are cut off")
      case .damaged: throw fail("are damaged")
      case .tooLarge: throw fail("hold more than the image's size allows")
      }
    }
    guard end + 4 <= bytes.count else { throw fail("are cut off") }
    let said = bytes[end..<end + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    guard said == adler32(output) else { throw fail("have a wrong checksum") }
    return output
  }

  /// A stream of the bytes in stored blocks, which every reader expands.
  package static func stored(_ bytes: [UInt8]) -> [UInt8] {
    var output: [UInt8] = [0x78, 0x01]
    var start = 0
    repeat {
      let end = min(bytes.count, start + 65_535), count = end - start
      output += [
        end == bytes.count ? 1 : 0, UInt8(count & 255), UInt8(count >> 8), UInt8(~count & 255),
        UInt8(~count >> 8 & 255),
      ]
      output += bytes[start..<end]
      start = end
    } while start < bytes.count
    let sum = adler32(bytes)
    return output + (0..<4).map { UInt8(truncatingIfNeeded: sum >> UInt32(24 - 8 * $0)) }
  }

  private static func adler32(_ bytes: [UInt8]) -> UInt32 {
    var a: UInt32 = 1, b: UInt32 = 0
    for byte in bytes {
      a = (a + UInt32(byte)) % 65_521
      b = (b + a) % 65_521
    }
    return b << 16 | a
  }
}
