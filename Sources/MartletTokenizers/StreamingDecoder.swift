/// Decodes UTF-8 that arrives piece by piece without splitting a code point. Invalid bytes become U+FFFD, as in
/// `String(decoding:as:)`.
public struct StreamingDecoder: Sendable {
  private var pending: [UInt8] = []

  /// A decoder that has received no bytes.
  public init() {}

  /// The text that is complete after `bytes`.
  public mutating func push(_ bytes: some Sequence<UInt8>) -> String {
    pending.append(contentsOf: bytes)
    let keep = Self.unfinished(pending)
    let text = String(decoding: pending.dropLast(keep), as: UTF8.self)
    pending.removeFirst(pending.count - keep)
    return text
  }

  /// The remaining text at the end of the input.
  public mutating func finish() -> String {
    defer { pending = [] }
    return String(decoding: pending, as: UTF8.self)
  }

  /// How many bytes at the end are the start of a code point that may still be completed.
  private static func unfinished(_ bytes: [UInt8]) -> Int {
    for back in 1...3 where back <= bytes.count {
      let byte = bytes[bytes.count - back]
      if byte & 0xc0 == 0x80 { continue }
      let length = byte >= 0xf0 && byte < 0xf5 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc2 ? 2 : 1
      if byte >= 0xf5 || length <= back { return 0 }
      if back >= 2 {  // the second byte of some sequences has a narrower range
        let second = bytes[bytes.count - back + 1]
        let valid: ClosedRange<UInt8> =
          switch byte {
          case 0xe0: 0xa0...0xbf
          case 0xed: 0x80...0x9f
          case 0xf0: 0x90...0xbf
          case 0xf4: 0x80...0x8f
          default: 0x80...0xbf
          }
        if !valid.contains(second) { return 0 }
      }
      return back
    }
    return 0
  }
}
