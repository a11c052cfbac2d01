/// How a text that is being written stands on a terminal: rows no wider than it, and the cursor's place.
struct LineLayout: Equatable {
  struct Row: Equatable {
    var text = ""
    var width = 0
  }

  private(set) var rows = [Row()]
  private(set) var cursorRow = 0, cursorColumn = 0

  /// - Parameters:
  ///   - prompt: stands in front of the first line, and `continuation` in front of those that follow.
  ///   - columns: of the terminal. The last one stays free: a sign in it would leave terminals in a state of their own.
  init(prompt: String, continuation: String, buffer: LineBuffer, columns: Int) {
    let most = max(2, columns - 1)
    for character in prompt { append(character, most) }
    for (place, character) in buffer.characters.enumerated() {
      if place == buffer.cursor { markCursor(most) }
      if character == "\n" {
        rows.append(Row())
        for character in continuation { append(character, most) }
      } else {
        append(character, most)
      }
    }
    if buffer.after.isEmpty { markCursor(most) }
  }

  /// Where the next sign comes: in the next row when this one is full.
  private mutating func markCursor(_ most: Int) {
    if rows[rows.count - 1].width >= most { rows.append(Row()) }
    (cursorRow, cursorColumn) = (rows.count - 1, rows[rows.count - 1].width)
  }

  private mutating func append(_ character: Character, _ most: Int) {
    for sign in Self.shown(character, column: rows[rows.count - 1].width) {
      let width = DisplayWidth.of(sign)
      if rows[rows.count - 1].width + width > most, rows[rows.count - 1].width > 0 { rows.append(Row()) }
      rows[rows.count - 1].text.append(sign)
      rows[rows.count - 1].width += width
    }
  }

  /// A pasted control character is shown as `^X`, a tab as spaces.
  private static func shown(_ character: Character, column: Int) -> String {
    guard let scalar = character.unicodeScalars.first, scalar.properties.generalCategory == .control else {
      return String(character)
    }
    if character == "\t" { return String(repeating: " ", count: 8 - column % 8) }
    return scalar.value < 0x20 || scalar.value == 0x7f
      ? "^\(Character(Unicode.Scalar(UInt8(scalar.value) ^ 0x40)))" : "?"
  }

  /// How many rows lie between the first row and the cursor's on a terminal that was narrowed (or widened) to `columns`
  /// and has broken the rows anew.
  func cursorRow(onColumns columns: Int, from top: Int) -> Int {
    let columns = max(1, columns)
    let above = rows[top..<max(top, cursorRow)].reduce(0) { $0 + max(1, ($1.width + columns - 1) / columns) }
    return above + cursorColumn / columns
  }
}
