/// Drops the beginning of an answer where the endpoint repeats what it was given.
///
/// A beginning without words (` 1.`) is known by its signs. One with words (`2. Set goals`) may come back in another dress
/// (`**2. Set goals:**`), and without its number where a sign or a line break ends it.
struct BeginningFilter {
  private let begun: String
  private let hasWords: Bool
  private var held = ""
  private var isOpen: Bool

  init(_ begun: String) {
    self.begun = String(begun.drop(while: \.isWhitespace))
    hasWords = begun.contains(where: \.isLetter)
    isOpen = !self.begun.isEmpty
  }

  mutating func push(_ text: String) -> String {
    guard isOpen else { return text }
    held += text
    return decide(isLast: false)
  }

  mutating func finish() -> String { isOpen ? decide(isLast: true) : "" }

  private enum Match {
    case open, none
    case ends(at: String.Index)
  }

  private mutating func decide(isLast: Bool) -> String {
    let matches = hasWords ? [wordMatch(begun, isHead: false), wordMatch(head, isHead: true)] : [exactMatch]
    for match in matches { if case .ends(let end) = match { return give(from: end) } }
    for match in matches { if case .open = match, !isLast { return "" } }
    return give(from: held.startIndex)
  }

  private mutating func give(from start: String.Index) -> String {
    defer { held = "" }
    isOpen = false
    return String(held[start...])
  }

  private var exactMatch: Match {
    let seen = held.drop(while: \.isWhitespace)
    if seen.hasPrefix(begun) { return .ends(at: seen.index(seen.startIndex, offsetBy: begun.count)) }
    return begun.hasPrefix(seen) ? .open : .none
  }

  /// The beginning without its number.
  private var head: String { String(begun.drop { !$0.isLetter }) }

  /// Compares letters and digits only.
  private func wordMatch(_ wanted: String, isHead: Bool) -> Match {
    var rest = wanted.lowercased().filter { $0.isLetter || $0.isNumber }[...]
    var place = held.startIndex
    while let next = rest.first {
      guard place < held.endIndex else { return .open }
      let character = Character(held[place].lowercased())
      if character.isLetter || character.isNumber {
        guard character == next else { return .none }
        rest = rest.dropFirst()
      }
      place = held.index(after: place)
    }
    guard place < held.endIndex else { return .open }
    let behind = held[place...]
    let signs = behind.prefix { $0.isWhitespace || ":.*_–—-)".contains($0) }
    // The word may go on.
    guard !signs.isEmpty else { return .none }
    guard signs.endIndex < held.endIndex else { return .open }
    // A head alone may begin the sentence.
    if isHead, !signs.contains(where: { ":*–—".contains($0) || $0.isNewline }) { return .none }
    return .ends(at: signs.endIndex)
  }
}
