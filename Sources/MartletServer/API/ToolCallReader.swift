/// Takes an answer apart while it is written: text, and calls in the layout that ``ToolUse`` enforces.
struct ToolCallReader {
  struct Piece: Equatable {
    enum Content: Equatable {
      case text(String)
      case begin(call: Int, name: String)
      case arguments(call: Int, String)
      /// Signs around calls, which nobody is told.
      case layout
    }
    let content: Content
    /// How many bytes of the answer it is made of.
    let length: Int
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
  /// Where an answer is cut behind so much of ``head``, it was a call: no other text begins so.
  private static let leastHead = "<tool_".utf8.count

  /// The pieces that `text` completes.
  mutating func push(_ text: String) -> [Piece] {
    held += text.utf8
    var pieces: [Piece] = []
    while let piece = next() { pieces.append(piece) }
    return pieces
  }

  /// What was held back, when nothing more comes.
  /// - Parameter isCut: the answer has not come to its own end.
  mutating func finish(isCut: Bool) -> [Piece] {
    guard !held.isEmpty else { return [] }
    guard place == .text, !isBeginningOfCall(isCut: isCut) else { return [take(held.count) { _ in .layout }] }
    return [take(held.count) { .text($0) }]
  }

  /// Whether what is held is a call that is not there whole.
  private func isBeginningOfCall(isCut: Bool) -> Bool {
    // Behind a call there is nothing but calls.
    let begun = calls > 0 ? held.drop { $0 == 0x0a } : held[...]
    guard Self.head.starts(with: begun) else { return false }
    return calls > 0 || (isCut && begun.count >= Self.leastHead)
  }

  /// The next bytes as a piece.
  private mutating func take(_ length: Int, _ content: (String) -> Piece.Content) -> Piece {
    defer { held.removeFirst(length) }
    return Piece(content: content(String(decoding: held[..<length], as: UTF8.self)), length: length)
  }

  /// One step; nil when more text is needed.
  private mutating func next() -> Piece? {
    switch place {
    case .text:
      if let at = Self.find(Self.head, in: held) {
        // The line break between two calls belongs to neither.
        let isBetweenCalls = calls > 0 && held[..<at].allSatisfy { $0 == 0x0a }
        if at > 0, !isBetweenCalls { return take(at) { .text($0) } }
        place = .name
        return take(at + Self.head.count) { _ in .layout }
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
      return take(held.count - keep) { .text($0) }
    case .name:
      guard let at = Self.find(Self.middle, in: held) else { return nil }
      let name = String(decoding: held[..<at], as: UTF8.self)
      place = .arguments(depth: 0, inString: false, escaped: false)
      let call = calls
      calls += 1
      return take(at + Self.middle.count) { _ in .begin(call: call, name: name) }
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
      place = isOver ? .end : .arguments(depth: depth, inString: inString, escaped: escaped)
      let call = calls - 1
      return take(taken) { .arguments(call: call, $0) }
    case .end:
      guard held.count >= Self.tail.count else { return nil }
      place = .text
      return take(Self.tail.count) { _ in .layout }
    }
  }

  private static func find(_ needle: [UInt8], in bytes: [UInt8]) -> Int? {
    guard bytes.count >= needle.count else { return nil }
    return (0...bytes.count - needle.count).first { bytes[$0...].starts(with: needle) }
  }
}
