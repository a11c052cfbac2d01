import MartletData

// The filters and tests of Jinja that chat templates use. Others are said when they are reached.
extension TemplateRun {
  typealias NamedValues = [(name: String, value: TemplateValue)]

  private func notDone(_ what: String, _ line: Int) -> TemplateError {
    .notUnderstood(line: line, "\(what) is not supported")
  }

  mutating func filter(
    _ name: String, _ value: TemplateValue, _ arguments: [TemplateValue], _ named: NamedValues, line: Int
  ) throws -> TemplateValue {
    try charge(value, line: line)
    func argument(_ place: Int, _ name: String) -> TemplateValue? {
      place < arguments.count ? arguments[place] : named.first { $0.name == name }?.value
    }
    func known(_ names: String...) throws {
      guard arguments.count <= names.count, named.allSatisfy({ names.contains($0.name) }) else {
        throw notDone("an argument of the filter \(name)", line)
      }
    }
    func ownText() throws -> MarkedText { try text(of: value, line: line) }
    switch name {
    case "trim":
      try known("chars")
      let set = try argument(0, "chars").map { try text(of: $0, line: line) }
      try charge(set?.units.count ?? 0, line: line)
      return .text(try ownText().stripped(of: set))
    case "upper": return .text(try ownText().uppercased)
    case "lower": return .text(try ownText().lowercased)
    case "capitalize": return .text(try ownText().capitalized)
    case "string": return .text(try ownText())
    case "safe": return value
    case "length", "count": return .integer(try length(value, line: line))
    case "default", "d":
      try known("default_value", "boolean")
      let falls = value.isUndefined || (argument(1, "boolean")?.isTrue == true && !value.isTrue)
      return falls ? argument(0, "default_value") ?? TemplateValue("") : value
    case "first", "last":
      let items = try items(of: value, line: line)
      return (name == "first" ? items.first : items.last) ?? .undefined("the \(name) of nothing")
    case "list": return .list(try items(of: value, line: line))
    case "reverse":
      if case .text(let text) = value { return .text(MarkedText(units: text.units.reversed())) }
      return .list(try items(of: value, line: line).reversed())
    case "join":
      try known("d", "attribute")
      let separator = try argument(0, "d").map { try text(of: $0, line: line) } ?? MarkedText()
      var parts = try items(of: value, line: line)
      if let path = argument(1, "attribute") { parts = try parts.map { try member(path, of: $0, line: line) } }
      let texts = try parts.map { try text(of: $0, line: line).units }
      try charge(Self.sum(texts.map(\.count) + [Self.product(texts.count, separator.units.count)]), line: line)
      return .text(MarkedText(units: Array(texts.joined(separator: separator.units))))
    case "replace":
      try known("old", "new", "count")
      return try call(.method(of: .text(try ownText()), "replace"), arguments, named, line: line)
    case "items":
      if value.isUndefined { return .list([]) }
      return try call(.method(of: value, "items"), [], [], line: line)
    case "int":
      try known("default", "base")
      if let number = value.number, abs(number.real) < 0x1p62 { return .integer(number.integer ?? Int(number.real)) }
      guard argument(1, "base") == nil else { throw notDone("a base of the filter int", line) }
      let digits = try ownText().stripped().string
      return Int(digits).map(TemplateValue.integer) ?? argument(0, "default") ?? .integer(0)
    case "abs":
      guard let number = value.number?.integer, number > Int.min else { throw notDone("abs of \(value.kind)", line) }
      return .integer(abs(number))
    case "map": return try map(value, arguments, named, line: line)
    case "select", "reject", "selectattr", "rejectattr":
      return try select(name, value, arguments, named, line: line)
    case "unique":
      try known("case_sensitive")
      let matters = argument(0, "case_sensitive")?.isTrue == true
      var seen: [TemplateValue] = [], kept: [TemplateValue] = []
      for item in try items(of: value, line: line) {
        let compared = matters ? item : item.withoutCase
        try charge(8 * seen.count, line: line)
        if try seen.contains(where: { try areEqual($0, compared, line: line) }) { continue }
        seen.append(compared)
        kept.append(item)
      }
      return .list(kept)
    case "sort":
      try known("reverse", "case_sensitive")
      return .list(
        try sorted(
          try items(of: value, line: line), isCaseSensitive: argument(1, "case_sensitive")?.isTrue == true,
          descending: argument(0, "reverse")?.isTrue == true, line: line))
    case "regex_replace" where dialect == .text:
      try known("pattern", "repl")
      guard case .text(let pattern)? = argument(0, "pattern"), case .text(let new)? = argument(1, "repl") else {
        throw notDone("regex_replace without two texts", line)
      }
      guard let expression = try? TextPattern(pattern.string) else {
        throw failure(line, "\(pattern.string) is not a regular expression")
      }
      return TemplateValue(expression.replacing(in: try ownText().string, with: new.string))
    case "indent":
      try known("width", "first", "blank")
      return .text(try indented(ownText(), argument(0, "width"), argument(1, "first"), argument(2, "blank"), line))
    case "tojson":
      try known("indent", "ensure_ascii", "separators", "sort_keys")
      guard named.allSatisfy({ $0.name == "indent" || ($0.name == "ensure_ascii" && !$0.value.isTrue) }),
        arguments.isEmpty
      else { throw notDone("an argument of the filter tojson", line) }
      let width = named.first { $0.name == "indent" }?.value.number?.integer
      if let width, !(0...32).contains(width) { throw notDone("an indent of \(width)", line) }
      var out = MarkedText()
      try writeJSON(value, indent: width, level: 0, into: &out, line: line)
      return .text(out)
    default: throw notDone("the filter \(name)", line)
    }
  }

  /// Texts or numbers in their order; equal ones keep theirs.
  private mutating func sorted(
    _ items: [TemplateValue], isCaseSensitive: Bool, descending: Bool, line: Int
  ) throws -> [TemplateValue] {
    let keys = isCaseSensitive ? items : items.map(\.withoutCase)
    // Every comparison looks at two texts.
    let longest = keys.reduce(1) { if case .text(let text) = $1 { max($0, text.units.count) } else { $0 } }
    try charge(
      Self.product(Self.product(items.count, Int.bitWidth - items.count.leadingZeroBitCount), longest), line: line)
    return try items.indices.sorted { one, other in
      let isLess = try compare(keys[one], "<", keys[other], line: line)
      if try !isLess && !compare(keys[other], "<", keys[one], line: line) { return one < other }
      return isLess != descending
    }.map { items[$0] }
  }

  func length(_ value: TemplateValue, line: Int) throws -> Int {
    try checkDefined(value, line: line)
    switch value {
    case .text(let text): return text.units.count
    case .list(let items): return items.count
    case .dictionary(let entries): return entries.count
    case .undefined: return 0
    default: throw failure(line, "\(value.kind) has no length")
    }
  }

  /// A member by its path, as in `attribute='function.name'`.
  private mutating func member(_ path: TemplateValue, of value: TemplateValue, line: Int) throws -> TemplateValue {
    guard case .text(let path) = path else { throw notDone("an attribute by number", line) }
    // Every character may be a part of its own.
    try charge(64 * path.units.count, line: line)
    var value = value
    for part in path.split(at: MarkedText("."), limit: nil) {
      guard case .dictionary(let entries) = value else {
        if value.isUndefined { return value }
        throw notDone("an attribute of \(value.kind)", line)
      }
      value = try place(of: part, in: entries, line: line).map { entries[$0].value } ?? .undefined(part.string)
    }
    return value
  }

  private mutating func map(
    _ value: TemplateValue, _ arguments: [TemplateValue], _ named: NamedValues, line: Int
  ) throws -> TemplateValue {
    let list = try items(of: value, line: line)
    if let path = named.first(where: { $0.name == "attribute" })?.value, arguments.isEmpty {
      let otherwise = named.first { $0.name == "default" }?.value
      return .list(
        try list.map {
          let found = try member(path, of: $0, line: line)
          return found.isUndefined ? otherwise ?? found : found
        })
    }
    guard case .text(let filterName)? = arguments.first else { throw notDone("map without a filter's name", line) }
    return .list(
      try list.map { try filter(filterName.string, $0, Array(arguments.dropFirst()), named, line: line) })
  }

  private mutating func select(
    _ name: String, _ value: TemplateValue, _ arguments: [TemplateValue], _ named: NamedValues, line: Int
  ) throws -> TemplateValue {
    guard named.isEmpty else { throw notDone("an argument of the filter \(name)", line) }
    var rest = arguments[...]
    var path: TemplateValue?
    if name.hasSuffix("attr") {
      guard let first = rest.popFirst() else { throw notDone("\(name) without an attribute", line) }
      path = first
    }
    var wanted: String?
    if let first = rest.popFirst() { wanted = try text(of: first, line: line).string }
    let keeps = name.hasPrefix("select")
    var kept: [TemplateValue] = []
    for item in try items(of: value, line: line) {
      let subject = try path.map { try member($0, of: item, line: line) } ?? item
      let passes = try wanted.map { try test($0, subject, Array(rest), line: line) } ?? subject.isTrue
      if passes == keeps { kept.append(item) }
    }
    return .list(kept)
  }

  private mutating func indented(
    _ text: MarkedText, _ width: TemplateValue?, _ first: TemplateValue?, _ blank: TemplateValue?, _ line: Int
  ) throws -> MarkedText {
    let filling: MarkedText
    switch width {
    case .text(let text)?: filling = text
    case let value?:
      guard let count = value.number?.integer, (0...256).contains(count) else { throw notDone("this indent", line) }
      filling = MarkedText(String(repeating: " ", count: count))
    case nil: filling = MarkedText("    ")
    }
    let lineBreak = MarkedText("\n")
    let breaks = text.places(of: lineBreak)
    func end(_ line: Int) -> Int { line < breaks.count ? breaks[line] : text.units.count }
    func start(_ line: Int) -> Int { line == 0 ? 0 : breaks[line - 1] + 1 }
    func fills(_ line: Int) -> Bool {
      line == 0 ? first?.isTrue == true : blank?.isTrue == true || start(line) < end(line)
    }
    let filled = (0...breaks.count).count(where: fills)
    try charge(Self.sum([text.units.count, Self.product(filled, filling.units.count)]), line: line)
    var result = MarkedText()
    for line in 0...breaks.count {
      if line > 0 { result += lineBreak }
      if fills(line) { result += filling }
      result.units += text.units[start(line)..<end(line)]
    }
    return result
  }

  // MARK: Tests

  mutating func test(_ name: String, _ value: TemplateValue, _ arguments: [TemplateValue], line: Int) throws -> Bool {
    let symbols = [
      "equalto": "==", "eq": "==", "==": "==", "ne": "!=", "!=": "!=", "lt": "<", "lessthan": "<", "gt": ">",
      "greaterthan": ">", "le": "<=", "ge": ">=", "<": "<", ">": ">", "<=": "<=", ">=": ">=", "in": "in",
    ]
    if let symbol = symbols[name] {
      guard arguments.count == 1 else { throw failure(line, "the test \(name) needs one value") }
      return try compare(value, symbol, arguments[0], line: line)
    }
    if name == "divisibleby" {
      guard let number = value.number?.integer, let divisor = arguments.first?.number?.integer, divisor != 0 else {
        throw failure(line, "divisibleby needs whole numbers")
      }
      return divisor == -1 || number % divisor == 0
    }
    guard arguments.isEmpty else { throw notDone("an argument of the test \(name)", line) }
    switch name {
    case "defined": return !value.isUndefined
    case "undefined": return value.isUndefined
    case "none": if case .null = value { return true } else { return false }
    case "string": if case .text = value { return true } else { return false }
    case "mapping": if case .dictionary = value { return true } else { return false }
    case "boolean": if case .boolean = value { return true } else { return false }
    case "true": if case .boolean(true) = value { return true } else { return false }
    case "false": if case .boolean(false) = value { return true } else { return false }
    case "integer": if case .integer = value { return true } else { return false }
    case "float": if case .real = value { return true } else { return false }
    case "number": return value.number != nil
    case "odd", "even":
      guard let number = value.number?.integer else { throw failure(line, "\(value.kind) is neither odd nor even") }
      return (number % 2 == 0) == (name == "even")
    case "iterable", "sequence":
      switch value {
      case .text, .list, .dictionary, .undefined: return true
      default: return false
      }
    case "callable":
      switch value {
      case .macro, .function, .method: return true
      default: return false
      }
    default: throw notDone("the test \(name)", line)
    }
  }

  // MARK: JSON, as Python writes it with ensure_ascii=False

  private mutating func writeJSON(
    _ value: TemplateValue, indent: Int?, level: Int, into out: inout MarkedText, line: Int
  ) throws {
    guard level < 100 else { throw failure(line, "a value nests too deep for JSON") }
    func lineBreak(_ level: Int) -> String? { indent.map { "\n" + String(repeating: " ", count: $0 * level) } }
    let separator = lineBreak(level + 1).map { "," + $0 } ?? ", "
    switch value {
    case .null: try write("null", into: &out, line)
    case .boolean(let value): try write(value ? "true" : "false", into: &out, line)
    case .integer(let value): try write(String(value), into: &out, line)
    case .real(let value):
      guard value.isFinite else { throw notDone("a number that is not finite in JSON", line) }
      try write("\(value)", into: &out, line)
    case .text(let text): try writeQuoted(text, into: &out, line)
    case .list(let items):
      for (place, item) in items.enumerated() {
        try write(place == 0 ? "[" + (lineBreak(level + 1) ?? "") : separator, into: &out, line)
        try writeJSON(item, indent: indent, level: level + 1, into: &out, line: line)
      }
      try write(items.isEmpty ? "[]" : (lineBreak(level) ?? "") + "]", into: &out, line)
    case .dictionary(let entries):
      for (place, entry) in entries.enumerated() {
        try write(place == 0 ? "{" + (lineBreak(level + 1) ?? "") : separator, into: &out, line)
        try writeQuoted(entry.key, into: &out, line)
        try write(": ", into: &out, line)
        try writeJSON(entry.value, indent: indent, level: level + 1, into: &out, line: line)
      }
      try write(entries.isEmpty ? "{}" : (lineBreak(level) ?? "") + "}", into: &out, line)
    default: throw failure(line, "\(value.kind) cannot be written as JSON")
    }
  }

  private mutating func write(_ text: String, into out: inout MarkedText, _ line: Int) throws {
    try charge(text.utf8.count, behind: out, line)
    out += MarkedText(text)
  }

  /// Counts what is about to be written behind a text, which must not grow too long.
  private mutating func charge(_ units: Int, behind text: MarkedText, _ line: Int) throws {
    let fits = Self.sum([text.units.count, units]) <= Self.maximalUnits
    try charge(fits ? units : .max, line: line)
  }

  private mutating func writeQuoted(_ text: MarkedText, into out: inout MarkedText, _ line: Int) throws {
    let size = text.units.reduce(2) { size, unit in
      switch MarkedText.scalar(unit) {
      case 0x22, 0x5C, 8, 9, 10, 12, 13: size + 2
      case let code where code < 32: size + 6
      default: size + 1
      }
    }
    try charge(size, behind: out, line)
    out += MarkedText("\"")
    for unit in text.units {
      switch MarkedText.scalar(unit) {
      case 0x22: out += MarkedText("\\\"")
      case 0x5C: out += MarkedText("\\\\")
      case 8: out += MarkedText("\\b")
      case 9: out += MarkedText("\\t")
      case 10: out += MarkedText("\\n")
      case 12: out += MarkedText("\\f")
      case 13: out += MarkedText("\\r")
      case let code where code < 32:
        let digits = String(code, radix: 16)
        out += MarkedText("\\u" + String(repeating: "0", count: 4 - digits.count) + digits)
      default: out.units.append(unit)
      }
    }
    out += MarkedText("\"")
  }
}
