import MartletData

/// The values of a file of JSON: one a line, one behind the other over several lines, or the elements of one array.
///
/// Values are found by brackets and quotes alone and parsed later, each by itself, so that one that is damaged does not
/// take the others with it.
struct JSONRecords {
  /// A value that was found, and the line it begins in.
  struct Found: Equatable {
    var range: Range<Int>
    var line: Int
    /// Whether the text ends inside of it.
    var isCutOff = false
  }

  enum Layout: Equatable { case lines, values, array }

  let layout: Layout
  private let bytes: [UInt8]
  private var at: Int
  private var line = 1

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    let start = Self.skippingSpace(bytes, 0)
    layout = Self.layout(bytes, start)
    at = start
    line += bytes[..<start].count { $0 == 0x0a }
    guard layout == .array else { return }
    isWhole = Self.isConversation(bytes, start)
    if !isWhole { at += 1 }
  }

  private static func layout(_ bytes: [UInt8], _ start: Int) -> Layout {
    let isArray = start < bytes.count && bytes[start] == UInt8(ascii: "[")
    guard let end = end(bytes, start) else {
      let firstLine = bytes[start...].prefix { $0 != 0x0a }.filter { $0 > 0x20 }
      if !isArray { return firstLine == [UInt8(ascii: "{")] ? .values : .lines }
      let opensElements = firstLine.count < 2 || [UInt8(ascii: "{"), UInt8(ascii: "[")].contains(firstLine[1])
      return opensElements ? .array : .lines
    }
    let spansLines = bytes[start..<end].contains(0x0a)
    // A line that is a list by itself is followed by others like it.
    if isArray { return spansLines || skippingSpace(bytes, end) == bytes.count ? .array : .lines }
    return spansLines ? .values : .lines
  }

  /// A list of messages and nothing else: it is one value, not a list of them.
  private var isWhole = false

  private static func isConversation(_ bytes: [UInt8], _ start: Int) -> Bool {
    let first = skippingSpace(bytes, start + 1)
    guard let end = end(bytes, first), let value = try? BadRecord.parse(bytes, first..<end) else { return false }
    return value["role"]?.string != nil || value["from"]?.string != nil && value["value"] != nil
  }

  private static func skippingSpace(_ bytes: [UInt8], _ start: Int) -> Int {
    var at = start
    while at < bytes.count, bytes[at] <= 0x20 { at += 1 }
    return at
  }

  /// The end of the value that begins at `start`; nil where the text or, inside a string, the line ends before it.
  private static func end(_ bytes: [UInt8], _ start: Int) -> Int? {
    var at = start, depth = 0
    while at < bytes.count {
      switch bytes[at] {
      case UInt8(ascii: "\""):
        at += 1
        while at < bytes.count, bytes[at] != UInt8(ascii: "\""), bytes[at] != 0x0a {
          at += bytes[at] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard at < bytes.count, bytes[at] != 0x0a else { return nil }
        if depth == 0 { return at + 1 }
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth -= 1
        if depth < 0 { return at }
        if depth == 0 { return at + 1 }
      case UInt8(ascii: ","), 0...0x20:
        if depth == 0 { return at }
      default: break
      }
      at += 1
    }
    return depth == 0 ? at : nil
  }

  /// The next value; nil at the end.
  mutating func next() -> Found? {
    if isWhole {
      isWhole = false
      let start = at
      at = bytes.count
      isClosed = true
      return Found(range: start..<(Self.end(bytes, start) ?? bytes.count), line: line)
    }
    return layout == .lines ? nextLine() : nextValue()
  }

  private mutating func nextLine() -> Found? {
    while at < bytes.count {
      let end = bytes[at...].firstIndex(of: 0x0a) ?? bytes.count
      let found = Found(range: Self.trimmed(bytes, at..<end), line: line)
      at = end + 1
      line += 1
      if !found.range.isEmpty { return found }
    }
    return nil
  }

  private mutating func nextValue() -> Found? {
    let isArray = layout == .array
    skip { $0 <= 0x20 || isArray && $0 == UInt8(ascii: ",") }
    guard at < bytes.count else {
      // The closing bracket of the array was never seen.
      guard layout == .array, !isClosed else { return nil }
      isClosed = true
      return Found(range: bytes.count..<bytes.count, line: line, isCutOff: true)
    }
    if layout == .array, bytes[at] == UInt8(ascii: "]") {
      isClosed = true
      at += 1
      skip { $0 <= 0x20 }
      // What follows the array is no part of it, and must be said.
      guard at < bytes.count else { return nil }
      defer { at = bytes.count }
      return Found(range: at..<bytes.count, line: line)
    }
    let start = at, startLine = line
    if let end = Self.end(bytes, start), end > start {
      skip(to: end)
      return Found(range: start..<end, line: startLine)
    }
    // It has no end: go on where a line begins with a new value.
    var next = start + 1
    while next < bytes.count, !beginsValue(next) { next += 1 }
    skip(to: next)
    return Found(range: Self.trimmed(bytes, start..<next), line: startLine, isCutOff: next == bytes.count)
  }

  /// Whether a line begins here, but for white space and a comma, with an object.
  private func beginsValue(_ place: Int) -> Bool {
    guard bytes[place - 1] == 0x0a else { return false }
    let first = bytes[place...].first { $0 > 0x20 && $0 != UInt8(ascii: ",") || $0 == 0x0a }
    return first == UInt8(ascii: "{")
  }

  private var isClosed = false

  private mutating func skip(while condition: (UInt8) -> Bool) {
    while at < bytes.count, condition(bytes[at]) {
      if bytes[at] == 0x0a { line += 1 }
      at += 1
    }
  }

  private mutating func skip(to end: Int) {
    line += bytes[at..<end].count { $0 == 0x0a }
    at = end
  }

  /// Without white space, and without a byte order mark that a file brought which was appended to another.
  private static func trimmed(_ bytes: [UInt8], _ range: Range<Int>) -> Range<Int> {
    var (low, high) = (range.lowerBound, range.upperBound)
    while low < high, bytes[high - 1] <= 0x20 { high -= 1 }
    while low < high, bytes[low] <= 0x20 { low += 1 }
    if bytes[low..<high].starts(with: [0xef, 0xbb, 0xbf]) { low += 3 }
    return low..<high
  }
}
