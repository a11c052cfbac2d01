/// The text that is being written, of one line or several, and the place of the cursor in it.
struct LineBuffer: Equatable, Sendable {
  /// What stands in front of the cursor and behind it.
  private(set) var before: [Character] = []
  private(set) var after: [Character] = []

  init(_ text: String = "") { before = Array(text) }

  var text: String { String(before) + String(after) }
  var isEmpty: Bool { before.isEmpty && after.isEmpty }
  /// The characters of the whole text.
  var characters: [Character] { before + after }
  /// The cursor's place in ``characters``.
  var cursor: Int { before.count }

  // MARK: Writing

  /// Marks that belong to the letter in front of them join it.
  mutating func insert(_ text: String) {
    let last = before.popLast().map(String.init) ?? ""
    before += Array(last + text)
    if let left = before.last, let right = after.first, (String(left) + String(right)).count == 1 {
      before[before.count - 1] = Character(String(left) + String(right))
      after.removeFirst()
    }
  }

  mutating func deleteBackward() -> Bool { before.popLast() != nil }

  mutating func deleteForward() -> Bool {
    guard !after.isEmpty else { return false }
    after.removeFirst()
    return true
  }

  /// Exchanges the characters beside the cursor, as Ctrl-T does.
  mutating func transpose() -> Bool {
    if after.isEmpty, before.count > 1 { moveLeft() }
    guard let left = before.popLast(), let right = after.first else { return false }
    after.removeFirst()
    before += [right, left]
    return true
  }

  /// Takes out what lies between the cursor and where `move` would bring it.
  /// - Returns: what was taken out.
  mutating func kill(_ move: (inout LineBuffer) -> Void) -> String {
    var other = self
    move(&other)
    if other.cursor < cursor {
      let taken = before[other.cursor...]
      before.removeLast(taken.count)
      return String(taken)
    }
    let taken = after.prefix(other.cursor - cursor)
    after.removeFirst(taken.count)
    return String(taken)
  }

  // MARK: Moving

  mutating func move(to place: Int) {
    let all = characters, place = min(max(0, place), all.count)
    before = Array(all[..<place])
    after = Array(all[place...])
  }

  mutating func moveLeft() {
    guard let last = before.popLast() else { return }
    after.insert(last, at: 0)
  }

  mutating func moveRight() {
    guard !after.isEmpty else { return }
    before.append(after.removeFirst())
  }

  mutating func moveToLineStart() { move(to: cursor - column) }
  mutating func moveToLineEnd() { move(to: cursor + (after.firstIndex(of: "\n") ?? after.count)) }

  mutating func moveWordLeft() {
    let words = before.lastIndex { $0.isWordPart }.map { before[...$0] } ?? []
    move(to: words.lastIndex { !$0.isWordPart }.map { $0 + 1 } ?? 0)
  }

  mutating func moveWordRight() {
    let start = after.firstIndex { $0.isWordPart } ?? after.count
    move(to: cursor + (after[start...].firstIndex { !$0.isWordPart } ?? after.count))
  }

  /// To white space on the left, as Ctrl-W goes.
  mutating func moveToSpaceLeft() {
    let words = before.lastIndex { !$0.isWhitespace }.map { before[...$0] } ?? []
    move(to: words.lastIndex { $0.isWhitespace }.map { $0 + 1 } ?? 0)
  }

  /// - Returns: false on the first line.
  mutating func moveUp() -> Bool {
    let column = column, start = cursor - column
    guard start > 0 else { return false }
    let above = before[..<(start - 1)].lastIndex(of: "\n").map { $0 + 1 } ?? 0
    move(to: above + min(column, start - 1 - above))
    return true
  }

  /// - Returns: false on the last line.
  mutating func moveDown() -> Bool {
    guard let end = after.firstIndex(of: "\n") else { return false }
    let column = column, below = after[(end + 1)...]
    let length = (below.firstIndex(of: "\n") ?? after.count) - end - 1
    move(to: cursor + end + 1 + min(column, length))
    return true
  }

  /// Characters between the line's start and the cursor.
  private var column: Int { before.count - (before.lastIndex(of: "\n").map { $0 + 1 } ?? 0) }
}

extension Character {
  fileprivate var isWordPart: Bool { isLetter || isNumber || self == "_" }
}
