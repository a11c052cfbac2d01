// Classes of characters: escapes, properties, and sets in brackets.
extension RegularExpressionParser {
  /// `\d`, `\p{L}` and their like; nil where the escape is one character.
  mutating func setEscape(inBrackets: Bool) throws -> ScalarSet? {
    guard let scalar = next else { return nil }
    let digits = ScalarSet.categories(.decimalNumber)
    let word = inBrackets ? ScalarSet.word : .bareWord
    let hexadecimal = ScalarSet.ranges([48...57, 65...70, 97...102])
    let set: ScalarSet
    switch scalar {
    case "d": set = digits
    case "D": set = .complement(digits)
    case "s": set = .whiteSpace
    case "S": set = .complement(.whiteSpace)
    case "w": set = word
    case "W": set = .complement(word)
    case "h": set = hexadecimal
    case "H": set = .complement(hexadecimal)
    case "p", "P":
      at += 1
      guard take("{"), let end = pattern[at...].firstIndex(of: "}") else {
        throw RegularExpressionError("\\\(scalar) has no name in braces")
      }
      var name = String(String.UnicodeScalarView(pattern[at..<end]))
      at = end + 1
      let isInverted = name.hasPrefix("^")
      if isInverted { name.removeFirst() }
      let found = try property(name)
      return isInverted != (scalar == "P") ? .complement(found) : found
    default: return nil
    }
    at += 1
    return set
  }

  private func property(_ name: String) throws -> ScalarSet {
    guard let set = UnicodeProperty.set(named: name) else {
      throw RegularExpressionError("\\p{\(name)} is not a supported property")
    }
    if ignoresCase, UnicodeProperty.dependsOnCase(name) {
      throw RegularExpressionError("it ignores the case of \\p{\(name)}, which Martlet does not support")
    }
    return set
  }

  /// One character written as an escape; `at` stands behind the backslash.
  mutating func scalarEscape() throws -> Unicode.Scalar {
    guard let scalar = next else { throw RegularExpressionError("it ends in a backslash") }
    at += 1
    switch scalar {
    case "t": return "\t"
    case "n": return "\n"
    case "r": return "\r"
    case "f": return "\u{c}"
    case "v": return "\u{b}"
    case "a": return "\u{7}"
    case "e": return "\u{1b}"
    case "x":
      if take("{") {
        let value = try hexadecimal(1...8)
        guard take("}") else { throw RegularExpressionError("\\x{ has no end") }
        return value
      }
      let value = try hexadecimal(1...2)
      guard value.isASCII else { throw RegularExpressionError("\\x above 7f is a byte, which Martlet does not match") }
      return value
    case "u": return try hexadecimal(4...4)
    default:
      guard !scalar.isASCII || CharacterClass(scalar) == .other || CharacterClass(scalar) == .space else {
        throw RegularExpressionError("\\\(scalar) is not a supported escape")
      }
      return scalar
    }
  }

  private mutating func hexadecimal(_ digits: ClosedRange<Int>) throws -> Unicode.Scalar {
    var value: UInt32 = 0, count = 0
    while count < digits.upperBound, let scalar = next, let digit = Character(scalar).hexDigitValue, scalar.isASCII {
      value = value << 4 | UInt32(digit)
      at += 1
      count += 1
    }
    guard count >= digits.lowerBound, let scalar = Unicode.Scalar(value) else {
      throw RegularExpressionError("a hexadecimal escape is not a character")
    }
    return scalar
  }

  /// What stands behind `[`, up to the closing bracket.
  mutating func characterClass() throws -> ScalarSet {
    depth += 1
    defer { depth -= 1 }
    guard depth <= 50 else { throw RegularExpressionError("its classes are nested more than 50 deep") }
    let isInverted = take("^")
    var parts: [ScalarSet] = []  // between &&
    var items: [ScalarSet] = []
    var ranges: [ClosedRange<UInt32>] = []
    func gathered() -> ScalarSet {
      let all = ranges.isEmpty ? items : items + [.ranges(ranges)]
      let set: ScalarSet = all.count == 1 ? all[0] : .union(all)
      return ignoresCase ? .anyCase(set) : set
    }
    var isFirst = true
    while true {
      guard let scalar = next else { throw RegularExpressionError("an opening bracket has no closing one") }
      if scalar == "]", !isFirst {
        at += 1
        break
      }
      isFirst = false
      if take("&&") {
        parts.append(gathered())
        (items, ranges) = ([], [])
        continue
      }
      if take("[:") {
        items.append(try bracketProperty())
        continue
      }
      if take("[") {
        items.append(try characterClass())
        continue
      }
      if scalar == "\\" {
        at += 1
        if let set = try setEscape(inBrackets: true) {
          items.append(set)
          if next == "-", at + 1 < pattern.count, pattern[at + 1] != "]" {
            throw RegularExpressionError("a range in brackets begins with a class")
          }
          continue
        }
        if take("b") {
          ranges.append(8...8)
          continue
        }
      }
      let low = try classScalar(escaped: scalar == "\\")
      guard next == "-", at + 1 < pattern.count, pattern[at + 1] != "]" else {
        ranges.append(low.value...low.value)
        continue
      }
      at += 1
      guard next != "[", next != "&" else { throw RegularExpressionError("a range in brackets has no end") }
      let isEscaped = take("\\")
      let high = try classScalar(escaped: isEscaped)
      guard low.value <= high.value else { throw RegularExpressionError("a range in brackets is in the wrong order") }
      ranges.append(low.value...high.value)
      if next == "-", at + 1 < pattern.count, pattern[at + 1] != "]" {
        throw RegularExpressionError("a range in brackets continues after its end")
      }
    }
    if ignoresCase, let odd = ranges.first(where: { $0.upperBound > 127 }) {
      let name = "U+" + String(odd.upperBound, radix: 16, uppercase: true)
      throw RegularExpressionError("it ignores the case of a class with \(name), which Martlet does not support")
    }
    parts.append(gathered())
    let set: ScalarSet = parts.count == 1 ? parts[0] : .intersection(parts)
    return isInverted ? .complement(set) : set
  }

  private mutating func classScalar(escaped: Bool) throws -> Unicode.Scalar {
    if escaped { return try scalarEscape() }
    guard let scalar = next else { throw RegularExpressionError("an opening bracket has no closing one") }
    at += 1
    return scalar
  }

  /// `[:alpha:]`, from behind its colon.
  private mutating func bracketProperty() throws -> ScalarSet {
    let isInverted = take("^")
    guard let end = pattern[at...].firstIndex(of: ":"), end + 1 < pattern.count, pattern[end + 1] == "]" else {
      throw RegularExpressionError("[: has no end")
    }
    let set = try property(String(String.UnicodeScalarView(pattern[at..<end])))
    at = end + 2
    return isInverted ? .complement(set) : set
  }
}
