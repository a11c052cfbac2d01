/// Takes the thoughts out of a reasoning model's answer while it arrives: what stands between `<think>` and `</think>`,
/// wherever that is. A block that is never closed was cut off while the model was thinking, and all of it goes.
///
/// Some templates open the block themselves, so that the answer has its end alone: then all in front of it in the same piece
/// goes. What streamed in earlier pieces was given already.
struct ThoughtFilter {
  private static let opens = ["<think>", "<thinking>"], closes = ["</think>", "</thinking>"]

  private var held = ""
  private var isInside = false
  /// White space before the first words of the answer; nil behind them.
  private var start: String? = ""
  /// Thoughts have come before the first words.
  private var hasThought = false

  /// The part of the text that is no thought. O(length).
  mutating func push(_ text: String) -> String {
    let all = held + text
    var given = "", rest = all[...]
    while let start = rest.firstIndex(of: "<") {
      if !isInside { given += rest[..<start] }
      rest = rest[start...]
      if let mark = Self.opens.first(where: rest.hasPrefix), !isInside {
        isInside = true
        if given.allSatisfy(\.isWhitespace) { hasThought = true }
        rest = rest.dropFirst(mark.count)
      } else if let mark = Self.closes.first(where: rest.hasPrefix) {
        if !isInside {
          given = ""
          hasThought = true
        }
        isInside = false
        rest = rest.dropFirst(mark.count)
      } else if rest.utf8.count < 12,
        (isInside ? Self.closes : Self.opens + Self.closes).contains(where: { $0.hasPrefix(rest) })
      {
        held = String(rest)
        return give(given)
      } else {
        if !isInside { given += "<" }
        rest = rest.dropFirst()
      }
    }
    held = ""
    if !isInside { given += rest }
    return give(given)
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
}
