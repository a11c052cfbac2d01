/// Draws the line that is being written on terminals that know no cursor (TERM=dumb): what is added is written, what goes
/// from the end is written over, and any other change writes the line again.
struct DumbLineView {
  private let prompt: String
  private var shown: String?

  init(prompt: String) { self.prompt = prompt }

  mutating func draw(_ buffer: LineBuffer, isLast: Bool = false) -> String {
    let wanted = Self.plain(buffer.text)
    defer { shown = isLast ? nil : wanted }
    var text: String
    if let shown, wanted.hasPrefix(shown) {
      text = String(wanted.dropFirst(shown.count))
    } else if let shown, shown.hasPrefix(wanted), !shown.dropFirst(wanted.count).contains("\n") {
      let gone = DisplayWidth.of(shown.dropFirst(wanted.count))
      text = String(repeating: "\u{8} \u{8}", count: gone)
    } else {
      text = (shown == nil ? "" : "\n") + prompt + wanted
    }
    if isLast { text += "\n" }
    return text.replacing("\n", with: "\r\n")
  }

  private static func plain(_ text: String) -> String {
    String(
      text.map { character in
        let isControl = character.unicodeScalars.first?.properties.generalCategory == .control
        return isControl && character != "\n" ? " " : character
      })
  }
}
