/// Regular expressions inside a JSON string: literals, `.`, classes, groups, `|`, `* + ? {m,n}`, `^` and `$` at the
/// ends, `\d \w \s` and escaped signs. Matches whole strings, as constrained decoding must decide from the front.
enum RegularExpressionGrammar {
  typealias Expression = Grammar.Expression

  /// - Throws: ``EngineError`` naming what is not understood.
  static func parse(_ pattern: String) throws -> Expression {
    var parser = Parser(rest: Array(pattern.unicodeScalars)[...])
    let open = parser.rest.first == "^", closed = parser.rest.last == "$"
    if open { parser.rest.removeFirst() }
    if closed, !parser.rest.isEmpty { parser.rest.removeLast() }
    let expression = try parser.choice(depth: 0)
    guard parser.rest.isEmpty else { throw EngineError("has a ) without its (") }
    let free = Expression.repeated(anyCharacter, minimum: 0, maximum: nil)
    return .sequence((open ? [] : [free]) + [expression] + (closed ? [] : [free]))
  }

  private static let anyCharacter = Expression.character(
    except: ByteSet(0...0x1f).union(ByteSet(of: "\"\\\u{7f}")))

  private struct Parser {
    var rest: ArraySlice<Unicode.Scalar>

    mutating func choice(depth: Int) throws -> Expression {
      guard depth < 32 else { throw EngineError("is nested too deeply") }
      var choices = [try sequence(depth)]
      while rest.first == "|" {
        rest.removeFirst()
        choices.append(try sequence(depth))
      }
      return choices.count == 1 ? choices[0] : .choice(choices)
    }

    private mutating func sequence(_ depth: Int) throws -> Expression {
      var parts: [Expression] = []
      while let next = rest.first, next != "|", next != ")" {
        let part = try atom(depth)
        parts.append(try repetition(of: part))
      }
      return .sequence(parts)
    }

    private mutating func repetition(of part: Expression) throws -> Expression {
      guard let sign = rest.first else { return part }
      var result: Expression
      switch sign {
      case "*": result = .repeated(part, minimum: 0, maximum: nil)
      case "+": result = .repeated(part, minimum: 1, maximum: nil)
      case "?": result = .optional(part)
      case "{":
        guard let end = rest.firstIndex(of: "}") else { throw EngineError("has a { without its }") }
        let bounds = String(String.UnicodeScalarView(rest[(rest.startIndex + 1)..<end]))
          .split(separator: ",", omittingEmptySubsequences: false)
        guard let least = Int(bounds[0]), bounds.count <= 2, (0...500).contains(least) else {
          throw EngineError("has {…} that is not a count up to 500")
        }
        var most: Int? = least
        if bounds.count == 2 { most = bounds[1].isEmpty ? nil : Int(bounds[1]) ?? -1 }
        if let most, !(least...500).contains(most) { throw EngineError("has {…} that is not a count up to 500") }
        rest = rest[end...]
        result = .repeated(part, minimum: least, maximum: most)
      default: return part
      }
      rest.removeFirst()
      if rest.first == "?" { rest.removeFirst() }  // lazy or not, the texts are the same
      return result
    }

    private mutating func atom(_ depth: Int) throws -> Expression {
      let sign = rest.removeFirst()
      switch sign {
      case "(":
        if rest.starts(with: "?:".unicodeScalars) {
          rest.removeFirst(2)
        } else if rest.first == "?" {
          throw EngineError("looks ahead or back, which is not supported")
        }
        let inner = try choice(depth: depth + 1)
        guard rest.first == ")" else { throw EngineError("has a ( without its )") }
        rest.removeFirst()
        return inner
      case ".": return anyCharacter
      case "[": return try characterClass()
      case "\\": return try escaped()
      case "^", "$", "*", "+", "?", "{": throw EngineError("has a \(sign) in a place that is not supported")
      default: return literal(sign)
      }
    }

    /// A character as it stands in a JSON string.
    private func literal(_ scalar: Unicode.Scalar) -> Expression {
      .literal(String(JSONValue.string(String(Character(scalar))).text.dropFirst().dropLast()))
    }

    private static func named(_ letter: Unicode.Scalar) -> ByteSet? {
      switch letter {
      case "d": ByteSet(UInt8(ascii: "0")...UInt8(ascii: "9"))
      case "w":
        ByteSet(UInt8(ascii: "0")...UInt8(ascii: "9")).union(ByteSet(UInt8(ascii: "a")...UInt8(ascii: "z")))
          .union(ByteSet(UInt8(ascii: "A")...UInt8(ascii: "Z"))).union(ByteSet(of: "_"))
      case "s": ByteSet(of: " ")
      default: nil
      }
    }

    private mutating func escaped() throws -> Expression {
      guard let sign = rest.popFirst() else { throw EngineError("ends with \\") }
      if let set = Self.named(sign) { return .bytes(set) }
      switch sign {
      case "n": return .literal("\\n")
      case "t": return .literal("\\t")
      case "r": return .literal("\\r")
      case _ where sign.isASCII && !sign.properties.isAlphabetic && !("0"..."9").contains(sign):
        return literal(sign)
      default: throw EngineError("has \\\(sign), which is not supported")
      }
    }

    private mutating func characterClass() throws -> Expression {
      var negated = false
      if rest.first == "^" {
        negated = true
        rest.removeFirst()
      }
      var set = ByteSet()
      var others: [Expression] = []  // characters beyond ASCII
      var isFirst = true
      while let sign = rest.popFirst() {
        if sign == "]", !isFirst {
          let unsafe = ByteSet(0...0x1f).union(ByteSet(of: "\"\\\u{7f}"))
          if negated {
            guard others.isEmpty else { throw EngineError("excludes characters beyond ASCII, which is not supported") }
            return .character(except: set.union(unsafe))
          }
          return .choice([.bytes(set.subtracting(unsafe))] + others)
        }
        isFirst = false
        var low = sign
        if sign == "\\" {
          guard let next = rest.popFirst() else { break }
          if let named = Self.named(next) {
            set = set.union(named)
            continue
          }
          low = next
        }
        var high = low
        if rest.first == "-", rest.count > 1, rest[rest.startIndex + 1] != "]" {
          rest.removeFirst()
          high = rest.removeFirst()
          if high == "\\", let next = rest.popFirst() { high = next }
        }
        guard low.value <= high.value else { throw EngineError("has a range that goes backwards") }
        if high.isASCII {
          for value in low.value...high.value { set.insert(UInt8(value)) }
        } else if low == high {
          others.append(.literal(String(Character(low))))
        } else {
          throw EngineError("has a range beyond ASCII, which is not supported")
        }
      }
      throw EngineError("has a [ without its ]")
    }
  }
}
