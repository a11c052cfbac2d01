/// Takes the thoughts out of a reasoning model's answer while it arrives: what stands between `<think>` and `</think>`,
/// wherever that is. A block that is never closed was cut off while the model was thinking, and all of it goes.
///
/// Some templates open the block themselves, so that the answer has its end alone: then what was held back goes.
struct ThoughtFilter {
  private static let opens = ["<think>", "<thinking>"], closes = ["</think>", "</thinking>"]

  private var held = ""
  private var isInside = false
  /// White space before the first words of the answer; nil behind them.
  private var start: String? = ""
  /// Thoughts have come before the first words.
  private var hasThought = false

  /// The part of the text that is no thought.
  mutating func push(_ text: String) -> String {
    held += text
    var given = ""
    while true {
      let close = Self.first(of: Self.closes, in: held)
      if isInside {
        guard let close else {
          held = Self.possibleMark(held, Self.closes)
          return give(given)
        }
        held.removeSubrange(..<close.upperBound)
        isInside = false
        continue
      }
      let open = Self.first(of: Self.opens, in: held)
      if let open, open.lowerBound < close?.lowerBound ?? held.endIndex {
        given += held[..<open.lowerBound]
        held.removeSubrange(..<open.upperBound)
        isInside = true
        if given.allSatisfy(\.isWhitespace) { hasThought = true }
      } else if let close {
        given = ""
        held.removeSubrange(..<close.upperBound)
        hasThought = true
      } else {
        let mark = Self.possibleMark(held, Self.opens + Self.closes)
        given += held.dropLast(mark.count)
        held = mark
        return give(given)
      }
    }
  }

  /// What was held back, when nothing more comes.
  mutating func finish() -> String {
    let last = isInside ? "" : give(held)
    held = ""
    return last + (hasThought ? "" : start ?? "")
  }

  /// White space around thoughts at the start becomes one space: the answer may go on behind a beginning that was given.
  private mutating func give(_ text: String) -> String {
    guard let space = start else { return text }
    let words = text.drop(while: \.isWhitespace)
    if words.isEmpty {
      start = space + text
      return ""
    }
    start = nil
    return hasThought ? " " + words : space + text
  }

  private static func first(of marks: [String], in text: String) -> Range<String.Index>? {
    marks.compactMap { text.firstRange(of: $0) }.min { $0.lowerBound < $1.lowerBound }
  }

  /// The end of the text that may become one of the marks.
  private static func possibleMark(_ text: String, _ marks: [String]) -> String {
    guard let start = text.lastIndex(of: "<") else { return "" }
    let tail = String(text[start...])
    return marks.contains { $0.hasPrefix(tail) } ? tail : ""
  }
}
