/// Takes an answer apart while it is written: text, and calls in the layout that ``ToolUse`` enforces.
struct ToolCallReader {
  enum Piece: Equatable {
    case text(String)
    case begin(call: Int, name: String)
    case arguments(call: Int, String)
  }

  private enum Place: Equatable {
    case text, name
    /// Inside the arguments: open brackets, and whether a string is open and its last sign was a backslash.
    case arguments(depth: Int, inString: Bool, escaped: Bool)
    case end
  }

  private var place = Place.text
  private var held: [UInt8] = []
  private(set) var calls = 0
  private static let head = Array("\(ToolUse.open)\n{\"name\": \"".utf8)
  private static let middle = Array("\", \"arguments\": ".utf8)
  private static let tail = Array("}\n\(ToolUse.close)".utf8)

  /// The pieces that `text` completes.
  mutating func push(_ text: String) -> [Piece] {
    held += text.utf8
    var pieces: [Piece] = []
    while let piece = next() { if let piece = piece { pieces.append(piece) } }
    return pieces
  }

  /// What was held back, when nothing more comes.
  mutating func finish() -> [Piece] {
    defer { held = [] }
    switch place {
    case .text where !held.isEmpty: return [.text(String(decoding: held, as: UTF8.self))]
    default: return []
    }
  }

  /// One step; nil when more text is needed, a nil piece when only the place changed.
  private mutating func next() -> Piece?? {
    switch place {
    case .text:
      if let at = Self.find(Self.head, in: held) {
        var before = Array(held[..<at])
        // The line break between two calls belongs to neither.
        if calls > 0, before.allSatisfy({ $0 == 0x0a }) { before = [] }
        held.removeFirst(at + Self.head.count)
        place = .name
        return .some(before.isEmpty ? nil : .text(String(decoding: before, as: UTF8.self)))
      }
      // Hold back what may be the head's beginning.
      var keep = 0
      for length in stride(from: min(held.count, Self.head.count - 1), to: 0, by: -1)
      where held.suffix(length).elementsEqual(Self.head.prefix(length)) {
        keep = length
        break
      }
      guard held.count > keep else { return nil }
      if calls > 0, held.dropLast(keep).allSatisfy({ $0 == 0x0a }) { return nil }
      let text = String(decoding: held.dropLast(keep), as: UTF8.self)
      held.removeFirst(held.count - keep)
      return .some(.text(text))
    case .name:
      guard let at = Self.find(Self.middle, in: held) else { return nil }
      let name = String(decoding: held[..<at], as: UTF8.self)
      held.removeFirst(at + Self.middle.count)
      place = .arguments(depth: 0, inString: false, escaped: false)
      calls += 1
      return .some(.begin(call: calls - 1, name: name))
    case .arguments(var depth, var inString, var escaped):
      var taken = 0
      var isOver = false
      for byte in held {
        taken += 1
        if inString {
          if escaped {
            escaped = false
          } else if byte == UInt8(ascii: "\\") {
            escaped = true
          } else {
            inString = byte != UInt8(ascii: "\"")
          }
        } else if byte == UInt8(ascii: "\"") {
          inString = true
        } else if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
          depth += 1
        } else if byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") {
          depth -= 1
          if depth == 0 {
            isOver = true
            break
          }
        }
      }
      guard taken > 0 else { return nil }
      let text = String(decoding: held[..<taken], as: UTF8.self)
      held.removeFirst(taken)
      place = isOver ? .end : .arguments(depth: depth, inString: inString, escaped: escaped)
      return .some(.arguments(call: calls - 1, text))
    case .end:
      guard held.count >= Self.tail.count else { return nil }
      held.removeFirst(Self.tail.count)
      place = .text
      return .some(nil)
    }
  }

  private static func find(_ needle: [UInt8], in bytes: [UInt8]) -> Int? {
    guard bytes.count >= needle.count else { return nil }
    return (0...bytes.count - needle.count).first { bytes[$0...].starts(with: needle) }
  }
}
