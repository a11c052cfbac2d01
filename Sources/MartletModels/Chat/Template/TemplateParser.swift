import MartletData

/// Reads the statements of a chat template, in Jinja's grammar. What chat templates do not use (`include`, `extends`,
/// `block`, `call`, `with` ...) is refused.
struct TemplateParser {
  let tokens: [TemplateLexer.Token]
  var at = 0
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

  var token: TemplateLexer.Token { tokens[min(at, tokens.count - 1)] }
  var line: Int { token.line }

  func refuse(_ what: String) -> TemplateError { .notUnderstood(line: line, what) }

  func isSymbol(_ symbol: String) -> Bool { token.kind == .symbol(symbol) }
  func isName(_ name: String) -> Bool { token.kind == .name(name) }

  mutating func take(_ symbol: String) -> Bool {
    if isSymbol(symbol) {
      at += 1
      return true
    }
    return false
  }

  mutating func takeName(_ name: String) -> Bool {
    if isName(name) {
      at += 1
      return true
    }
    return false
  }

  mutating func expect(_ symbol: String) throws {
    guard take(symbol) else { throw refuse("\(symbol) is missing") }
  }

  private mutating func expectEnd() throws {
    guard token.kind == .end else { throw refuse("the end of the tag is missing") }
    at += 1
  }

  mutating func name() throws -> String {
    guard case .name(let name) = token.kind else { throw refuse("a name is missing") }
    at += 1
    return name
  }

  mutating func nested<T>(_ body: (inout TemplateParser) throws -> T) throws -> T {
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
}
