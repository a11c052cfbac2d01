/// Where a value stands in a JSON text, for errors that concern its meaning.
package struct JSONPlace: Sendable {
  /// A step from a value to a part of it.
  package enum Step: Sendable, Equatable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    /// The member with this name.
    case key(String)
    /// The element at this place.
    case index(Int)

    package init(stringLiteral value: String) { self = .key(value) }
    package init(integerLiteral value: Int) { self = .index(value) }
  }

  /// The line on which the value at the end of a path begins, counted from 1; of a path that leads nowhere, the line of the last part that is
  /// there. The text must have been parsed without an error.
  package static func line(of path: [Step], in bytes: some Collection<UInt8>) -> Int {
    var scan = JSONScan(bytes: Array(bytes))
    scan.skipSpace()
    var line = scan.line
    for step in path {
      guard scan.enter(step) else { break }
      line = scan.line
    }
    return line
  }
}

/// Walks through a JSON text without making values.
private struct JSONScan {
  let bytes: [UInt8]
  var at = 0

  var line: Int { bytes[..<min(at, bytes.count)].count { $0 == 0x0a } + 1 }
  private var byte: UInt8? { at < bytes.count ? bytes[at] : nil }

  mutating func skipSpace() {
    while let byte, [0x20, 0x0a, 0x0d, 0x09].contains(byte) { at += 1 }
  }

  /// Goes to a part of the value that begins here; false where there is none such.
  mutating func enter(_ step: JSONPlace.Step) -> Bool {
    let start = at
    let isObject = byte == UInt8(ascii: "{")
    guard isObject || byte == UInt8(ascii: "[") else { return false }
    at += 1
    var place = 0
    var found: Int?
    while true {
      skipSpace()
      guard let byte, byte != UInt8(ascii: "}"), byte != UInt8(ascii: "]") else { break }
      var isWanted = step == .index(place)
      if isObject {
        let name = at
        skipValue()
        isWanted = (try? JSONValue(parsing: bytes[name..<at]).string).map { .key($0) == step } ?? false
        skipSpace()
        at += 1
        skipSpace()
      }
      // Of a name that occurs twice the last value counts.
      if isWanted { found = at }
      skipValue()
      skipSpace()
      if self.byte == UInt8(ascii: ",") { at += 1 }
      place += 1
    }
    at = found ?? start
    return found != nil
  }

  private mutating func skipValue() {
    var depth = 0
    repeat {
      guard let byte else { return }
      switch byte {
      case UInt8(ascii: "\""):
        at += 1
        while let inner = self.byte, inner != UInt8(ascii: "\"") { at += inner == UInt8(ascii: "\\") ? 2 : 1 }
        at += 1
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
        at += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth -= 1
        at += 1
      case UInt8(ascii: ","), UInt8(ascii: ":"), 0x20, 0x0a, 0x0d, 0x09: at += 1
      default:
        while let inner = self.byte, !Self.ends.contains(inner) { at += 1 }
      }
    } while depth > 0
  }

  private static let ends: Set<UInt8> = Set(",:]}[{\" \n\r\t".utf8)
}
