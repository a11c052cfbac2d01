/// What a person pressed.
enum Key: Equatable, Sendable {
  case text(String)
  /// Text that was pasted as one piece, its line breaks as `\n`.
  case paste(String)
  case enter, newline, tab, backspace, delete, escape
  case left, right, up, down, home, end, wordLeft, wordRight
  case deleteWordLeft, deleteWordRight
  /// Ctrl and a letter that is none of the keys above.
  case control(Character)
  case unknown
}

/// Makes keys of the bytes that a terminal sends. Sequences may arrive in pieces.
struct KeyDecoder {
  private var pending: [UInt8] = []
  private var pasted: [UInt8]?

  private static let escape: UInt8 = 0x1b
  private static let pasteEnd: [UInt8] = Array("\u{1b}[201~".utf8)

  /// Whether the last bytes may be the beginning of a longer sequence.
  var isWaiting: Bool { !pending.isEmpty && pasted == nil }

  mutating func feed(_ bytes: some Sequence<UInt8>) -> [Key] {
    pending += bytes
    var keys: [Key] = []
    var at = 0
    while at < pending.count {
      if pasted != nil {
        guard let key = takePaste(from: &at) else { break }
        keys.append(key)
      } else if let (key, count) = Self.key(pending[at...]) {
        at += count
        if case .text(let more) = key, case .text(let text) = keys.last {
          keys[keys.count - 1] = .text(text + more)
        } else if let key {
          keys.append(key)
        } else {
          pasted = []
        }
      } else {
        break
      }
    }
    pending.removeFirst(at)
    return keys
  }

  /// What an unfinished sequence means when nothing follows: the escape key, or half a character.
  mutating func flush() -> [Key] {
    guard isWaiting else { return [] }
    let first = pending.removeFirst()
    if first == Self.escape { return [.escape] + feed([]) }
    pending.removeAll()
    return [.text("\u{fffd}")]
  }

  private mutating func takePaste(from at: inout Int) -> Key? {
    let rest = pending[at...]
    guard let end = rest.firstRange(of: Self.pasteEnd) else {
      // The mark of the end may have arrived in part.
      let kept = (1..<Self.pasteEnd.count).reversed().first { rest.suffix($0).elementsEqual(Self.pasteEnd.prefix($0)) }
      pasted?.append(contentsOf: rest.dropLast(kept ?? 0))
      at = pending.count - (kept ?? 0)
      return nil
    }
    pasted?.append(contentsOf: rest[..<end.lowerBound])
    at = end.upperBound
    let text = String(decoding: pasted ?? [], as: UTF8.self)
    pasted = nil
    return .paste(text.replacing("\r\n", with: "\n").replacing("\r", with: "\n"))
  }

  /// The first key and how many bytes it takes; nil when more bytes are needed. No key is the beginning of a paste.
  private static func key(_ bytes: ArraySlice<UInt8>) -> (Key?, Int)? {
    guard let first = bytes.first else { return nil }
    switch first {
    case escape: return escaped(bytes)
    case 0x0d, 0x0a: return (.enter, 1)
    case 0x09: return (.tab, 1)
    case 0x08, 0x7f: return (.backspace, 1)
    case 0x17: return (.deleteWordLeft, 1)
    case 1...0x1a: return (.control(Character(Unicode.Scalar(first + 0x60))), 1)
    case 0..<0x20: return (.unknown, 1)
    case 0x20..<0x7f: return (.text(String(Unicode.Scalar(first))), 1)
    default: return scalar(bytes)
    }
  }

  /// A character of several bytes. What is not UTF-8 is shown as U+FFFD, so that nobody sends what they do not see.
  private static func scalar(_ bytes: ArraySlice<UInt8>) -> (Key?, Int)? {
    let first = bytes[bytes.startIndex]
    let length = first < 0xc2 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 1
    let following = bytes.dropFirst().prefix(length - 1).prefix { $0 & 0xc0 == 0x80 }
    if length > 1, following.count == bytes.count - 1, bytes.count < length { return nil }
    let part = bytes.prefix(1 + following.count)
    guard let text = String(validating: part, as: UTF8.self), let scalar = text.unicodeScalars.first else {
      return (.text("\u{fffd}"), part.count)
    }
    return (scalar.properties.generalCategory == .control ? .unknown : .text(text), length)
  }

  /// A sequence that begins with escape.
  private static func escaped(_ bytes: ArraySlice<UInt8>) -> (Key?, Int)? {
    let rest = bytes.dropFirst()
    guard let kind = rest.first else { return nil }
    switch kind {
    case UInt8(ascii: "["): return controlSequence(bytes)
    case UInt8(ascii: "O"):
      let parameters = rest.dropFirst().prefix { (0x30...0x3b).contains($0) }
      guard let final = rest.dropFirst(1 + parameters.count).first else {
        return parameters.count > 16 ? (.unknown, bytes.count) : nil
      }
      return (named(final, parameters: numbers(parameters)), 3 + parameters.count)
    case UInt8(ascii: "]"), UInt8(ascii: "P"), UInt8(ascii: "_"), UInt8(ascii: "^"):
      // An answer of the terminal's that nobody asked for: to its end, which is BEL or ESC \.
      for (count, byte) in rest.enumerated() {
        if byte == 7 { return (.unknown, count + 2) }
        if byte == escape { return rest.dropFirst(count + 1).isEmpty ? nil : (.unknown, count + 3) }
      }
      return bytes.count > 4096 ? (.unknown, bytes.count) : nil
    case escape: return (.escape, 1)
    case 0x0d, 0x0a: return (.newline, 2)
    case 0x08, 0x7f: return (.deleteWordLeft, 2)
    case UInt8(ascii: "b"), UInt8(ascii: "B"): return (.wordLeft, 2)
    case UInt8(ascii: "f"), UInt8(ascii: "F"): return (.wordRight, 2)
    case UInt8(ascii: "d"), UInt8(ascii: "D"): return (.deleteWordRight, 2)
    default:
      // Another key with Alt.
      guard let (_, count) = key(rest) else { return nil }
      return (.unknown, count + 1)
    }
  }

  /// `ESC [ parameters final`, as ECMA-48 has it.
  private static func controlSequence(_ bytes: ArraySlice<UInt8>) -> (Key?, Int)? {
    let body = bytes.dropFirst(2)
    // The Linux console writes its function keys with a second bracket.
    if body.first == UInt8(ascii: "[") { return body.count < 2 ? nil : (.unknown, 4) }
    let parameters = body.prefix { (0x20...0x3f).contains($0) }
    guard let final = body.dropFirst(parameters.count).first else {
      return parameters.count > 64 ? (.unknown, bytes.count) : nil
    }
    // A control character breaks the sequence off and counts by itself.
    guard (0x40...0x7e).contains(final) else { return (.unknown, 2 + parameters.count) }
    let count = 3 + parameters.count, values = numbers(parameters)
    if final == UInt8(ascii: "~"), values.first == 200 { return (nil, count) }
    return (named(final, parameters: values), count)
  }

  private static func numbers(_ bytes: ArraySlice<UInt8>) -> [Int] {
    bytes.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)
      .map { Int(String(decoding: $0, as: UTF8.self)) ?? 0 }
  }

  private static func named(_ final: UInt8, parameters: [Int]) -> Key {
    // The second parameter names the modifiers: 3 Alt, 5 Ctrl; words are moved over with either.
    let isWord = parameters.count > 1 && parameters[1] > 2
    switch final {
    case UInt8(ascii: "A"): return .up
    case UInt8(ascii: "B"): return .down
    case UInt8(ascii: "C"): return isWord || parameters == [5] ? .wordRight : .right
    case UInt8(ascii: "D"): return isWord || parameters == [5] ? .wordLeft : .left
    case UInt8(ascii: "H"): return .home
    case UInt8(ascii: "F"): return .end
    case UInt8(ascii: "M"): return .enter
    case UInt8(ascii: "u"): return parameters.first == 13 ? .newline : .unknown
    case UInt8(ascii: "~"):
      switch parameters.first {
      case 1, 7: return .home
      case 4, 8: return .end
      case 3: return isWord ? .deleteWordRight : .delete
      default: return .unknown
      }
    default: return .unknown
    }
  }
}
