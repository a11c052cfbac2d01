import MartletData

/// Reads the statements of a chat template, in Jinja's grammar. What chat templates do not use (`include`, `extends`,
/// `block`, `call`, `with` ...) is refused.
struct TemplateParser {
  private let tokens: [TemplateLexer.Token]
  private var at = 0
  private var nesting = 0

  /// Bounds for templates of strangers: parsing and rendering recurse as deep as they nest.
  static let maximalNesting = 24
  static let maximalDepth = 100
  static let maximalBytes = 1 << 20

  static func parse(_ text: String, _ dialect: TemplateDialect = .chat) throws -> [TemplateStatement] {
    guard text.utf8.count <= maximalBytes else {
      throw TemplateError.notUnderstood(line: 1, "it is longer than \(maximalBytes >> 20) MiB")
    }
    var parser = TemplateParser(tokens: try TemplateLexer.tokens(of: text, dialect))
    let statements = try parser.statements(until: [])
    return statements
  }

  private init(tokens: [TemplateLexer.Token]) { self.tokens = tokens }

  // MARK: Tokens

  private var token: TemplateLexer.Token { tokens[min(at, tokens.count - 1)] }
  private var line: Int { token.line }

  private func refuse(_ what: String) -> TemplateError { .notUnderstood(line: line, what) }

  private func isSymbol(_ symbol: String) -> Bool { token.kind == .symbol(symbol) }
  private func isName(_ name: String) -> Bool { token.kind == .name(name) }

  private mutating func take(_ symbol: String) -> Bool {
    if isSymbol(symbol) {
      at += 1
      return true
    }
    return false
  }

  private mutating func takeName(_ name: String) -> Bool {
    if isName(name) {
      at += 1
      return true
    }
    return false
  }

  private mutating func expect(_ symbol: String) throws {
    guard take(symbol) else { throw refuse("\(symbol) is missing") }
  }

  private mutating func expectEnd() throws {
    guard token.kind == .end else { throw refuse("the end of the tag is missing") }
    at += 1
  }

  private mutating func name() throws -> String {
    guard case .name(let name) = token.kind else { throw refuse("a name is missing") }
    at += 1
    return name
  }

  private mutating func nested<T>(_ body: (inout TemplateParser) throws -> T) throws -> T {
    nesting += 1
    defer { nesting -= 1 }
    guard nesting <= Self.maximalNesting else {
      throw refuse("it nests deeper than \(Self.maximalNesting) levels")
    }
    return try body(&self)
  }

  // MARK: Statements

  /// Statements up to a block that begins with one of `ends`, whose name is left to be read.
  private mutating func statements(until ends: Set<String>) throws -> [TemplateStatement] {
    var result: [TemplateStatement] = []
    while true {
      switch token.kind {
      case .text(let text):
        at += 1
        result.append(.text(MarkedText(text)))
      case .beginOutput:
        at += 1
        result.append(.output(try expression()))
        try expectEnd()
      case .beginBlock:
        at += 1
        guard case .name(let name) = token.kind else { throw refuse("a block without a name") }
        if ends.contains(name) { return result }
        at += 1
        result.append(try nested { try $0.statement(name) })
      case .finish:
        guard ends.isEmpty else { throw refuse("\(ends.sorted().joined(separator: " or ")) is missing") }
        return result
      default: throw refuse("text or a tag is missing")
      }
    }
  }

  /// The body of a block that `end` closes.
  private mutating func body(_ end: String) throws -> [TemplateStatement] {
    try expectEnd()
    let body = try statements(until: [end])
    at += 1
    try expectEnd()
    return body
  }

  private mutating func statement(_ name: String) throws -> TemplateStatement {
    switch name {
    case "if": return try conditional()
    case "for": return try loop()
    case "set":
      let target = try target()
      if take("=") {
        let value = try expression(allowsTuple: true)
        try expectEnd()
        return .set(target, value)
      }
      return .capture(target, try body("endset"))
    case "macro": return try macro()
    case "generation": return .group(try body("endgeneration"))
    case "break", "continue":
      try expectEnd()
      return name == "break" ? .breakLoop : .continueLoop
    default:
      at -= 1
      throw refuse("the statement \(name) is not supported")
    }
  }

  private mutating func conditional() throws -> TemplateStatement {
    var branches: [(condition: TemplateExpression?, body: [TemplateStatement])] = []
    var condition: TemplateExpression? = try or()
    while true {
      try expectEnd()
      branches.append((condition, try statements(until: condition == nil ? ["endif"] : ["elif", "else", "endif"])))
      switch try name() {
      case "elif": condition = try or()
      case "else": condition = nil
      default:
        try expectEnd()
        return .conditional(branches)
      }
    }
  }

  private mutating func loop() throws -> TemplateStatement {
    var names = [try name()]
    while take(",") { names.append(try name()) }
    guard takeName("in") else { throw refuse("`in` is missing") }
    let items = try tuple(of: try or(), { try $0.or() })
    let condition = takeName("if") ? try expression() : nil
    if isName("recursive") { throw refuse("recursive loops are not supported") }
    try expectEnd()
    let body = try statements(until: ["else", "endfor"])
    var otherwise: [TemplateStatement] = []
    if try name() == "else" {
      try expectEnd()
      otherwise = try statements(until: ["endfor"])
      at += 1
    }
    try expectEnd()
    return .loop(.init(names: names, items: items, condition: condition, body: body, otherwise: otherwise))
  }

  private mutating func target() throws -> TemplateStatement.Target {
    var names = [try name()]
    if take(".") { return .attribute(of: names[0], try name()) }
    while take(",") { names.append(try name()) }
    if isSymbol("|") { throw refuse("filters of a set block are not supported") }
    return .names(names)
  }

  private mutating func macro() throws -> TemplateStatement {
    let title = try name()
    try expect("(")
    var parameters: [(name: String, value: TemplateExpression?)] = []
    while !take(")") {
      let parameter = try name()
      parameters.append((parameter, take("=") ? try expression() : nil))
      if !isSymbol(")") { try expect(",") }
    }
    return .macro(.init(name: title, parameters: parameters, body: try body("endmacro")))
  }

  // MARK: Expressions, the loosest binding first

  private func make(
    _ form: TemplateExpression.Form, of parts: [TemplateExpression] = [], line: Int? = nil
  ) throws -> TemplateExpression {
    let depth = 1 + (parts.map(\.depth).max() ?? 0)
    guard depth <= Self.maximalDepth else {
      throw refuse("an expression nests deeper than \(Self.maximalDepth) levels")
    }
    return TemplateExpression(form: form, line: line ?? self.line, depth: depth)
  }

  private mutating func expression(allowsTuple: Bool = false) throws -> TemplateExpression {
    let first = try nested { try $0.conditionalExpression() }
    return allowsTuple ? try tuple(of: first, { try $0.expression() }) : first
  }

  private mutating func tuple(
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

  private mutating func or() throws -> TemplateExpression {
    var parts = [try and()]
    while takeName("or") { parts.append(try and()) }
    return parts.count == 1 ? parts[0] : try make(.or(parts), of: parts)
  }

  private mutating func and() throws -> TemplateExpression {
    var parts = [try not()]
    while takeName("and") { parts.append(try not()) }
    return parts.count == 1 ? parts[0] : try make(.and(parts), of: parts)
  }

  private mutating func not() throws -> TemplateExpression {
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

  private mutating func joined() throws -> TemplateExpression {
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
