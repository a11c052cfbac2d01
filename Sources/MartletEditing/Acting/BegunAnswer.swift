import MartletData
import MartletEngine

/// A text that an answer goes on from: what a client gave as the answer's beginning, or a raw prompt.
struct BegunAnswer {
  private let text: [Character]
  private let json: OpenJSON?

  /// - Parameter isGiven: the text is the answer's own beginning, so that JSON in it is the answer's form.
  init(_ text: String, isGiven: Bool) {
    self.text = Array(text)
    json = isGiven ? OpenJSON(text) : nil
  }

  /// What has to follow so that the whole says `answer`: the part that is not there yet, behind a space where words are
  /// parted by one; inside JSON as a string that is closed with all that is open. nil where it is all there.
  /// - Throws: ``EngineError`` where the answer cannot follow.
  func rest(of answer: String) throws(EngineError) -> String? {
    if let json { return try json.rest(of: answer) }
    let words = Array(answer)
    var end = text.count
    while end > 0, Self.isClosing(text[end - 1]) { end -= 1 }
    // What closes may belong to the answer: "Yahoo!"
    for end in end...text.count where text[..<end].hasSuffix(words) && isStart(end - words.count) { return nil }
    // The answer's first words stand there already.
    for count in stride(from: min(words.count - 1, text.count), to: 0, by: -1) {
      let start = text.count - count
      if text[start...].elementsEqual(words[..<count]), isStart(start), count > 1 || Self.isUnspaced(words[0]) {
        return String(words[count...])
      }
    }
    guard let last = text.last else { return answer }
    let joins =
      last.isWhitespace || "([{\"“‘«'`*_「『（".contains(last) || Self.isUnspaced(last) && Self.isUnspaced(words[0])
    return (joins ? "" : " ") + answer
  }

  /// Whether a word can begin at a place.
  private func isStart(_ place: Int) -> Bool {
    place <= 0 || !(text[place - 1].isLetter || text[place - 1].isNumber) || Self.isUnspaced(text[place - 1])
  }

  /// What may stand behind a last word: space, the ends of sentences in any script, closing quotes and brackets, marks
  /// of Markdown.
  private static func isClosing(_ character: Character) -> Bool {
    if character.isWhitespace || "\"'*_`".contains(character) { return true }
    guard let properties = character.unicodeScalars.first?.properties else { return false }
    return properties.isSentenceTerminal
      || [.closePunctuation, .finalPunctuation].contains(properties.generalCategory)
  }

  /// Of scripts that put no spaces between words, and their punctuation.
  private static func isUnspaced(_ character: Character) -> Bool {
    guard let scalar = character.unicodeScalars.first else { return false }
    return (0x0e00...0x0eff).contains(scalar.value) || (0x1000...0x109f).contains(scalar.value)
      || (0x1780...0x17ff).contains(scalar.value) || (0x3000...0x30ff).contains(scalar.value)
      || (0x3400...0x9fff).contains(scalar.value) || (0xff00...0xffef).contains(scalar.value)
      || (0x20000...0x3ffff).contains(scalar.value)
  }
}

extension ArraySlice<Character> {
  fileprivate func hasSuffix(_ other: [Character]) -> Bool { suffix(other.count).elementsEqual(other) }
}

/// JSON that is not whole yet, and where it stands.
private struct OpenJSON {
  private enum Place { case value, insideString, other }
  private var closers: [Character] = []
  private var place = Place.other
  /// What the open string holds so far.
  private var string = ""

  /// nil where the text does not begin as a JSON object or array does.
  init?(_ text: String) {
    guard let first = text.first(where: { !$0.isWhitespace }), first == "{" || first == "[" else { return nil }
    var isString = false, isEscaped = false
    /// Whether the open string is an object's key.
    var isKey = false
    place = .other
    for character in text {
      if isString {
        if isEscaped {
          isEscaped = false
        } else if character == "\\" {
          isEscaped = true
        } else if character == "\"" {
          isString = false
          place = .other
          continue
        }
        string.append(character)
        continue
      }
      switch character {
      case "{":
        closers.append("}")
        isKey = true
        place = .other
      case "[":
        closers.append("]")
        place = .value
      case "}", "]":
        guard closers.popLast() == character else { return nil }
        place = .other
      case ":":
        isKey = false
        place = .value
      case ",":
        isKey = closers.last == "}"
        place = isKey ? .other : .value
      case "\"":
        isString = true
        string = ""
        if isKey { place = .other } else { place = .insideString }
      default: if !character.isWhitespace { place = .other }
      }
    }
    if isString, isKey || isEscaped { place = .other }
  }

  /// nil where the whole stands there.
  func rest(of answer: String) throws(EngineError) -> String? {
    let close = String(closers.reversed())
    let text = JSONValue.string(answer).text
    switch place {
    case .value: return text + close
    case .insideString:
      let own = text.dropFirst()
      if string.isEmpty || string.last?.isWhitespace == true { return own + close }
      return own.hasPrefix(string) ? own.dropFirst(string.count) + close : " " + own + close
    case .other where closers.isEmpty: return nil
    case .other: throw EngineError("the partial answer is JSON that ends where no value can follow")
    }
  }
}
