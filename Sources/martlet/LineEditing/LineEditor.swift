import Foundation

/// What keys do to the line that is being written. It knows no terminal: keys go in, and what the line has become can be
/// asked.
struct LineEditor {
  enum Outcome: Equatable {
    /// The line is finished.
    case line(String)
    /// Ctrl-C: what was written is dropped.
    case interrupted
    /// Ctrl-D on an empty line.
    case endOfInput
    /// Ctrl-Z.
    case suspend
    /// Ctrl-L.
    case clearScreen
  }

  private(set) var buffer = LineBuffer()
  /// What stands in front of the line instead of the prompt, while lines entered earlier are searched.
  var searchPrompt: String? { search.map { "(search: \($0.words)) " } }
  /// Whether the last key could do nothing.
  private(set) var rings = false

  private let history: [String]
  /// The line of the history that is shown; its count is the new line.
  private var place: Int
  /// The new line, while another is shown.
  private var draft = LineBuffer()
  /// What was cut last, for Ctrl-Y.
  private var killed: String
  private var search: Search?
  private let completions: [String]

  private struct Search {
    var words = ""
    var place: Int
    let before: LineBuffer
  }

  /// - Parameters:
  ///   - history: lines entered earlier, the newest last.
  ///   - killed: what Ctrl-Y puts in.
  ///   - completions: words that the tab key completes at the line's start.
  init(history: [String] = [], killed: String = "", completions: [String] = []) {
    self.history = history
    self.killed = killed
    self.completions = completions
    place = history.count
  }

  /// What the next line's Ctrl-Y puts in.
  var cutText: String { killed }

  mutating func handle(_ key: Key) -> Outcome? {
    rings = false
    if search != nil, handleSearch(key) { return nil }
    switch key {
    case .text(let text), .paste(let text): buffer.insert(text)
    case .enter: return enter()
    case .newline: buffer.insert("\n")
    case .tab: complete()
    case .backspace: rings = !buffer.deleteBackward()
    case .delete: rings = !buffer.deleteForward()
    case .left: buffer.moveLeft()
    case .right: buffer.moveRight()
    case .up: if !buffer.moveUp() { show(place - 1) }
    case .down: if !buffer.moveDown() { show(place + 1) }
    case .home: buffer.moveToLineStart()
    case .end: buffer.moveToLineEnd()
    case .wordLeft: buffer.moveWordLeft()
    case .wordRight: buffer.moveWordRight()
    case .deleteWordLeft: kill { $0.moveToSpaceLeft() }
    case .deleteWordRight: kill { $0.moveWordRight() }
    case .control(let letter): return control(letter)
    case .escape, .unknown: break
    }
    return nil
  }

  private mutating func control(_ letter: Character) -> Outcome? {
    switch letter {
    case "a": buffer.moveToLineStart()
    case "b": buffer.moveLeft()
    case "c": return .interrupted
    case "d":
      if buffer.isEmpty { return .endOfInput }
      rings = !buffer.deleteForward()
    case "e": buffer.moveToLineEnd()
    case "f": buffer.moveRight()
    case "k":
      // At a line's end the break itself goes.
      kill { $0.after.first == "\n" ? $0.moveRight() : $0.moveToLineEnd() }
    case "l": return .clearScreen
    case "n": show(place + 1)
    case "p": show(place - 1)
    case "r": search = Search(place: history.count, before: buffer)
    case "t": rings = !buffer.transpose()
    case "u": kill { $0.moveToLineStart() }
    case "y": buffer.insert(killed)
    case "z": return .suspend
    default: rings = true
    }
    return nil
  }

  /// A backslash at the end goes on in the next line.
  private mutating func enter() -> Outcome? {
    if buffer.after.isEmpty, buffer.before.last == "\\" {
      _ = buffer.deleteBackward()
      buffer.insert("\n")
      return nil
    }
    return .line(buffer.text)
  }

  private mutating func kill(_ move: (inout LineBuffer) -> Void) {
    let taken = buffer.kill(move)
    if taken.isEmpty { rings = true } else { killed = taken }
  }

  private mutating func show(_ wanted: Int) {
    guard (0...history.count).contains(wanted), wanted != place else {
      rings = true
      return
    }
    if place == history.count { draft = buffer }
    place = wanted
    buffer = wanted == history.count ? draft : LineBuffer(history[wanted])
  }

  /// The only word that begins so, or as much as all have in common.
  private mutating func complete() {
    let begun = buffer.text
    let fitting = completions.filter { $0.hasPrefix(begun) }
    guard !begun.isEmpty, let first = fitting.first else {
      rings = true
      return
    }
    let common = fitting.dropFirst().reduce(first) { $0.commonPrefix(with: $1) }
    rings = common == begun
    buffer = LineBuffer(fitting.count == 1 ? common + " " : common)
  }

  // MARK: Searching

  /// - Returns: whether the key belongs to the search; another key ends it and counts by itself.
  private mutating func handleSearch(_ key: Key) -> Bool {
    guard var current = search else { return false }
    switch key {
    case .text(let text):
      current.words += text
      find(&current, from: min(current.place, history.count - 1))
    case .backspace:
      _ = current.words.popLast()
      find(&current, from: history.count - 1)
    case .control("r"): find(&current, from: current.place - 1)
    case .control("g"), .control("c"):
      buffer = current.before
      search = nil
      return true
    default:
      search = nil
      return false
    }
    search = current
    return true
  }

  private mutating func find(_ search: inout Search, from start: Int) {
    let words = search.words.lowercased()
    guard !words.isEmpty, start >= 0,
      let found = history[...start].lastIndex(where: { $0.lowercased().contains(words) })
    else {
      rings = !words.isEmpty
      return
    }
    search.place = found
    place = found
    buffer = LineBuffer(history[found])
  }
}
