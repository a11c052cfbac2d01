/// Reads little-endian numbers from untrusted bytes; every step is checked against the end.
package struct ByteReader {
  package let bytes: UnsafeRawBufferPointer
  package let file: String
  package private(set) var position = 0

  package init(_ bytes: UnsafeRawBufferPointer, file: String) {
    self.bytes = bytes
    self.file = file
  }

  package var remaining: Int { bytes.count - position }

  package func fail(_ problem: String) -> FileError { FileError(file: file, problem) }

  private func need(_ count: Int, _ what: String) throws {
    guard count >= 0, count <= remaining else {
      throw fail("it ends at byte \(bytes.count) inside \(what) (byte \(position)); it is truncated, fetch it again")
    }
  }

  package mutating func seek(_ position: Int) throws {
    guard position >= 0, position <= bytes.count else {
      throw fail("an offset of \(position) lies outside its \(bytes.count) bytes; the file is damaged, fetch it again")
    }
    self.position = position
  }

  package mutating func integer<T: FixedWidthInteger>(_ type: T.Type, _ what: String) throws -> T {
    try need(MemoryLayout<T>.size, what)
    defer { position += MemoryLayout<T>.size }
    return T(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: T.self))
  }

  /// A 64-bit count or offset that must fit the file: at most `limit`.
  package mutating func size(_ what: String, limit: Int? = nil) throws -> Int {
    let value = try integer(UInt64.self, what)
    let limit = limit ?? bytes.count
    guard value <= UInt64(max(0, limit)) else {
      throw fail("\(what) is \(value), more than the size of the file; it is damaged, fetch it again")
    }
    return Int(value)
  }

  package mutating func take(_ count: Int, _ what: String) throws -> UnsafeRawBufferPointer {
    try need(count, what)
    defer { position += count }
    return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
  }

  package mutating func string(_ count: Int, _ what: String) throws -> String {
    let raw = try take(count, what)
    guard let text = String(validating: raw, as: UTF8.self) else {
      throw fail("\(what) (byte \(position - count)) is not UTF-8; the file is damaged")
    }
    return text
  }
}

/// The product of untrusted sizes; nil where it, or a part of it, overflows.
package func product(_ factors: [Int]) -> Int? {
  var result = 1
  for factor in factors.sorted(by: >) {  // a zero must not hide an overflow before it
    let (value, overflow) = result.multipliedReportingOverflow(by: factor)
    if overflow || factor < 0 { return nil }
    result = value
  }
  return result
}
