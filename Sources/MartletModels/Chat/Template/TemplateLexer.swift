/// Cuts a template's text into tokens, with the rules of white space of its ``TemplateDialect``.
struct TemplateLexer {
  enum Kind: Equatable {
    case text(String)
    case beginOutput, beginBlock, end
    case name(String)
    case string(String)
    case integer(Int)
    case real(Double)
    case symbol(String)
    case finish
  }

  struct Token {
    let kind: Kind
    let line: Int
  }

  private let scalars: [Unicode.Scalar]
  private let dialect: TemplateDialect
  private var place = 0
  private var line = 1
  /// Whether what was consumed last ended a line, so that blanks that follow begin one.
  private var beginsLine = true
  private var tokens: [Token] = []

  static func tokens(of text: String, _ dialect: TemplateDialect) throws -> [Token] {
    // By scalars: a carriage return and its line feed are one Character.
    var scalars: [Unicode.Scalar] = []
    var previous: Unicode.Scalar = " "
    for scalar in text.unicodeScalars {
      if scalar == "\r" {
        scalars.append("\n")
      } else if !(scalar == "\n" && previous == "\r") {
        scalars.append(scalar)
      }
      previous = scalar
    }
    if dialect == .chat, scalars.last == "\n" { scalars.removeLast() }
    var lexer = TemplateLexer(scalars: scalars, dialect)
    try lexer.run()
    return lexer.tokens
  }

  private init(scalars: [Unicode.Scalar], _ dialect: TemplateDialect) {
    self.scalars = scalars
    self.dialect = dialect
  }

  private func at(_ text: String, _ offset: Int? = nil) -> Bool {
    let start = offset ?? place
    guard start >= 0 else { return false }
    return scalars[min(start, scalars.count)...].starts(with: text.unicodeScalars)
  }

  private mutating func advance(to end: Int) {
    for scalar in scalars[place..<end] where scalar == "\n" { line += 1 }
    place = end
  }

  private func isSpace(_ place: Int) -> Bool {
    scalars.indices.contains(place) && MarkedText.isSpace(scalars[place].value)
  }

  private mutating func skipSpace() {
    var end = place
    while isSpace(end) { end += 1 }
    advance(to: end)
  }

  private mutating func add(_ kind: Kind) { tokens.append(Token(kind: kind, line: line)) }

  private mutating func run() throws {
    while place < scalars.count {
      let start = place
      var opening = start
      while opening < scalars.count, !(at("{{", opening) || at("{%", opening) || at("{#", opening)) { opening += 1 }
      guard opening < scalars.count else {
        add(.text(text(scalars[start...])))
        break
      }
      let kind = scalars[opening + 1]
      let sign = scalars.indices.contains(opening + 2) ? scalars[opening + 2] : " "
      addText(scalars[start..<opening], strips: sign == "-", isLine: sign != "+" && kind != "{")
      advance(to: opening + (sign == "-" || sign == "+" ? 3 : 2))
      switch kind {
      case "#": try skipComment()
      case "%":
        if try rawBlock() { continue }
        add(.beginBlock)
        try expression(closing: "%}")
      default:
        add(.beginOutput)
        try expression(closing: "}}")
      }
    }
    add(.finish)
  }

  private func text(_ slice: ArraySlice<Unicode.Scalar>) -> String {
    var text = ""
    text.unicodeScalars.append(contentsOf: slice)
    return text
  }

  /// Text before an opening: `strips` takes all white space at its end, `isLine` the blanks of a line that holds nothing
  /// else.
  private mutating func addText(_ slice: ArraySlice<Unicode.Scalar>, strips: Bool, isLine: Bool) {
    var slice = slice
    if strips {
      while let last = slice.last, MarkedText.isSpace(last.value) { slice.removeLast() }
    } else if isLine, dialect == .chat {
      let lineStart = slice.lastIndex(of: "\n").map { $0 + 1 } ?? slice.startIndex
      if lineStart > slice.startIndex || beginsLine,
        slice[lineStart...].allSatisfy({ MarkedText.isSpace($0.value) })
      {
        slice = slice[..<lineStart]
      }
    }
    if !slice.isEmpty { add(.text(text(slice))) }
  }

  /// What follows a block or a comment: after `-` all white space goes, else one newline.
  private mutating func finishBlock(strips: Bool, keepsLine: Bool) {
    let start = place
    if strips { skipSpace() } else if !keepsLine, dialect == .chat, at("\n") { advance(to: place + 1) }
    beginsLine = place > start && scalars[place - 1] == "\n"
  }

  private mutating func skipComment() throws {
    let start = place
    var end = start
    while end < scalars.count, !at("#}", end) { end += 1 }
    guard end < scalars.count else { throw TemplateError.notUnderstood(line: line, "a comment does not end") }
    let sign = end > start ? scalars[end - 1] : " "
    advance(to: end + 2)
    finishBlock(strips: sign == "-", keepsLine: sign == "+")
  }

  /// `{% raw %}...{% endraw %}`, where one begins here.
  private mutating func rawBlock() throws -> Bool {
    guard let opening = blockEnd(of: "raw", from: place) else { return false }
    advance(to: opening.end)
    finishBlock(strips: opening.strips, keepsLine: false)
    let start = place
    var end = start
    while end < scalars.count {
      if at("{%", end) {
        let strips = at("-", end + 2)
        let inner = end + (strips || at("+", end + 2) ? 3 : 2)
        if let closing = blockEnd(of: "endraw", from: inner) {
          addText(scalars[start..<end], strips: strips, isLine: !at("+", end + 2))
          advance(to: closing.end)
          finishBlock(strips: closing.strips, keepsLine: false)
          return true
        }
      }
      end += 1
    }
    throw TemplateError.notUnderstood(line: line, "a raw block does not end")
  }

  private func blockEnd(of name: String, from start: Int) -> (end: Int, strips: Bool)? {
    var end = start
    while isSpace(end) { end += 1 }
    guard at(name, end) else { return nil }
    end += name.unicodeScalars.count
    while isSpace(end) { end += 1 }
    let strips = at("-", end)
    if strips { end += 1 }
    return at("%}", end) ? (end + 2, strips) : nil
  }

  private static let symbols = [
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "*", "/", "%", "~", ">", "<", "=", ".", ":", "|", ",", "(", ")",
    "[", "]", "{", "}",
  ]

  private mutating func expression(closing: String) throws {
    var open = 0
    while true {
      skipSpace()
      guard place < scalars.count else {
        throw TemplateError.notUnderstood(line: line, "an expression does not end with \(closing)")
      }
      if open == 0 {
        let signed = at("-" + closing) || (closing == "%}" && at("+" + closing))
        if signed || at(closing) {
          let sign = scalars[place]
          advance(to: place + (signed ? 3 : 2))
          add(.end)
          if closing == "%}" || sign == "-" {
            finishBlock(strips: signed && sign == "-", keepsLine: signed && sign == "+")
          } else {
            beginsLine = false
          }
          return
        }
      }
      let scalar = scalars[place]
      if scalar == "\"" || scalar == "'" {
        try string()
      } else if ("0"..."9").contains(scalar) {
        try number()
      } else if scalar == "_" || scalar.properties.isAlphabetic {
        var end = place
        while end < scalars.count, scalars[end] == "_" || scalars[end].properties.isAlphabetic || isDigit(end) {
          end += 1
        }
        add(.name(text(scalars[place..<end])))
        advance(to: end)
      } else if let symbol = Self.symbols.first(where: { at($0) }) {
        if ["(", "[", "{"].contains(symbol) { open += 1 }
        if [")", "]", "}"].contains(symbol) {
          open -= 1
          guard open >= 0 else { throw TemplateError.notUnderstood(line: line, "\(symbol) has no opening counterpart") }
        }
        add(.symbol(symbol))
        advance(to: place + symbol.unicodeScalars.count)
      } else {
        throw TemplateError.notUnderstood(
          line: line, "the character U+\(String(scalar.value, radix: 16)) is not part of an expression")
      }
    }
  }

  private func isDigit(_ place: Int) -> Bool {
    scalars.indices.contains(place) && ("0"..."9").contains(scalars[place])
  }

  private mutating func number() throws {
    var end = place
    while isDigit(end) || (end < scalars.count && scalars[end] == "_" && isDigit(end + 1)) { end += 1 }
    let isMember = tokens.last?.kind == .symbol(".")
    var isReal = false
    if !isMember, at(".", end), isDigit(end + 1) {
      isReal = true
      end += 1
      while isDigit(end) { end += 1 }
    }
    if !isMember, at("e", end) || at("E", end) {
      let signed = at("+", end + 1) || at("-", end + 1)
      if isDigit(end + (signed ? 2 : 1)) {
        isReal = true
        end += signed ? 2 : 1
        while isDigit(end) { end += 1 }
      }
    }
    let digits = text(scalars[place..<end]).replacing("_", with: "")
    if end < scalars.count, scalars[end].properties.isAlphabetic {
      throw TemplateError.notUnderstood(line: line, "\(digits)... is not a supported number")
    }
    if isReal, let value = Double(digits) {
      add(.real(value))
    } else if !isReal, let value = Int(digits) {
      add(.integer(value))
    } else {
      throw TemplateError.notUnderstood(line: line, "the number \(digits) is too large")
    }
    advance(to: end)
  }

  private static let escapes: [Unicode.Scalar: Unicode.Scalar] = [
    "n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", "\"": "\"", "a": "\u{7}", "b": "\u{8}", "f": "\u{c}",
    "v": "\u{b}",
  ]

  private mutating func string() throws {
    let quote = scalars[place]
    var end = place + 1
    var content: [Unicode.Scalar] = []
    while end < scalars.count, scalars[end] != quote {
      guard scalars[end] == "\\", end + 1 < scalars.count else {
        content.append(scalars[end])
        end += 1
        continue
      }
      let letter = scalars[end + 1]
      end += 2
      if let plain = Self.escapes[letter] {
        content.append(plain)
      } else if let count = ["x": 2, "u": 4, "U": 8][letter] {
        let digits = scalars[min(end, scalars.count)..<min(end + count, scalars.count)]
        guard digits.count == count, digits.allSatisfy(\.properties.isASCIIHexDigit),
          let value = UInt32(text(digits), radix: 16), let scalar = Unicode.Scalar(value)
        else {
          throw TemplateError.notUnderstood(
            line: line, "an escape sequence in a string is incomplete or not a character")
        }
        content.append(scalar)
        end += count
      } else if letter == "N" || ("0"..."7").contains(letter) {
        throw TemplateError.notUnderstood(line: line, "the escape \\\(letter) in a string is not supported")
      } else if letter != "\n" {
        content += ["\\", letter]
      }
    }
    guard end < scalars.count else { throw TemplateError.notUnderstood(line: line, "a string has no closing quote") }
    add(.string(text(content[...])))
    advance(to: end + 1)
  }
}
