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
    parts = points.map { Part(head: "\($0.index). \($0.head)") }
    self.separator = separator
  }

  /// What can be shown after a piece of one point.
  mutating func push(place: Int, text: String, isLast: Bool) -> String {
    parts[place].text += text
    if isLast { parts[place].isWhole = true }
    var piece = ""
    while current < parts.count {
      let part = parts[current]
      // A head waits for its first words.
      if part.text.isEmpty, !part.isWhole { break }
      if !headIsShown {
        piece += (current == 0 ? "" : separator) + part.head + (part.text.isEmpty ? "" : " ")
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
