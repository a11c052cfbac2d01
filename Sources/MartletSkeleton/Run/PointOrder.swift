/// Puts points that are written at the same time into their order: the first that is not whole is shown while it is
/// written, what comes later waits.
struct PointOrder {
  private struct Part {
    let head: String
    var text = ""
    var isWhole = false
  }

  private var parts: [Part]
  private let separator: String
  private var current = 0
  private var headIsShown = false
  /// Characters of the current part's text that were shown.
  private var shown = 0
  private(set) var answer = ""

  init(_ points: [Skeleton.Point], separator: String) {
    parts = points.map { Part(head: $0.head) }
    self.separator = separator
  }

  /// What can be shown after a piece of one point.
  mutating func push(place: Int, text: String, isLast: Bool) -> String {
    parts[place].text += text
    if isLast { parts[place].isWhole = true }
    return advance()
  }

  /// What can be shown when nothing more comes: the points that are whole, and what is there of the one on show.
  mutating func finish() -> String {
    if headIsShown { parts[current].isWhole = true }
    parts.removeAll { !$0.isWhole }
    return advance()
  }

  private mutating func advance() -> String {
    var piece = ""
    while current < parts.count {
      let part = parts[current]
      // A head waits for its first words.
      if part.text.isEmpty, !part.isWhole { break }
      if !headIsShown {
        piece += (current == 0 ? "" : separator) + "\(current + 1). \(part.head)" + (part.text.isEmpty ? "" : " ")
        headIsShown = true
      }
      piece += part.text.dropFirst(shown)
      shown = part.text.count
      guard part.isWhole else { break }
      current += 1
      headIsShown = false
      shown = 0
    }
    answer += piece
    return piece
  }
}
