/// Reads the text of a regular expression as ECMA-262 does with the flag `u`, and forgives what is common and clear
/// without it: escaped punctuation that needs no escape, and `{`, `}` and `]` that stand for themselves.
struct RegularExpressionParser {
  private let scalars: [Unicode.Scalar]
  private let dialect: RegularExpressionDialect
  private var position = 0
  private var depth = 0
  /// Something was read that the dialects read differently.
  private(set) var dependsOnDialect = false
  /// What one dialect refuses may be what the other one accepts.
  private(set) var isContested = false

  private static let deepest = 100
  private static let largestCount = RegularExpressionProgram.mostPlaces

  init(_ pattern: String, dialect: RegularExpressionDialect) {
    scalars = Array(pattern.unicodeScalars)
    self.dialect = dialect
  }

  /// The whole pattern.
  /// - Throws: ``EngineError`` that says what is not understood and where; reads on behind "the pattern …".
  mutating func parse() throws -> RegularExpression {
    guard scalars.count <= Self.longest else {
      throw EngineError("has \(scalars.count) characters; at most \(Self.longest) are taken")
    }
    try GrammarWork.spend(20 * scalars.count)
    let expression = try choice()
    guard position == scalars.count else { throw problem("has a ) without its (") }
    return expression
  }

  /// The work of a pattern grows with the square of its length at worst.
  private static let longest = 10_000

  // MARK: reading

  private var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

  private func problem(_ text: String, at place: Int? = nil) -> EngineError {
    EngineError("\(text) at character \((place ?? position) + 1)")
  }

  /// Goes on behind `text` where it stands next.
  private mutating func skip(_ text: String) -> Bool {
    guard position < scalars.count, scalars[position...].starts(with: text.unicodeScalars) else { return false }
    position += text.unicodeScalars.count
    return true
  }

  private mutating func choice() throws -> RegularExpression {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.deepest else { throw problem("has more than \(Self.deepest) groups inside each other") }
    var choices = [try sequence()]
    while skip("|") { choices.append(try sequence()) }
    return choices.count == 1 ? choices[0] : .choice(choices)
  }

  private mutating func sequence() throws -> RegularExpression {
    var parts: [RegularExpression] = []
    while let next, next != "|", next != ")" { parts.append(try repetition()) }
    return parts.count == 1 ? parts[0] : .sequence(parts)
  }

  private mutating func repetition() throws -> RegularExpression {
    let (part, canRepeat) = try atom()
    let place = position
    guard let (minimum, maximum) = try quantifier() else { return part }
    guard canRepeat else { throw problem("repeats something that matches no characters", at: place) }
    _ = skip("?")  // as few or as many as possible: the texts are the same
    if let next, "*+?".unicodeScalars.contains(next) {
      throw problem("has a second repetition, which is not part of ECMA-262,")
    }
    return .repeated(part, minimum: minimum, maximum: maximum)
  }

  private mutating func quantifier() throws -> (minimum: Int, maximum: Int?)? {
    if skip("*") { return (0, nil) }
    if skip("+") { return (1, nil) }
    if skip("?") { return (0, 1) }
    guard next == "{" else { return nil }
    let start = position
    position += 1
    let minimum = try count()
    var maximum = minimum
    let isRange = skip(",")
    if isRange { maximum = try count() }
    guard skip("}"), minimum != nil || maximum != nil else {
      position = start
      return nil  // stands for itself
    }
    guard let minimum else { throw problem("has {,n}, which is ambiguous; write {0,n}", at: start) }
    if let maximum, maximum < minimum {
      throw problem("has a repetition whose bounds are in the wrong order", at: start)
    }
    return (minimum, maximum)
  }

  /// Decimal digits; nil where there are none.
  private mutating func count() throws -> Int? {
    let start = position
    while let next, ("0"..."9").contains(next) { position += 1 }
    guard position > start else { return nil }
    let digits = String(String.UnicodeScalarView(scalars[start..<position]))
    guard let count = Int(digits), count <= Self.largestCount else {
      throw problem("repeats something more than \(Self.largestCount) times, which is too often,", at: start)
    }
    return count
  }

  /// One thing, and whether it can be repeated.
  private mutating func atom() throws -> (RegularExpression, canRepeat: Bool) {
    guard let sign = next else { return (.nothing, false) }
    let place = position
    position += 1
    switch sign {
    case "(": return try group(place)
    case "[": return (.scalars(try characterClass(place)), true)
    case ".":
      dependsOnDialect = true
      let lineEnds = ScalarSet(dialect == .ecma ? "\n\r\u{2028}\u{2029}" : "\n")
      return (.scalars(lineEnds.inverted), true)
    case "^": return (.start, false)
    case "$":
      dependsOnDialect = true
      // Elsewhere a last line feed may follow.
      if dialect == .ecma { return (.end, false) }
      return (.ahead(.choice([.end, .sequence([.scalars(ScalarSet("\n")), .end])]), negated: false), false)
    case "*", "+", "?": throw problem("has a \(sign) with nothing to repeat", at: place)
    case "\\": return try escaped(place)
    default: return (.scalars(ScalarSet(sign)), true)
    }
  }

  private mutating func group(_ place: Int) throws -> (RegularExpression, canRepeat: Bool) {
    func close(_ inner: RegularExpression) throws -> RegularExpression {
      guard skip(")") else { throw problem("has a ( without its )", at: place) }
      return inner
    }
    guard next == "?" else { return (try close(try choice()), true) }
    if skip("?:") { return (try close(try choice()), true) }
    for (sign, isBehind, negated) in [
      ("?=", false, false), ("?!", false, true), ("?<=", true, false), ("?<!", true, true),
    ]
    where skip(sign) {
      let inner = try close(try choice())
      if negated { isContested = true }
      return (isBehind ? .behind(inner, negated: negated) : .ahead(inner, negated: negated), false)
    }
    if skip("?<") || skip("?P<") {
      let start = position
      while let next, next != ">" { position += next == ")" ? scalars.count : 1 }
      guard start < position, skip(">") else { throw problem("has a named group without a name", at: place) }
      return (try close(try choice()), true)
    }
    throw problem("has a group of a kind that is not supported", at: place)
  }

  // MARK: escapes

  private mutating func escaped(_ place: Int) throws -> (RegularExpression, canRepeat: Bool) {
    if let set = try classEscape() {
      try GrammarWork.spend(2 * set.ranges.count)
      return (.scalars(set), true)
    }
    switch next {
    case "b", "B":
      let negated = next == "B"
      position += 1
      dependsOnDialect = true
      isContested = true
      let word = RegularExpression.scalars(ScalarSet.word(dialect))
      func side(_ before: Bool, _ after: Bool) -> RegularExpression {
        .sequence([.behind(word, negated: !before), .ahead(word, negated: !after)])
      }
      return (.choice([side(true, negated), side(false, !negated)]), false)
    case "k": throw problem("has a back-reference, which is not supported,", at: place)
    case .some(let digit) where ("1"..."9").contains(digit):
      throw problem("has a back-reference, which is not supported,", at: place)
    default: break
    }
    let value = try characterEscape(place)
    guard let scalar = Unicode.Scalar(value) else {
      throw problem("has half of a surrogate pair, which is not a character (write \\u{…}),", at: place)
    }
    return (.scalars(ScalarSet(scalar)), true)
  }

  /// `\d \D \w \W \s \S \p{…} \P{…}`: the set, or nil where something else follows the backslash.
  private mutating func classEscape() throws -> ScalarSet? {
    guard let sign = next else { return nil }
    let set: ScalarSet
    switch sign {
    case "d", "D": set = .digit(dialect)
    case "w", "W": set = .word(dialect)
    case "s", "S": set = .space(dialect)
    case "p", "P":
      let place = position
      position += 1
      guard skip("{") else { throw problem("has \\\(sign) without {…}", at: place) }
      let start = position
      while let next, next != "}" { position += 1 }
      let name = String(String.UnicodeScalarView(scalars[start..<position]))
      guard skip("}") else { throw problem("has \\\(sign){ without its }", at: place) }
      guard let property = ScalarSet.property(name) else {
        throw problem("has \\\(sign){\(name)}, an unknown property,", at: place)
      }
      return sign == "P" ? property.inverted : property
    default: return nil
    }
    position += 1
    dependsOnDialect = true
    if sign != "d", sign != "w" { isContested = true }
    return sign.properties.isUppercase ? set.inverted : set
  }

  /// The value of one escaped character, the backslash already read; that of a lone surrogate is possible.
  private mutating func characterEscape(_ place: Int) throws -> UInt32 {
    guard let sign = next else { throw problem("ends with a backslash", at: place) }
    position += 1
    switch sign {
    case "t": return 0x09
    case "n": return 0x0a
    case "v": return 0x0b
    case "f": return 0x0c
    case "r": return 0x0d
    case "0":
      if let next, ("0"..."9").contains(next) { throw problem("has an octal escape (write \\xHH)", at: place) }
      return 0
    case "c":
      guard let letter = next, letter.isASCII, letter.properties.isAlphabetic else {
        throw problem("has \\c without a letter", at: place)
      }
      position += 1
      return letter.value & 31
    case "x": return try hexadecimal(digits: 2, "\\x", place)
    case "u":
      if skip("{") {
        let start = position
        while let next, next != "}" { position += 1 }
        let digits = String(String.UnicodeScalarView(scalars[start..<position]))
        guard digits.allSatisfy(\.isHexDigit), let value = UInt32(digits, radix: 16), value <= 0x10ffff, skip("}")
        else {
          throw problem("has \\u{…} that is not a character", at: place)
        }
        return value
      }
      let first = try hexadecimal(digits: 4, "\\u", place)
      let mark = position
      if (0xd800...0xdbff).contains(first), skip("\\u"), next != "{" {
        let second = try hexadecimal(digits: 4, "\\u", mark)
        if (0xdc00...0xdfff).contains(second) { return 0x10000 + (first - 0xd800) << 10 + (second - 0xdc00) }
      }
      position = (0xd800...0xdbff).contains(first) ? mark : position
      return first
    case "A", "Z", "z":
      throw problem("has \\\(sign), which is not part of ECMA-262 (write \(sign == "A" ? "^" : "$")),", at: place)
    case _ where sign.isASCII && !sign.properties.isAlphabetic && !("0"..."9").contains(sign): return sign.value
    default: throw problem("has \\\(sign), which is not supported,", at: place)
    }
  }

  private mutating func hexadecimal(digits: Int, _ name: String, _ place: Int) throws -> UInt32 {
    let text = String(String.UnicodeScalarView(scalars[position...].prefix(digits)))
    guard text.count == digits, text.allSatisfy({ $0.isASCII && $0.isHexDigit }), let value = UInt32(text, radix: 16)
    else { throw problem("has \(name) without \(digits) hexadecimal digits", at: place) }
    position += digits
    return value
  }

  // MARK: classes

  private mutating func characterClass(_ place: Int) throws -> ScalarSet {
    let negated = skip("^")
    if next == "]" {
      throw problem("has an empty [], which is ambiguous (write \\] for a bracket),", at: place)
    }
    var ranges: [ClosedRange<UInt32>] = []
    let outer = dependsOnDialect
    dependsOnDialect = false
    while let sign = next {
      if skip("]") {
        if negated, dependsOnDialect { isContested = true }
        dependsOnDialect = dependsOnDialect || outer
        try GrammarWork.spend(8 * ranges.count)
        let set = ScalarSet(ranges)
        if set.isEmpty, !negated {
          throw problem("has a class of surrogates only, which are not characters (write \\u{…}),", at: place)
        }
        return negated ? set.inverted : set
      }
      let start = position
      guard let low = try classAtom(sign, into: &ranges) else { continue }
      // A hyphen before the end, or before a class, stands for itself.
      guard next == "-", position + 1 < scalars.count, scalars[position + 1] != "]" else {
        ranges.append(low...low)
        continue
      }
      position += 1
      guard let second = next else { break }
      var others: [ClosedRange<UInt32>] = []
      guard let high = try classAtom(second, into: &others) else {
        ranges += [low...low, 0x2d...0x2d] + others
        continue
      }
      guard low <= high else { throw problem("has a range in the wrong order", at: start) }
      ranges.append(low...high)
    }
    throw problem("has a [ without its ]", at: place)
  }

  /// One member of a class: its value, or nil where it is a set of its own, which `ranges` then takes.
  private mutating func classAtom(_ sign: Unicode.Scalar, into ranges: inout [ClosedRange<UInt32>]) throws -> UInt32? {
    let place = position
    position += 1
    guard sign == "\\" else { return sign.value }
    if let set = try classEscape() {
      try GrammarWork.spend(2 * set.ranges.count)
      ranges += set.ranges
      return nil
    }
    if skip("b") { return 0x08 }
    return try characterEscape(place)
  }
}
