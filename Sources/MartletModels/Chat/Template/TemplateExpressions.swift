import MartletData

// How expressions get their values: Python's rules as Jinja shows them.
extension TemplateRun {
  func failure(_ line: Int, _ what: String) -> TemplateError { .failed(line: line, what) }

  mutating func evaluate(_ expression: TemplateExpression, _ scope: Scope) throws -> TemplateValue {
    let line = expression.line
    try charge(0, line: line)
    switch expression.form {
    case .none: return .null
    case .boolean(let value): return .boolean(value)
    case .integer(let value): return .integer(value)
    case .real(let value): return .real(value)
    case .text(let text):
      try charge(text.utf8.count, line: line)
      return TemplateValue(text)
    case .name(let name):
      if let value = scope.find(name) { return value }
      return Self.functions.contains(name) ? .function(name) : .undefined(name)
    case .list(let items): return try nested(.list(try items.map { try evaluate($0, scope) }), line: line)
    case .dictionary(let keys, let values):
      var entries: [(key: MarkedText, value: TemplateValue)] = []
      for (key, value) in zip(keys, values) {
        guard case .text(let key) = try evaluate(key, scope) else {
          throw TemplateError.notUnderstood(line: line, "the key of a dictionary is not a string")
        }
        let value = try evaluate(value, scope)
        if let place = try place(of: key, in: entries, line: line) {
          entries[place].value = value
        } else {
          entries.append((key, value))
        }
      }
      return try nested(.dictionary(entries), line: line)
    case .attribute(let object, let name): return try attribute(name, of: try evaluate(object, scope), line: line)
    case .item(let object, let index):
      return try item(try evaluate(index, scope), of: try evaluate(object, scope), line: line)
    case .slice(let object, let from, let to, let step):
      let bounds = try [from, to, step].map { try $0.map { try evaluate($0, scope) } }
      return try slice(of: try evaluate(object, scope), bounds, line: line)
    case .call(let function, let arguments):
      return try call(
        try evaluate(function, scope), try arguments.positional.map { try evaluate($0, scope) },
        try arguments.named.map { ($0.name, try evaluate($0.value, scope)) }, line: line)
    case .filter(let value, let name, let arguments):
      return try filter(
        name, try evaluate(value, scope), try arguments.positional.map { try evaluate($0, scope) },
        try arguments.named.map { ($0.name, try evaluate($0.value, scope)) }, line: line)
    case .test(let value, let name, let arguments):
      return .boolean(
        try test(name, try evaluate(value, scope), try arguments.map { try evaluate($0, scope) }, line: line))
    case .not(let value): return .boolean(try !holds(evaluate(value, scope), line: line))
    case .negative(let value): return try negative(try evaluate(value, scope), line: line)
    case .sum(let first, let rest):
      var total = try evaluate(first, scope)
      for part in rest { total = try add(total, part.symbol, try evaluate(part.value, scope), line: line) }
      return total
    case .product(let left, let symbol, let right):
      return try multiply(try evaluate(left, scope), symbol, try evaluate(right, scope), line: line)
    case .joined(let parts):
      let texts = try parts.map { try text(of: try evaluate($0, scope), line: line).units }
      try charge(Self.sum(texts.map(\.count)), line: line)
      return .text(MarkedText(units: Array(texts.joined())))
    case .comparison(let first, let rest):
      var left = try evaluate(first, scope)
      for part in rest {
        let right = try evaluate(part.value, scope)
        if try !compare(left, part.symbol, right, line: line) { return .boolean(false) }
        left = right
      }
      return .boolean(true)
    case .and(let parts):
      var value = TemplateValue.null
      for part in parts {
        value = try evaluate(part, scope)
        if try !holds(value, line: line) { return value }
      }
      return value
    case .or(let parts):
      var value = TemplateValue.null
      for part in parts {
        value = try evaluate(part, scope)
        if try holds(value, line: line) { return value }
      }
      return value
    case .conditional(let value, let condition, let otherwise):
      if try holds(evaluate(condition, scope), line: line) { return try evaluate(value, scope) }
      return try otherwise.map { try evaluate($0, scope) } ?? .undefined("a condition's other side")
    }
  }

  // MARK: Texts and lists

  /// A value that a list, a dictionary or a namespace may hold: none that could hold itself.
  func stored(_ value: TemplateValue, line: Int) throws -> TemplateValue {
    switch value {
    case .namespace, .loop, .macro, .function, .method:
      throw TemplateError.notUnderstood(line: line, "\(value.kind) inside another value is not supported")
    default: return value
    }
  }

  /// A list or dictionary that was just made, nested no deeper than values can be compared and let go of.
  mutating func nested(_ value: TemplateValue, line: Int) throws -> TemplateValue {
    try check(value, levels: 16, line: line)
    return value
  }

  private mutating func check(_ value: TemplateValue, levels: Int, line: Int) throws {
    let parts: [TemplateValue]
    switch value {
    case .list(let items): parts = items
    case .dictionary(let entries): parts = entries.map(\.value)
    default: return
    }
    guard levels > 0 else { throw TemplateError.notUnderstood(line: line, "lists nest deeper than 16 levels") }
    try charge(8 * parts.count, line: line)
    for part in parts { try check(stored(part, line: line), levels: levels - 1, line: line) }
  }

  /// A value as it is printed.
  func text(of value: TemplateValue, line: Int) throws -> MarkedText {
    try checkDefined(value, line: line)
    switch value {
    case .undefined: return MarkedText()
    case .null: return MarkedText("None")
    case .boolean(let value): return MarkedText(value ? "True" : "False")
    case .integer(let value): return MarkedText(String(value))
    case .real(let value): return MarkedText("\(value)")
    case .text(let text): return text
    case .list, .dictionary, .namespace, .macro, .function, .method, .loop:
      throw TemplateError.notUnderstood(line: line, "\(value.kind) is printed, which is not supported")
    }
  }

  /// What a loop over a value goes through.
  mutating func items(of value: TemplateValue, line: Int) throws -> [TemplateValue] {
    try checkDefined(value, line: line)
    try charge(value, line: line)
    switch value {
    case .list(let items): return items
    case .text(let text):
      // A value for every character takes its room.
      try charge(64 * text.units.count, line: line)
      return text.units.map { .text(MarkedText(units: [$0])) }
    case .dictionary(let entries): return entries.map { .text($0.key) }
    case .undefined: return []
    default: throw failure(line, "\(value.kind) is not a list")
    }
  }

  // MARK: Members

  private static let textMethods: Set<String> = [
    "strip", "lstrip", "rstrip", "split", "rsplit", "startswith", "endswith", "replace", "upper", "lower", "title",
    "capitalize", "find", "join", "count", "splitlines", "format", "index", "isdigit", "isspace", "isupper", "islower",
    "removeprefix", "removesuffix", "partition", "rpartition", "zfill", "center", "ljust", "rjust", "encode",
    "isalpha", "isalnum", "isnumeric", "rfind", "casefold", "swapcase", "translate", "expandtabs",
  ]
  private static let dictionaryMethods: Set<String> = [
    "items", "keys", "values", "get", "copy", "pop", "update", "setdefault", "popitem", "clear", "fromkeys",
  ]
  private static let listMethods: Set<String> = [
    "append", "extend", "insert", "pop", "remove", "index", "count", "sort", "reverse", "copy", "clear",
  ]

  /// Where a key stands. Counts the work: a look at every entry, and at the characters of the keys that are as long.
  mutating func place(
    of key: MarkedText, in entries: [(key: MarkedText, value: TemplateValue)], line: Int
  ) throws -> Int? {
    let alike = entries.count { $0.key.units.count == key.units.count }
    try charge(Self.sum([8 * entries.count, Self.product(alike, key.units.count)]), line: line)
    return entries.firstIndex { $0.key == key }
  }

  private mutating func attribute(_ name: String, of value: TemplateValue, line: Int) throws -> TemplateValue {
    if name.hasPrefix("_") { throw TemplateError.notUnderstood(line: line, "the attribute \(name) is not accessible") }
    switch value {
    case .undefined(let missing): throw failure(line, "\(missing) is undefined")
    case .dictionary(let entries):
      if Self.dictionaryMethods.contains(name) { return .method(of: value, name) }
      return try place(of: MarkedText(name), in: entries, line: line).map { entries[$0].value } ?? .undefined(name)
    case .text: return Self.textMethods.contains(name) ? .method(of: value, name) : .undefined(name)
    case .list: return Self.listMethods.contains(name) ? .method(of: value, name) : .undefined(name)
    case .namespace(let namespace): return namespace.values[name] ?? .undefined(name)
    case .loop(let loop):
      guard let member = loop.member(name) else {
        throw TemplateError.notUnderstood(line: line, "loop.\(name) is not supported")
      }
      return member
    case .macro, .function, .method:
      throw TemplateError.notUnderstood(line: line, "attributes of functions are not supported")
    case .null, .boolean, .integer, .real: return .undefined(name)
    }
  }

  private mutating func item(_ index: TemplateValue, of value: TemplateValue, line: Int) throws -> TemplateValue {
    if case .text(let key) = index { try charge(key.units.count, line: line) }
    switch (value, index) {
    case (.undefined(let missing), _): throw failure(line, "\(missing) is undefined")
    case (.dictionary(let entries), .text(let key)):
      if let place = try place(of: key, in: entries, line: line) { return entries[place].value }
      return try attribute(key.string, of: value, line: line)
    case (.list(let items), _) where index.number?.integer != nil:
      return element(items, index.number?.integer ?? 0) ?? .undefined("an item")
    case (.text(let text), _) where index.number?.integer != nil:
      return element(text.units, index.number?.integer ?? 0).map { .text(MarkedText(units: [$0])) }
        ?? .undefined("a character")
    case (_, .text(let name)): return try attribute(name.string, of: value, line: line)
    default: return .undefined("an item")
    }
  }

  private func element<T>(_ items: [T], _ index: Int) -> T? {
    let place = index < 0 ? items.count + index : index
    return items.indices.contains(place) ? items[place] : nil
  }

  private mutating func slice(of value: TemplateValue, _ bounds: [TemplateValue?], line: Int) throws -> TemplateValue {
    let numbers = try bounds.map { bound -> Int? in
      switch bound {
      case nil, .null: return nil
      case .some(let value):
        guard let number = value.number?.integer else { throw failure(line, "\(value.kind) is not an index of a list") }
        // Places far outside are the ends.
        return min(max(number, -(1 << 40)), 1 << 40)
      }
    }
    try charge(value, line: line)
    switch value {
    case .list(let items): return .list(try places(items.count, numbers, line).map { items[$0] })
    case .text(let text):
      return .text(MarkedText(units: try places(text.units.count, numbers, line).map { text.units[$0] }))
    case .undefined(let name): throw failure(line, "\(name) is undefined")
    default: throw failure(line, "\(value.kind) has no parts")
    }
  }

  /// The places that `[from:to:step]` means in a list of `count`.
  private func places(_ count: Int, _ bounds: [Int?], _ line: Int) throws -> [Int] {
    let step = bounds[2] ?? 1
    guard step != 0 else { throw failure(line, "a slice's step is 0") }
    let lowest = step > 0 ? 0 : -1, highest = step > 0 ? count : count - 1
    func bound(_ value: Int?, _ otherwise: Int) -> Int {
      guard let value else { return otherwise }
      return min(max(value < 0 ? value + count : value, lowest), highest)
    }
    let from = bound(bounds[0], step > 0 ? 0 : count - 1), to = bound(bounds[1], step > 0 ? count : -1)
    return Array(stride(from: from, to: to, by: step))
  }

  // MARK: Arithmetic

  private func negative(_ value: TemplateValue, line: Int) throws -> TemplateValue {
    guard let number = value.number else { throw failure(line, "\(value.kind) cannot be made negative") }
    guard let integer = number.integer else { return .real(-number.real) }
    let (result, overflow) = 0.subtractingReportingOverflow(integer)
    guard !overflow else { throw failure(line, "a number is too large") }
    return .integer(result)
  }

  private mutating func add(
    _ left: TemplateValue, _ symbol: String, _ right: TemplateValue, line: Int
  ) throws -> TemplateValue {
    if symbol == "+" {
      if case .text(let left) = left, case .text(let right) = right {
        try charge(left.units.count + right.units.count, line: line)
        return .text(left + right)
      }
      if case .list(let left) = left, case .list(let right) = right {
        try charge(64 * (left.count + right.count), line: line)
        return .list(left + right)
      }
    }
    guard let first = left.number, let second = right.number else {
      throw failure(line, "\(left.kind) and \(right.kind) cannot be added (\(symbol))")
    }
    guard let one = first.integer, let other = second.integer else {
      return .real(symbol == "+" ? first.real + second.real : first.real - second.real)
    }
    let (result, overflow) =
      symbol == "+" ? one.addingReportingOverflow(other) : one.subtractingReportingOverflow(other)
    guard !overflow else { throw failure(line, "a number is too large") }
    return .integer(result)
  }

  private mutating func multiply(
    _ left: TemplateValue, _ symbol: String, _ right: TemplateValue, line: Int
  ) throws -> TemplateValue {
    if symbol == "*", case .text(let text) = left, let count = right.number?.integer {
      let (size, overflow) = text.units.count.multipliedReportingOverflow(by: max(count, 0))
      guard !overflow else { throw failure(line, "a text is too long") }
      try charge(size, line: line)
      return .text(MarkedText(units: Array([[UInt32]](repeating: text.units, count: size == 0 ? 0 : count).joined())))
    }
    guard let first = left.number, let second = right.number else {
      throw TemplateError.notUnderstood(line: line, "\(left.kind) \(symbol) \(right.kind) is not supported")
    }
    if symbol != "*", second.real == 0 { throw failure(line, "a number is divided by 0") }
    if symbol == "/" { return .real(first.real / second.real) }
    guard let one = first.integer, let other = second.integer else {
      guard symbol == "*" else {
        throw TemplateError.notUnderstood(line: line, "\(symbol) of fractions is not supported")
      }
      return .real(first.real * second.real)
    }
    if symbol == "*" {
      let (result, overflow) = one.multipliedReportingOverflow(by: other)
      guard !overflow else { throw failure(line, "a number is too large") }
      return .integer(result)
    }
    // Python rounds down, and the remainder has the divisor's sign.
    let (quotient, overflow) = one.dividedReportingOverflow(by: other)
    guard !overflow else { throw failure(line, "a number is too large") }
    let remainder = one - quotient * other
    let isBelow = remainder != 0 && (remainder < 0) != (other < 0)
    return .integer(symbol == "%" ? (isBelow ? remainder + other : remainder) : (isBelow ? quotient - 1 : quotient))
  }

  mutating func compare(_ left: TemplateValue, _ symbol: String, _ right: TemplateValue, line: Int) throws -> Bool {
    try checkDefined(left, line: line)
    try checkDefined(right, line: line)
    try charge(left, line: line)
    switch symbol {
    case "==": return try areEqual(left, right, line: line)
    case "!=": return try !areEqual(left, right, line: line)
    case "in": return try contains(right, left, line: line)
    case "not in": return try !contains(right, left, line: line)
    default: break
    }
    if case .text(let left) = left, case .text(let right) = right {
      switch symbol {
      case "<": return left < right
      case ">": return right < left
      case "<=": return !(right < left)
      default: return !(left < right)
      }
    }
    guard let first = left.number, let second = right.number else {
      throw failure(line, "\(left.kind) and \(right.kind) have no order (\(symbol))")
    }
    if let one = first.integer, let other = second.integer {
      switch symbol {
      case "<": return one < other
      case ">": return one > other
      case "<=": return one <= other
      default: return one >= other
      }
    }
    switch symbol {
    case "<": return first.real < second.real
    case ">": return first.real > second.real
    case "<=": return first.real <= second.real
    default: return first.real >= second.real
    }
  }

  /// Whether two values are equal. Counts the work part by part, before it is done.
  mutating func areEqual(_ left: TemplateValue, _ right: TemplateValue, line: Int) throws -> Bool {
    switch (left, right) {
    case (.text(let one), .text(let other)):
      guard one.units.count == other.units.count else { return false }
      try charge(left, line: line)
      return one == other
    case (.list(let one), .list(let other)):
      guard one.count == other.count else { return false }
      try charge(left, line: line)
      return try zip(one, other).allSatisfy { try areEqual($0, $1, line: line) }
    case (.dictionary(let one), .dictionary(let other)):
      guard one.count == other.count else { return false }
      return try one.allSatisfy { entry in
        guard let place = try place(of: entry.key, in: other, line: line) else { return false }
        return try areEqual(entry.value, other[place].value, line: line)
      }
    default: return left == right
    }
  }

  mutating func contains(_ whole: TemplateValue, _ part: TemplateValue, line: Int) throws -> Bool {
    try charge(whole, line: line)
    switch whole {
    case .text(let text):
      guard case .text(let part) = part else { throw failure(line, "\(part.kind) cannot occur in a string") }
      try charge(part.units.count, line: line)
      return text.find(part) != nil
    case .list(let items): return try items.contains { try areEqual($0, part, line: line) }
    case .dictionary(let entries):
      guard case .text(let key) = part else { return false }
      return try place(of: key, in: entries, line: line) != nil
    case .undefined: return false
    default: throw failure(line, "\(whole.kind) has no elements")
    }
  }
}
