extension [UInt8] {
  /// The 32-bit number at `offset`, lowest byte first; nil beyond the end.
  func number32(at offset: Int) -> UInt32? {
    guard offset >= 0, offset <= count - 4 else { return nil }
    return (0..<4).reduce(0) { $0 | UInt32(self[offset + $1]) << (8 * UInt32($1)) }
  }

  func number16(at offset: Int) -> UInt32? {
    guard offset >= 0, offset <= count - 2 else { return nil }
    return UInt32(self[offset]) | UInt32(self[offset + 1]) << 8
  }
}

/// mmddyyyy in binary-coded decimal as year-month-day.
func bcdDate(_ value: UInt32) -> String {
  func digits(_ value: UInt32, _ count: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: max(0, count - text.count)) + text
  }
  return "\(digits(value & 0xffff, 4))-\(digits(value >> 24, 2))-\(digits(value >> 16 & 0xff, 2))"
}
