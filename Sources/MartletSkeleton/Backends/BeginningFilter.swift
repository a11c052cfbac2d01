/// Drops the beginning of an answer where the endpoint repeats what it was given.
struct BeginningFilter {
  private let begun: String
  private var held = ""
  private var isOpen: Bool

  init(_ begun: String) {
    self.begun = String(begun.drop(while: \.isWhitespace))
    isOpen = !self.begun.isEmpty
  }

  mutating func push(_ text: String) -> String {
    guard isOpen else { return text }
    held += text
    let seen = held.drop(while: \.isWhitespace)
    if seen.count < begun.count, begun.hasPrefix(seen) { return "" }
    isOpen = false
    defer { held = "" }
    return seen.hasPrefix(begun) ? String(seen.dropFirst(begun.count)) : held
  }

  mutating func finish() -> String {
    defer { held = "" }
    isOpen = false
    return held
  }
}
