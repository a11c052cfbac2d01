/// Detects the end of a point while it is generated: before another index, at a blank line after a sentence, or after a
/// number of sentences. Text that may belong to such an end is held back.
public struct PointStop: Sendable {
  /// The number of sentences to keep; nil keeps the whole point.
  public var sentences: Int?
  private var text: [Character] = []
  private var given = 0
  private var finishedSentences = 0
  /// Whether the point has ended.
  public private(set) var isStopped = false

  /// A stop after a number of sentences; nil for no limit.
  public init(sentences: Int? = 2) { self.sentences = sentences }

  /// Adds text and returns the part that is certain to belong to the point. Leading white space is dropped.
  public mutating func push(_ piece: String) -> String {
    if isStopped { return "" }
    for character in piece where !isStopped {
      if text.isEmpty, character.isWhitespace { continue }
      text.append(character)
      judge()
    }
    let certain = isStopped ? text.count : text.count - uncertain
    guard certain > given else { return "" }
    defer { given = certain }
    return String(text[given..<certain])
  }

  /// The text that was held back, at the end of the input, without trailing white space.
  public mutating func finish() -> String {
    if !isStopped {
      isStopped = true
      trim(to: text.count)
    }
    guard text.count > given else { return "" }
    defer { given = text.count }
    return String(text[given...])
  }

  /// Looks at the text up to its last character.
  private mutating func judge() {
    let last = text.count - 1
    let line = (text[..<last].lastIndex { $0.isNewline }).map { $0 + 1 } ?? 0
    // Another point: a line that begins with a number and its sign, and no digit behind it.
    if text[last].isWhitespace || text[last].isLetter, last > line, last - line < 12,
      ListMark.beginsPoint(String(text[line...last]))
    {
      return trim(to: line)
    }
    if text[last].isNewline {
      // A sentence that ends with its line, or a line that is followed by an empty one.
      let before = text[..<last].lastIndex { !$0.isWhitespace }
      if let before, text[before + 1..<last].contains(where: \.isNewline), finishedSentences > 0 || endsSentence(before)
      {
        return trim(to: before + 1)
      }
    }
    // The sign before this white space, or a full-width sign itself, ends a sentence.
    if Self.wideEnds.contains(text[last]) {
      count(last)
    } else if text[last].isWhitespace, last > 0, !text[last - 1].isWhitespace, endsSentence(last - 1) {
      count(last - 1)
    }
  }

  private mutating func count(_ end: Int) {
    finishedSentences += 1
    if let sentences, finishedSentences >= sentences { trim(to: end + 1) }
  }

  private mutating func trim(to count: Int) {
    isStopped = true
    text.removeLast(text.count - count)
    while let last = text.last, last.isWhitespace, text.count > given { text.removeLast() }
  }

  private static let wideEnds: Set<Character> = ["。", "！", "？"]
  private static let abbreviations: Set<String> = [
    "e.g", "i.e", "etc", "vs", "dr", "mr", "mrs", "ms", "st", "approx", "cf", "prof", "fig", "u.s",
  ]

  private func endsSentence(_ at: Int) -> Bool {
    var at = at
    while at > 0, "\"')]”’*".contains(text[at]) { at -= 1 }
    if "!?".contains(text[at]) || Self.wideEnds.contains(text[at]) { return true }
    guard text[at] == ".", at > 0 else { return false }
    var start = at
    while start > 0, !text[start - 1].isWhitespace, !"(\"'".contains(text[start - 1]) { start -= 1 }
    let word = String(text[start..<at]).lowercased()
    // An initial or an abbreviation; a lone number is an index.
    return !Self.abbreviations.contains(word) && !(word.count == 1 && word.first?.isLetter == true)
      && !(word.allSatisfy(\.isNumber) && word.count <= 2 && (start == 0 || text[start - 1].isNewline))
  }

  /// Characters at the end that a later one may turn into the point's end.
  private var uncertain: Int {
    // White space at the end goes if nothing follows; a line that may become an index is held whole.
    var keep = text.reversed().prefix { $0.isWhitespace }.count
    let line = text.lastIndex(where: \.isNewline).map { $0 + 1 } ?? 0
    let tail = text[line...]
    if tail.count <= 8, tail.allSatisfy({ $0.isWhitespace || $0.isNumber || "*#.．)）(（[]【】、:：第\\".contains($0) }) {
      let before = text[..<line].reversed().prefix { $0.isWhitespace }.count
      keep = max(keep, tail.count + before)
    }
    return min(keep, text.count - given)
  }
}
