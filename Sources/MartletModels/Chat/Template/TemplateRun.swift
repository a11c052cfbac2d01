import Foundation
import MartletData

/// Renders a template once. Bounded in steps, output and nesting, as templates come with strangers' files.
struct TemplateRun {
  /// Names and their values; those of the outer scope are seen through it.
  final class Scope {
    var values: [String: TemplateValue]
    private let outer: Scope?
    init(_ values: [String: TemplateValue] = [:], in outer: Scope? = nil) {
      self.values = values
      self.outer = outer
    }
    func find(_ name: String) -> TemplateValue? {
      var scope: Scope? = self
      while let here = scope {
        if let value = here.values[name] { return value }
        scope = here.outer
      }
      return nil
    }
  }

  private enum Flow { case goesOn, breaks, continues }

  static let maximalSteps = 500_000
  static let maximalUnits = 1 << 22
  static let maximalCalls = 20

  private let top: Scope
  private let now: Date
  let dialect: TemplateDialect
  private var steps = 0
  private var calls = 0

  /// - Parameter now: what `strftime_now` shows.
  init(_ variables: [String: TemplateValue], now: Date, _ dialect: TemplateDialect = .chat) {
    top = Scope(variables)
    self.now = now
    self.dialect = dialect
  }

  mutating func render(_ statements: [TemplateStatement]) throws -> MarkedText {
    var out = MarkedText()
    _ = try run(statements, top, into: &out)
    return out
  }

  /// The value of a template that ends with an expression and writes nothing before it; of any other its text.
  mutating func value(_ statements: [TemplateStatement]) throws -> TemplateValue {
    var out = MarkedText()
    guard case .output(let expression)? = statements.last else { return .text(try render(statements)) }
    _ = try run(statements.dropLast(), top, into: &out)
    let value = try evaluate(expression, top)
    return out.units.isEmpty ? value : .text(out + (try text(of: value, line: expression.line)))
  }

  /// Whether a condition holds.
  func holds(_ value: TemplateValue, line: Int) throws -> Bool {
    try checkDefined(value, line: line)
    return value.isTrue
  }

  /// Refuses what is not there, in the dialect that does.
  func checkDefined(_ value: TemplateValue, line: Int) throws {
    if dialect == .text, case .undefined(let name) = value {
      throw TemplateError.failed(line: line, "\(name) is undefined")
    }
  }

  /// Counts work by the size of a value that is gone through.
  mutating func charge(_ value: TemplateValue, line: Int) throws {
    switch value {
    case .text(let text): try charge(text.units.count, line: line)
    case .list(let items): try charge(8 * items.count, line: line)
    case .dictionary(let entries): try charge(8 * entries.count, line: line)
    default: try charge(0, line: line)
    }
  }

  /// Counts work, so that no template runs without end or fills the memory: called before the work is done.
  mutating func charge(_ units: Int, line: Int) throws {
    steps += 1 + units / 64
    guard steps <= Self.maximalSteps, units <= Self.maximalUnits else {
      throw TemplateError.notUnderstood(line: line, "the template exceeds Martlet's limit on work")
    }
  }

  /// Sums and products of sizes stop at the largest number, which ``charge(_:line:)`` refuses.
  static func sum(_ sizes: some Sequence<Int>) -> Int {
    sizes.reduce(0) { total, size in
      let (sum, overflow) = total.addingReportingOverflow(size)
      return overflow ? .max : sum
    }
  }

  static func product(_ count: Int, _ size: Int) -> Int {
    let (product, overflow) = count.multipliedReportingOverflow(by: size)
    return overflow ? .max : product
  }

  // MARK: Statements

  private mutating func run(
    _ statements: some Sequence<TemplateStatement>, _ scope: Scope, into out: inout MarkedText
  ) throws -> Flow {
    for statement in statements {
      try charge(0, line: 0)
      switch statement {
      case .text(let text):
        try charge(text.units.count, line: 0)
        out += text
      case .output(let expression):
        let text = try text(of: try evaluate(expression, scope), line: expression.line)
        try charge(text.units.count, line: expression.line)
        out += text
      case .conditional(let branches):
        for branch in branches {
          if let condition = branch.condition, try !holds(evaluate(condition, scope), line: condition.line) { continue }
          let flow = try run(branch.body, scope, into: &out)
          if flow != .goesOn { return flow }
          break
        }
      case .loop(let loop): try run(loop, scope, into: &out)
      case .set(let target, let expression):
        try assign(try evaluate(expression, scope), to: target, scope, line: expression.line)
      case .capture(let target, let body):
        var text = MarkedText()
        _ = try run(body, Scope(in: scope), into: &text)
        try assign(.text(text), to: target, scope, line: 0)
      case .macro(let macro): scope.values[macro.name] = .macro(macro)
      case .group(let body):
        let flow = try run(body, scope, into: &out)
        if flow != .goesOn { return flow }
      case .breakLoop: return .breaks
      case .continueLoop: return .continues
      }
      guard out.units.count <= Self.maximalUnits else {
        throw TemplateError.notUnderstood(
          line: 0, "the output of the template is longer than \(Self.maximalUnits >> 20) million characters")
      }
    }
    return .goesOn
  }

  private mutating func run(
    _ loop: TemplateStatement.Loop, _ scope: Scope, into out: inout MarkedText
  ) throws {
    var items = try items(of: try evaluate(loop.items, scope), line: loop.items.line)
    if let condition = loop.condition {
      items = try items.filter { item in
        let inner = Scope(in: scope)
        try bind(loop.names, to: item, inner, line: condition.line)
        return try holds(evaluate(condition, inner), line: condition.line)
      }
    }
    if items.isEmpty {
      _ = try run(loop.otherwise, Scope(in: scope), into: &out)
      return
    }
    for (index, item) in items.enumerated() {
      let inner = Scope(["loop": .loop(TemplateLoop(items: items, index: index))], in: scope)
      try bind(loop.names, to: item, inner, line: loop.items.line)
      if try run(loop.body, inner, into: &out) == .breaks { break }
    }
  }

  private mutating func bind(_ names: [String], to value: TemplateValue, _ scope: Scope, line: Int) throws {
    if names.count == 1 {
      scope.values[names[0]] = value
      return
    }
    let parts = try items(of: value, line: line)
    guard parts.count == names.count else {
      throw TemplateError.failed(line: line, "\(parts.count) values are assigned to \(names.count) names")
    }
    for (name, part) in zip(names, parts) { scope.values[name] = part }
  }

  private mutating func assign(
    _ value: TemplateValue, to target: TemplateStatement.Target, _ scope: Scope, line: Int
  ) throws {
    switch target {
    case .names(let names): try bind(names, to: value, scope, line: line)
    case .attribute(let name, let member):
      guard case .namespace(let namespace)? = scope.find(name) else {
        throw TemplateError.failed(line: line, "\(name) is not a namespace, so its \(member) cannot be set")
      }
      namespace.values[member] = try stored(value, line: line)
    }
  }

  mutating func call(
    _ macro: TemplateStatement.Macro, _ positional: [TemplateValue], _ named: [(name: String, value: TemplateValue)],
    line: Int
  ) throws -> TemplateValue {
    calls += 1
    defer { calls -= 1 }
    guard calls <= Self.maximalCalls else {
      throw TemplateError.notUnderstood(line: line, "macros call each other deeper than \(Self.maximalCalls) levels")
    }
    guard positional.count <= macro.parameters.count,
      named.allSatisfy({ argument in macro.parameters.contains { $0.name == argument.name } })
    else { throw TemplateError.failed(line: line, "the macro \(macro.name) does not accept these arguments") }
    let scope = Scope(in: top)
    for (place, parameter) in macro.parameters.enumerated() {
      if place < positional.count {
        scope.values[parameter.name] = positional[place]
      } else if let given = named.first(where: { $0.name == parameter.name }) {
        scope.values[parameter.name] = given.value
      } else if let value = parameter.value {
        scope.values[parameter.name] = try evaluate(value, scope)
      } else {
        scope.values[parameter.name] = .undefined(parameter.name)
      }
    }
    var text = MarkedText()
    _ = try run(macro.body, scope, into: &text)
    return .text(text)
  }

  func formatted(_ format: String) -> String {
    var seconds = time_t(now.timeIntervalSince1970)
    var parts = tm()
    localtime_r(&seconds, &parts)
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = strftime(&buffer, buffer.count, format, &parts)
    return String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
