/// Reads regular expressions in Oniguruma's syntax (the one of Ruby), which is what a tokenizer.json is written in.
/// Whatever would not be matched exactly as there is refused by its name.
struct RegularExpressionParser {
  private typealias Node = RegularExpressionNode
  let pattern: [Unicode.Scalar]
  var at = 0
  var ignoresCase = false
  private var dotMatchesBreaks = false
  var depth = 0
  private var stackedQuantifiers = 0

  private init(_ pattern: String) { self.pattern = Array(pattern.unicodeScalars) }

  /// - Throws: ``RegularExpressionError``
  static func parse(_ pattern: String) throws -> RegularExpressionNode {
    var parser = RegularExpressionParser(pattern)
    guard parser.pattern.count <= 20_000 else { throw RegularExpressionError("it is longer than 20,000 characters") }
    let node = try parser.alternatives()
    if parser.at < parser.pattern.count { throw RegularExpressionError("a closing parenthesis has no opening one") }
    return node
  }

  var next: Unicode.Scalar? { at < pattern.count ? pattern[at] : nil }

  mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    guard next == scalar else { return false }
    at += 1
    return true
  }

  mutating func take(_ text: String) -> Bool {
    guard pattern[at...].starts(with: text.unicodeScalars) else { return false }
    at += text.unicodeScalars.count
    return true
  }

  private mutating func alternatives() throws -> RegularExpressionNode {
    depth += 1
    defer { depth -= 1 }
    guard depth <= 50 else { throw RegularExpressionError("its groups are nested more than 50 deep") }
    var branches = [try sequence()]
    while take("|") { branches.append(try sequence()) }
    return branches.count == 1 ? branches[0] : .alternatives(branches)
  }

  private mutating func sequence() throws -> RegularExpressionNode {
    var nodes: [Node] = []
    var before: Unicode.Scalar?  // the literal before, where case is ignored
    while let scalar = next, scalar != "|", scalar != ")" {
      if let rest = try optionsForTheRest() {
        nodes.append(rest)
        break
      }
      let start = at
      var node = try atom()
      if ignoresCase, at == start + 1 {
        try checkCaseless(scalar, after: before)
        before = scalar
      } else {
        before = nil
      }
      var isRepeated = false
      while let (atLeast, atMost, greed) = try quantifier() {
        // Each nests what stands before it one level deeper, groups included, so all count together.
        if isRepeated { stackedQuantifiers += 1 }
        isRepeated = true
        guard stackedQuantifiers < 50 else {
          throw RegularExpressionError("it repeats what is repeated already more than 50 times")
        }
        switch node {
        case .look, .assertion: throw RegularExpressionError("it repeats an assertion, which Martlet does not support")
        default: node = .repeated(node, atLeast: atLeast, atMost: atMost, greed)
        }
      }
      nodes.append(node)
    }
    return nodes.count == 1 ? nodes[0] : .sequence(nodes)
  }

  /// Where case is ignored, some letters and pairs equal a single other letter (ss and ß): refused, for it would be
  /// a mistake to pass them over.
  private func checkCaseless(_ scalar: Unicode.Scalar, after before: Unicode.Scalar?) throws {
    let properties = scalar.properties
    let expands = [properties.lowercaseMapping, properties.uppercaseMapping].contains { $0.unicodeScalars.count > 1 }
    let pair = before.map { String(Character($0)).lowercased() + String(Character(scalar)).lowercased() } ?? ""
    if expands || scalar.category == .nonspacingMark || ["ss", "st", "ff", "fi", "fl"].contains(pair) {
      throw RegularExpressionError(
        "it ignores the case of \(expands ? String(Character(scalar)) : pair), which Martlet does not support")
    }
  }

  /// `(?i)`, which holds for the rest of the group, the branches after it included.
  private mutating func optionsForTheRest() throws -> RegularExpressionNode? {
    let start = at
    guard take("(?"), let options = try options(), take(")") else {
      at = start
      return nil
    }
    let saved = (ignoresCase, dotMatchesBreaks)
    (ignoresCase, dotMatchesBreaks) = options
    defer { (ignoresCase, dotMatchesBreaks) = saved }
    return try alternatives()
  }

  /// Letters behind `(?`, such as `i` or `m-i`; nil where something else stands there.
  private mutating func options() throws -> (ignoresCase: Bool, dotMatchesBreaks: Bool)? {
    var result = (ignoresCase, dotMatchesBreaks)
    var value = true
    let start = at
    while let scalar = next {
      switch scalar {
      case "i": result.0 = value
      case "m": result.1 = value
      case "-": value = false
      case "x", "s", "W", "D", "S", "P", "a", "u", "L", "I":
        throw RegularExpressionError("its option \(scalar) is not supported (i and m are)")
      default: return at > start ? result : nil
      }
      at += 1
    }
    return nil
  }

  private mutating func quantifier() throws -> (Int, Int?, RegularExpressionNode.Greed)? {
    var bounds: (Int, Int?)
    if take("*") {
      bounds = (0, nil)
    } else if take("+") {
      bounds = (1, nil)
    } else if take("?") {
      bounds = (0, 1)
    } else {
      let start = at
      guard take("{"), let counts = try counts() else {
        at = start
        return nil
      }
      // Behind a count a + repeats once more, and ? behind one number does not mean reluctance.
      guard take("?") else { return (counts.0, counts.1, .greedy) }
      guard counts.0 != counts.1 else { throw RegularExpressionError("{n}? is not a supported quantifier") }
      return (counts.0, counts.1, .lazy)
    }
    return (bounds.0, bounds.1, take("?") ? .lazy : take("+") ? .possessive : .greedy)
  }

  /// `n}`, `n,}`, `,m}` or `n,m}`; nil where the brace is a character.
  private mutating func counts() throws -> (Int, Int?)? {
    let low = try number()
    let isRange = take(",")
    let high = isRange ? try number() : low
    guard take("}"), low != nil || high != nil else { return nil }
    if let low, let high, high < low { throw RegularExpressionError("a count {\(low),\(high)} is in the wrong order") }
    return (low ?? 0, high)
  }

  private mutating func number() throws -> Int? {
    var value: Int?
    while let digit = next, digit.value >= 48, digit.value <= 57 {
      value = (value ?? 0) * 10 + Int(digit.value - 48)
      if value ?? 0 > 10_000 { throw RegularExpressionError("a count is above 10,000") }
      at += 1
    }
    return value
  }

  private mutating func atom() throws -> RegularExpressionNode {
    guard let scalar = next else { return .sequence([]) }
    at += 1
    switch scalar {
    case "(": return try group()
    case "[": return .set(try characterClass())
    case ".": return .set(dotMatchesBreaks ? .complement(.ranges([])) : .complement(.ranges([10...10])))
    case "^": return .assertion(.lineStart)
    case "$": return .assertion(.lineEnd)
    case "*", "+", "?": throw RegularExpressionError("\(scalar) repeats nothing")
    case "\\": return try escape()
    default: return .set(literal(scalar))
    }
  }

  private func literal(_ scalar: Unicode.Scalar) -> ScalarSet {
    let set = ScalarSet.ranges([scalar.value...scalar.value])
    return ignoresCase ? .anyCase(set) : set
  }

  private mutating func group() throws -> RegularExpressionNode {
    let saved = (ignoresCase, dotMatchesBreaks)
    defer { (ignoresCase, dotMatchesBreaks) = saved }
    func closed(_ node: RegularExpressionNode) throws -> RegularExpressionNode {
      guard take(")") else { throw RegularExpressionError("an opening parenthesis has no closing one") }
      return node
    }
    guard take("?") else { return try closed(try alternatives()) }
    if take("=") { return try closed(.look(try alternatives(), ahead: true, negative: false)) }
    if take("!") { return try closed(.look(try alternatives(), ahead: true, negative: true)) }
    if take("<=") { return try closed(try lookBehind(negative: false)) }
    if take("<!") { return try closed(try lookBehind(negative: true)) }
    if take(">") { return try closed(.atomic(try alternatives())) }
    if take("<") {
      while let scalar = next, scalar != ">" {
        guard scalar.isASCII, scalar.properties.isAlphabetic || scalar == "_" || CharacterClass(scalar) == .number
        else {
          throw RegularExpressionError("the name of a group is not made of letters and digits")
        }
        at += 1
      }
      guard take(">") else { throw RegularExpressionError("the name of a group has no end") }
      return try closed(try alternatives())
    }
    if !take(":") {
      guard let options = try options(), take(":") else {
        let kind = next.map { String(Character($0)) } ?? ""
        throw RegularExpressionError("a group (?\(kind) is not supported")
      }
      (ignoresCase, dotMatchesBreaks) = options
    }
    return try closed(try alternatives())
  }

  private mutating func lookBehind(negative: Bool) throws -> RegularExpressionNode {
    let node = try alternatives()
    guard let most = node.width.most, most <= 255 else {
      throw RegularExpressionError("it looks behind without a bound, which Martlet does not support")
    }
    return .look(node, ahead: false, negative: negative)
  }

  private mutating func escape() throws -> RegularExpressionNode {
    switch next {
    case "A": at += 1; return .assertion(.textStart)
    case "z": at += 1; return .assertion(.textEnd)
    case "Z": at += 1; return .assertion(.textEndOrLastBreak)
    case "b": at += 1; return .assertion(.wordBoundary)
    case "B": at += 1; return .assertion(.noWordBoundary)
    case "R":
      at += 1
      let pair: RegularExpressionNode = .sequence([.set(.ranges([13...13])), .set(.ranges([10...10]))])
      return .atomic(.alternatives([pair, .set(.ranges([10...13, 0x85...0x85, 0x2028...0x2029]))]))
    default: break
    }
    if let set = try setEscape(inBrackets: false) { return .set(set) }
    return .set(literal(try scalarEscape()))
  }
}
