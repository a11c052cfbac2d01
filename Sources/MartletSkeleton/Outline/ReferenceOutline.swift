/// The points that the authors' code finds (imagination-research/sot, sot/schedulers): all matches of
/// `(\d+)\.\s?([\s\S]+?)(?=\n|\n*$)`, the first of each index string. This is kept for comparison: decimals, sums and text
/// after the list also become points. Martlet uses ``Skeleton``.
public enum ReferenceOutline {
  /// A point of an outline.
  public struct Point: Sendable, Equatable {
    /// The digits as written.
    public let index: String
    /// The heading.
    public let head: String
  }

  /// The points that the authors' code finds.
  public static func points(in outline: String) -> [Point] {
    var seen: Set<String> = []
    return matches(in: outline).filter { seen.insert($0.index).inserted }
  }

  /// Every match, in order.
  public static func matches(in outline: String) -> [Point] {
    let text = Array(outline.unicodeScalars)
    func string(_ range: Range<Int>) -> String { String(String.UnicodeScalarView(text[range])) }
    func isDigit(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.generalCategory == .decimalNumber }
    var points: [Point] = []
    var at = 0
    while at < text.count {
      guard isDigit(text[at]) else {
        at += 1
        continue
      }
      var dot = at
      while dot < text.count, isDigit(text[dot]) { dot += 1 }
      guard dot < text.count, text[dot] == "." else {
        at = dot
        continue
      }
      // `\s?` gives its character back when nothing else is left for the head.
      var start = dot + 1
      if start < text.count, text[start].properties.isWhitespace, start + 1 < text.count { start += 1 }
      guard start < text.count else { break }
      // At least one character, whatever it is, then up to the next line break.
      var end = start + 1
      while end < text.count, text[end] != "\n" { end += 1 }
      points.append(Point(index: string(at..<dot), head: string(start..<end)))
      at = end
    }
    return points
  }

  /// The final answer as the authors' code assembles it: the beginning and the text of each point, joined by line
  /// breaks.
  public static func assemble(_ points: [(begun: String, text: String)], separator: String = "\n") -> String {
    points.map { "\($0.begun) \($0.text)" }.joined(separator: separator)
  }
}
