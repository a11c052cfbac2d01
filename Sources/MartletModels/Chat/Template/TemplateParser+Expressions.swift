// Expressions, the loosest binding first.
extension TemplateParser {
  private func make(
    _ form: TemplateExpression.Form, of parts: [TemplateExpression] = [], line: Int? = nil
  ) throws -> TemplateExpression {
    let depth = 1 + (parts.map(\.depth).max() ?? 0)
    guard depth <= Self.maximalDepth else {
      throw refuse("an expression nests deeper than \(Self.maximalDepth) levels")
    }
    return TemplateExpression(form: form, line: line ?? self.line, depth: depth)
  }

  mutating func expression(allowsTuple: Bool = false) throws -> TemplateExpression {
    let first = try nested { try $0.conditionalExpression() }
    return allowsTuple ? try tuple(of: first, { try $0.expression() }) : first
  }

  mutating func tuple(
    of first: TemplateExpression, _ next: (inout TemplateParser) throws -> TemplateExpression
  ) throws -> TemplateExpression {
    guard isSymbol(",") else { return first }
    var items = [first]
    while take(",") {
      if token.kind == .end || isSymbol(")") { break }
      items.append(try next(&self))
    }
    return try make(.list(items), of: items)
  }

  private mutating func conditionalExpression() throws -> TemplateExpression {
    var value = try or()
    while takeName("if") {
      let condition = try or()
      let otherwise = takeName("else") ? try nested { try $0.conditionalExpression() } : nil
      value = try make(
        .conditional(value, condition: condition, otherwise: otherwise),
        of: [value, condition] + (otherwise.map { [$0] } ?? []))
    }
    return value
  }

  mutating func or() throws -> TemplateExpression {
    var parts = [try and()]
    while takeName("or") { parts.append(try and()) }
    return parts.count == 1 ? parts[0] : try make(.or(parts), of: parts)
  }

  private mutating func and() throws -> TemplateExpression {
    var parts = [try not()]
    while takeName("and") { parts.append(try not()) }
    return parts.count == 1 ? parts[0] : try make(.and(parts), of: parts)
  }

  mutating func not() throws -> TemplateExpression {
    guard takeName("not") else { return try comparison() }
    let value = try nested { try $0.not() }
    return try make(.not(value), of: [value])
  }

  private mutating func comparison() throws -> TemplateExpression {
    let first = try sum()
    var rest: [(symbol: String, value: TemplateExpression)] = []
    while true {
      if case .symbol(let symbol) = token.kind, ["==", "!=", "<", "<=", ">", ">="].contains(symbol) {
        at += 1
        rest.append((symbol, try sum()))
      } else if takeName("in") {
        rest.append(("in", try sum()))
      } else if isName("not"), tokens.indices.contains(at + 1), tokens[at + 1].kind == .name("in") {
        at += 2
        rest.append(("not in", try sum()))
      } else {
        return rest.isEmpty ? first : try make(.comparison(first, rest), of: [first] + rest.map(\.value))
      }
    }
  }

  private mutating func sum() throws -> TemplateExpression {
    let start = line
    let first = try joined()
    var rest: [(symbol: String, value: TemplateExpression)] = []
    while case .symbol(let symbol) = token.kind, symbol == "+" || symbol == "-" {
      at += 1
      rest.append((symbol, try joined()))
    }
    return rest.isEmpty ? first : try make(.sum(first, rest), of: [first] + rest.map(\.value), line: start)
  }

  mutating func joined() throws -> TemplateExpression {
    var parts = [try product()]
    while take("~") { parts.append(try product()) }
    return parts.count == 1 ? parts[0] : try make(.joined(parts), of: parts)
  }

  private mutating func product() throws -> TemplateExpression {
    var left = try unary()
    while case .symbol(let symbol) = token.kind, ["*", "/", "//", "%"].contains(symbol) {
      at += 1
      let right = try unary()
      left = try make(.product(left, symbol, right), of: [left, right])
    }
    if isSymbol("**") { throw refuse("powers are not supported") }
    return left
  }

  private mutating func unary(filters: Bool = true) throws -> TemplateExpression {
    var value: TemplateExpression
    if take("-") {
      let inner = try nested { try $0.unary(filters: false) }
      value = try make(.negative(inner), of: [inner])
    } else if take("+") {
      value = try nested { try $0.unary(filters: false) }
    } else {
      value = try postfix(of: try primary())
    }
    while filters {
      if take("|") {
        let filter = try name()
        let arguments = isSymbol("(") ? try arguments() : TemplateExpression.Arguments()
        value = try make(.filter(value, filter, arguments), of: [value] + arguments.all)
      } else if takeName("is") {
        value = try test(of: value)
      } else if isSymbol("(") {
        value = try postfix(of: value)
      } else {
        break
      }
    }
    return value
  }

  private mutating func test(of value: TemplateExpression) throws -> TemplateExpression {
    let isNegated = takeName("not")
    let test = try name()
    var parameters: [TemplateExpression] = []
    if isSymbol("(") {
      parameters = try arguments().positional
    } else {
      switch token.kind {
      case .name("else"), .name("or"), .name("and"): break
      case .name("is"): throw refuse("consecutive tests are not supported")
      case .name, .string, .integer, .real, .symbol("["), .symbol("{"):
        parameters = [try postfix(of: try primary())]
      default: break
      }
    }
    let result = try make(.test(value, test, parameters), of: [value] + parameters)
    return isNegated ? try make(.not(result), of: [result]) : result
  }

  private mutating func arguments() throws -> TemplateExpression.Arguments {
    try expect("(")
    var arguments = TemplateExpression.Arguments()
    while !take(")") {
      if case .name(let name) = token.kind, tokens.indices.contains(at + 1), tokens[at + 1].kind == .symbol("=") {
        at += 2
        arguments.named.append((name, try expression()))
      } else if isSymbol("*") || isSymbol("**") {
        throw refuse("unpacked arguments are not supported")
      } else {
        arguments.positional.append(try expression())
      }
      if !isSymbol(")") { try expect(",") }
    }
    return arguments
  }

  private mutating func postfix(of start: TemplateExpression) throws -> TemplateExpression {
    var value = start
    while true {
      if take(".") {
        if case .integer(let index) = token.kind {
          at += 1
          value = try make(.item(value, try make(.integer(index))), of: [value])
        } else {
          value = try make(.attribute(value, try name()), of: [value])
        }
      } else if take("[") {
        value = try subscripted(value)
      } else if isSymbol("(") {
        let arguments = try arguments()
        value = try make(.call(value, arguments), of: [value] + arguments.all)
      } else {
        return value
      }
    }
  }

  private mutating func subscripted(_ value: TemplateExpression) throws -> TemplateExpression {
    var bounds: [TemplateExpression?] = [nil]
    while !take("]") {
      if take(":") {
        bounds.append(nil)
      } else {
        guard bounds[bounds.count - 1] == nil else { throw refuse("] is missing") }
        bounds[bounds.count - 1] = try expression()
      }
    }
    if bounds.count == 1 {
      guard let index = bounds[0] else { throw refuse("an index is missing") }
      return try make(.item(value, index), of: [value, index])
    }
    guard bounds.count <= 3 else { throw refuse("a slice has too many parts") }
    return try make(
      .slice(value, from: bounds[0], to: bounds[1], step: bounds.count == 3 ? bounds[2] : nil),
      of: [value] + bounds.compactMap { $0 })
  }

  private mutating func primary() throws -> TemplateExpression {
    let start = token
    at += 1
    switch start.kind {
    case .name("true"), .name("True"): return try make(.boolean(true))
    case .name("false"), .name("False"): return try make(.boolean(false))
    case .name("none"), .name("None"): return try make(.none)
    case .name(let name): return try make(.name(name), line: start.line)
    case .integer(let value): return try make(.integer(value))
    case .real(let value): return try make(.real(value))
    case .string(var text):
      // Texts that stand side by side are one, as in Python.
      while case .string(let more) = token.kind {
        text += more
        at += 1
      }
      return try make(.text(text))
    case .symbol("("):
      if take(")") { return try make(.list([])) }
      let value = try expression(allowsTuple: true)
      try expect(")")
      return value
    case .symbol("["):
      var items: [TemplateExpression] = []
      while !take("]") {
        items.append(try expression())
        if !isSymbol("]") { try expect(",") }
      }
      return try make(.list(items), of: items)
    case .symbol("{"):
      var keys: [TemplateExpression] = []
      var values: [TemplateExpression] = []
      while !take("}") {
        keys.append(try expression())
        try expect(":")
        values.append(try expression())
        if !isSymbol("}") { try expect(",") }
      }
      return try make(.dictionary(keys: keys, values: values), of: keys + values)
    default:
      at -= 1
      throw refuse("a value is missing")
    }
  }
}
