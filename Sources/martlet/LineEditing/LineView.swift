/// Draws the line that is being written: the text that brings the terminal from what was drawn to what is to be seen.
struct LineView {
  struct Size: Equatable {
    var columns = 80, rows = 24
  }

  private let prompt: String
  private let continuation: String
  /// Escape sequences around the prompt.
  private let style: (begin: String, end: String)
  private var drawn: (layout: LineLayout, top: Int)?

  /// - Parameter isBold: whether the prompt stands out.
  init(prompt: String, isBold: Bool = false) {
    self.prompt = prompt
    continuation = String(repeating: ".", count: max(0, prompt.count - 1)) + " "
    style = isBold ? ("\u{1b}[1m", "\u{1b}[0m") : ("", "")
  }

  /// - Parameter isLast: whether the line is finished: all of it stays on the screen, and what follows begins below it.
  mutating func draw(_ buffer: LineBuffer, size: Size, prompt other: String? = nil, isLast: Bool = false) -> String {
    let layout = LineLayout(
      prompt: other ?? prompt, continuation: continuation, buffer: buffer, columns: size.columns)
    var text = erase(size)
    // Of a text that is higher than the screen the rows around the cursor are seen.
    let height = isLast ? layout.rows.count : max(1, min(layout.rows.count, size.rows))
    let earliest = drawn?.top ?? 0
    let lowest = max(0, layout.rows.count - height), highest = max(0, layout.cursorRow - height + 1)
    let top = isLast ? 0 : min(max(min(earliest, layout.cursorRow), highest), lowest)
    let seen = layout.rows[top..<min(layout.rows.count, top + height)].map(\.text)
    let body = seen.joined(separator: "\r\n")
    if top == 0, other == nil, !style.begin.isEmpty, body.hasPrefix(prompt) {
      text += style.begin + prompt + style.end + body.dropFirst(prompt.count)
    } else {
      text += body
    }
    if isLast {
      drawn = nil
      return text + "\r\n"
    }
    let below = top + seen.count - 1 - layout.cursorRow
    text += "\r" + Self.move(below, "A") + Self.move(layout.cursorColumn, "C")
    drawn = (layout, top)
    return text
  }

  /// Takes away what was drawn.
  mutating func erase(_ size: Size) -> String {
    guard let (layout, top) = drawn else { return "" }
    return "\r" + Self.move(layout.cursorRow(onColumns: size.columns, from: top), "A") + "\u{1b}[J"
  }

  /// Forgets what was drawn: the screen has been cleared, or another program has written on it.
  mutating func reset() { drawn = nil }

  private static func move(_ count: Int, _ direction: Character) -> String {
    count > 0 ? "\u{1b}[\(count)\(direction)" : ""
  }
}
