/// The skeleton of an answer: numbered points, read safely from what a model wrote.
///
/// Only lines that begin with a number and its sign are points, so decimals inside a line are not; the list ends where
/// something else begins; a head that was there before (whatever its number) is left out.
public struct Skeleton: Sendable, Equatable {
  public struct Point: Sendable, Equatable {
    /// From 1, without gaps.
    public let index: Int
    public let head: String

    public init(index: Int, head: String) {
      self.index = index
      self.head = head
    }
  }

  public private(set) var points: [Point] = []
  /// Numbers of the list as the model wrote them, those of left-out points too.
  public private(set) var writtenIndices: [Int] = []
  /// Points left out because their head was there before.
  public private(set) var duplicates = 0
  /// Whether something that is no point came after the list.
  public private(set) var hasTail = false

  public init(parsing text: String) {
    var lines: [Substring] = text.split(whereSeparator: \.isNewline)
    if lines.filter({ !$0.allSatisfy(\.isWhitespace) }).count == 1, let only = lines.first {
      lines = Self.splitLine(only)
    }
    var heads: Set<String> = []
    for line in lines where !line.allSatisfy(\.isWhitespace) {
      guard let (number, head) = Self.numberedLine(line) else {
        // Words before the list are passed over; after it they end it.
        if writtenIndices.isEmpty { continue }
        hasTail = true
        break
      }
      // A number that starts over is another list.
      if number == 1, !writtenIndices.isEmpty {
        hasTail = true
        break
      }
      writtenIndices.append(number)
      guard !head.isEmpty else { continue }
      guard heads.insert(Self.normalized(head)).inserted else {
        duplicates += 1
        continue
      }
      points.append(Point(index: points.count + 1, head: head))
    }
  }

  init(points: [Point]) { self.points = points }

  /// The first `count` points.
  public func prefix(_ count: Int) -> Skeleton {
    var result = self
    result.points = Array(points.prefix(count))
    return result
  }

  /// `1. Head.\n2. Head.`, as the point prompts want it.
  public var outline: String { points.map { "\($0.index). \($0.head)" }.joined(separator: "\n") }

  /// `12. Head`, `3) Head`, `4、Head`: a number of at most three digits, its sign, and no digit behind it.
  static func numberedLine(_ line: some StringProtocol) -> (number: Int, head: String)? {
    var rest = Substring(line).drop { $0.isWhitespace || $0 == "*" || $0 == "#" }
    let digits = rest.prefix { $0.isASCII && $0.isNumber }
    guard (1...3).contains(digits.count), let number = Int(digits) else { return nil }
    rest = rest.dropFirst(digits.count)
    guard let sign = rest.popFirst(), ".)、．:".contains(sign) else { return nil }
    if let next = rest.first, next.isNumber { return nil }
    // A time or a ratio has no space behind its sign.
    if sign == ":", rest.first?.isWhitespace != true { return nil }
    var head = rest.drop { $0.isWhitespace || $0 == "*" }
    while let last = head.last, last.isWhitespace || last == "*" { head.removeLast() }
    return (number, String(head).replacing("**", with: ""))
  }

  /// A list written in one line: cut before each next number.
  private static func splitLine(_ line: Substring) -> [Substring] {
    guard let first = numberedLine(line), first.number == 1 else { return [line] }
    var parts: [Substring] = []
    var rest = line
    var next = 2
    while let cut = rest.firstRange(of: " \(next). ") {
      parts.append(rest[..<cut.lowerBound])
      rest = rest[rest.index(after: cut.lowerBound)...]
      next += 1
    }
    return parts + [rest]
  }

  /// Lower case, letters and digits only: heads that differ in dress only are the same.
  static func normalized(_ head: String) -> String {
    String(head.lowercased().unicodeScalars.filter { $0.properties.isAlphabetic || $0.properties.numericType != nil })
  }
}
