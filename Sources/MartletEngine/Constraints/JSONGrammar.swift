extension Grammar {
  /// Any JSON object.
  public static func jsonObject() throws -> Grammar {
    try Grammar { grammar in try JSONGrammar(into: &grammar, schema: true).object }
  }

  /// JSON texts that a JSON schema describes, properties in the order of the schema.
  ///
  /// Understood: type, properties, required, additionalProperties, items, prefixItems, minItems, maxItems, enum, const,
  /// anyOf, oneOf (as anyOf), allOf (of objects), $ref within the schema, minLength, maxLength, pattern, format (date,
  /// time, date-time, uuid), and bounds of integers; bounds of numbers that are whole.
  /// - Throws: ``EngineError`` naming the place and the keyword that cannot be kept to.
  public static func jsonSchema(_ schema: JSONValue) throws -> Grammar {
    try Grammar { grammar in try jsonSchema(schema, into: &grammar) }
  }

  /// The same as a part of a larger grammar; `compact` allows no line breaks between the signs.
  public static func jsonSchema(
    _ schema: JSONValue, compact: Bool = false, into grammar: inout Grammar
  ) throws -> Expression {
    var builder = try JSONGrammar(into: &grammar, schema: schema, compact: compact)
    return try builder.value(schema, "the schema", &grammar)
  }
}

extension Grammar {
  /// The arguments of a tool: always a JSON object, without line breaks between its signs. What of `schema` cannot be
  /// kept to makes that part of the grammar looser, and adds a sentence that names place and keyword to `loosened`.
  /// - Throws: ``EngineError`` only where the whole would be too large.
  public static func toolArguments(
    _ schema: JSONValue, into grammar: inout Grammar, loosened: inout [String]
  ) throws -> Expression {
    do {
      if schema["type"] == "object" { return try jsonSchema(schema, compact: true, into: &grammar) }
      loosened.append("the schema: `type` must be `object`; any object is taken")
    } catch let error as EngineError {
      loosened.append(error.description)
    }
    return try JSONGrammar(into: &grammar, schema: true, compact: true).object
  }
}

/// Turns a JSON schema into rules.
private struct JSONGrammar {
  typealias Expression = Grammar.Expression
  let root: JSONValue
  let space, string, integer, number, any, object: Expression
  /// Rules of definitions, by reference.
  var references: [String: Expression] = [:]

  init(into grammar: inout Grammar, schema: JSONValue, compact: Bool = false) throws {
    root = schema
    // A little free space: enough for the layouts that models have learned, not enough to be lost in.
    let lines = Expression.sequence([
      .literal("\n"), .repeated(.literal("\n"), minimum: 0, maximum: 1),
      .repeated(.bytes(" \t"), minimum: 0, maximum: 20),
    ])
    space = try grammar.named(.choice([.nothing, .literal(" ")] + (compact ? [] : [lines])))
    let character = try grammar.named(Self.character)
    string = try grammar.named(
      .sequence([.literal("\""), .repeated(character, minimum: 0, maximum: nil), .literal("\"")]))
    let digit = Expression.bytes("0123456789")
    let whole = try grammar.named(
      .choice([.literal("0"), .sequence([.bytes("123456789"), .repeated(digit, minimum: 0, maximum: 17)])]))
    integer = try grammar.named(.sequence([.optional(.literal("-")), whole]))
    number = try grammar.named(
      .sequence([
        integer, .optional(.sequence([.literal("."), .repeated(digit, minimum: 1, maximum: 16)])),
        .optional(.sequence([.bytes("eE"), .optional(.bytes("+-")), .repeated(digit, minimum: 1, maximum: 2)])),
      ]))
    any = try grammar.declare()
    let comma = Expression.sequence([space, .literal(","), space])
    let member = Expression.sequence([string, space, .literal(":"), space, any])
    object = try grammar.named(Self.list(.literal("{"), member, comma, .literal("}"), space))
    let array = try grammar.named(Self.list(.literal("["), any, comma, .literal("]"), space))
    try grammar.define(
      any,
      .choice([
        object, array, string, number, .literal("true"), .literal("false"), .literal("null"),
      ]))
  }

  private static func list(
    _ open: Expression, _ item: Expression, _ comma: Expression, _ close: Expression, _ space: Expression
  ) -> Expression {
    .sequence([
      open, space,
      .optional(
        .sequence([item, .repeated(.sequence([comma, item]), minimum: 0, maximum: nil), space])),
      close,
    ])
  }

  /// One character inside a JSON string.
  static let character: Expression = .choice([
    .character(except: ByteSet(0...0x1f).union(ByteSet(of: "\"\\\u{7f}"))),
    .sequence([
      .literal("\\"),
      .choice([
        .bytes("\"\\/bfnrt"),
        .sequence([.literal("u"), .repeated(.bytes("0123456789abcdefABCDEF"), minimum: 4, maximum: 4)]),
      ]),
    ]),
  ])

  private func refuse(_ place: String, _ problem: String) -> EngineError {
    EngineError("\(place): \(problem)")
  }

  mutating func value(_ schema: JSONValue, _ place: String, _ grammar: inout Grammar) throws -> Expression {
    if let flag = schema.bool {
      guard flag else { throw refuse(place, "`false` allows no value") }
      return any
    }
    guard let object = schema.object else { throw refuse(place, "a schema must be an object, not \(schema.kind)") }
    for keyword in [
      "not", "if", "then", "else", "patternProperties", "dependentSchemas", "dependentRequired", "multipleOf",
      "uniqueItems", "contains", "propertyNames", "minProperties", "maxProperties", "unevaluatedProperties",
    ] where object[keyword] != nil && object[keyword] != false {
      throw refuse(place, "`\(keyword)` is not supported; leave it out or check the answer yourself")
    }
    if let reference = object["$ref"] { return try self.reference(reference, place, &grammar) }
    if let constant = object["const"] { return .literal(constant.text) }
    if let values = object["enum"] {
      guard let values = values.array, !values.isEmpty else { throw refuse(place, "`enum` must be a list of values") }
      return .choice(values.map { .literal($0.text) })
    }
    for keyword in ["anyOf", "oneOf"] {
      guard let choices = object[keyword] else { continue }
      guard let choices = choices.array, !choices.isEmpty else {
        throw refuse(place, "`\(keyword)` must be a list of schemas")
      }
      return .choice(
        try choices.enumerated().map { try value($1, "\(place).\(keyword)[\($0)]", &grammar) })
    }
    if let parts = object["allOf"] { return try all(of: parts, object, place, &grammar) }
    if let types = object["type"]?.array {
      guard !types.isEmpty else { throw refuse(place, "`type` is an empty list") }
      return .choice(try types.map { try typed($0, object, place, &grammar) })
    }
    if let type = object["type"] { return try typed(type, object, place, &grammar) }
    if object["properties"] != nil { return try typed("object", object, place, &grammar) }
    if object["items"] != nil || object["prefixItems"] != nil { return try typed("array", object, place, &grammar) }
    if object["pattern"] != nil || object["maxLength"] != nil || object["minLength"] != nil {
      return try typed("string", object, place, &grammar)
    }
    return any
  }

  private mutating func reference(_ reference: JSONValue, _ place: String, _ grammar: inout Grammar) throws
    -> Expression
  {
    guard let path = reference.string, path.hasPrefix("#") else {
      throw refuse(place, "`$ref` must name a part of the same schema, e.g. #/$defs/Name")
    }
    if let known = references[path] { return known }
    var target = root
    for part in path.dropFirst().split(separator: "/") {
      let key = String(part).replacing("~1", with: "/").replacing("~0", with: "~")
      if let next = target[key] {
        target = next
      } else if let index = Int(key), let list = target.array, list.indices.contains(index) {
        target = list[index]
      } else {
        throw refuse(place, "`$ref` names \(path), which is not in the schema")
      }
    }
    let rule = try grammar.declare()
    references[path] = rule
    try grammar.define(rule, value(target, path, &grammar))
    return rule
  }

  /// Objects merged into one.
  private mutating func all(
    of parts: JSONValue, _ outer: JSONObject, _ place: String, _ grammar: inout Grammar
  ) throws -> Expression {
    guard let list = parts.array, !list.isEmpty else { throw refuse(place, "`allOf` must be a list of schemas") }
    if list.count == 1, outer["properties"] == nil { return try value(list[0], "\(place).allOf[0]", &grammar) }
    var properties = JSONObject()
    var required: [JSONValue] = []
    var additional: JSONValue = false
    for part in list + [.object(outer)] {
      var part = part
      var hops = 0
      while let path = part["$ref"]?.string, path.hasPrefix("#/"), hops < 8 {
        hops += 1
        var target = root
        for key in path.dropFirst(2).split(separator: "/") { target = target[String(key)] ?? .null }
        part = target
      }
      for member in part["properties"]?.object?.members ?? [] { properties[member.key] = member.value }
      required += part["required"]?.array ?? []
      if part["additionalProperties"] == true { additional = true }
      guard part["properties"] != nil || part == .object(outer) else {
        throw refuse(place, "`allOf` is supported for objects with properties only")
      }
    }
    var merged = JSONObject()
    merged.append("properties", .object(properties))
    merged.append("required", .array(required))
    merged.append("additionalProperties", additional)
    return try objectValue(merged, place, &grammar)
  }

  private mutating func typed(
    _ type: JSONValue, _ schema: JSONObject, _ place: String, _ grammar: inout Grammar
  ) throws -> Expression {
    switch type.string {
    case "object": return try objectValue(schema, place, &grammar)
    case "array": return try arrayValue(schema, place, &grammar)
    case "string": return try stringValue(schema, place, &grammar)
    case "boolean": return .choice([.literal("true"), .literal("false")])
    case "null": return .literal("null")
    case "integer": return try bounded(schema, place, fraction: nil) ?? integer
    case "number":
      let digits = Expression.repeated(.bytes("0123456789"), minimum: 1, maximum: 16)
      return try bounded(schema, place, fraction: digits) ?? number
    default: throw refuse(place, "`type` is \(type.text), which is no type of JSON")
    }
  }

  private func count(_ keyword: String, _ schema: JSONObject, _ place: String) throws -> Int? {
    guard let value = schema[keyword] else { return nil }
    guard let count = value.integer, count >= 0 else {
      throw refuse(place, "`\(keyword)` must be a whole number, 0 or more")
    }
    guard count <= 2000 else { throw refuse(place, "`\(keyword)` is \(count); at most 2000 can be kept to") }
    return count
  }

  private mutating func objectValue(_ schema: JSONObject, _ place: String, _ grammar: inout Grammar) throws
    -> Expression
  {
    let declared = schema["properties"] ?? [:]
    guard let properties = declared.object else { throw refuse(place, "`properties` must be an object") }
    let required = Set((schema["required"]?.array ?? []).compactMap(\.string))
    let keys = Set(properties.members.map(\.key))
    let extra = schema["additionalProperties"] ?? .bool(properties.isEmpty)
    // Without a place in the order, a required name that is no property comes last, with any value.
    var members = properties.members.map { ($0.key, $0.value) }
    members += required.subtracting(keys).sorted().map { ($0, .bool(true)) }
    let comma = Expression.sequence([space, .literal(","), space])
    var parts: [(expression: Expression, isRequired: Bool)] = []
    for (key, schema) in members {
      let value = try self.value(schema, "\(place).\(key)", &grammar)
      let name = JSONValue.string(key).text
      parts.append(
        (try grammar.named(.sequence([.literal(name), space, .literal(":"), space, value])), required.contains(key)))
    }
    var rest = Expression.nothing  // after a member
    var first = Expression.nothing  // where none was written yet
    if extra != false {
      let value = try self.value(extra, "\(place).additionalProperties", &grammar)
      let more = Expression.sequence([string, space, .literal(":"), space, value])
      rest = try grammar.named(.repeated(.sequence([comma, more]), minimum: 0, maximum: nil))
      first = try grammar.named(.choice([.sequence([more, rest]), .nothing]))
    }
    for part in parts.reversed() {
      let taken = Expression.sequence([comma, part.expression, rest])
      let begun = Expression.sequence([part.expression, rest])
      first = try grammar.named(part.isRequired ? begun : .choice([begun, first]))
      rest = try grammar.named(part.isRequired ? taken : .choice([taken, rest]))
    }
    return .sequence([.literal("{"), space, first, space, .literal("}")])
  }

  private mutating func arrayValue(_ schema: JSONObject, _ place: String, _ grammar: inout Grammar) throws -> Expression
  {
    let comma = Expression.sequence([space, .literal(","), space])
    let least = try count("minItems", schema, place) ?? 0
    let most = try count("maxItems", schema, place)
    if let most, most < least { throw refuse(place, "`maxItems` is below `minItems`") }
    if let prefix = schema["prefixItems"]?.array, !prefix.isEmpty {
      let items = try prefix.enumerated().map { try value($1, "\(place).prefixItems[\($0)]", &grammar) }
      let list = items.enumerated().flatMap { $0 == 0 ? [$1] : [comma, $1] }
      return .sequence([.literal("["), space, .sequence(list), space, .literal("]")])
    }
    let item = try grammar.named(value(schema["items"] ?? true, "\(place).items", &grammar))
    if most == 0 { return .sequence([.literal("["), space, .literal("]")]) }
    let list = Expression.sequence([
      item,
      .repeated(.sequence([comma, item]), minimum: max(0, least - 1), maximum: most.map { $0 - 1 }),
    ])
    return .sequence([.literal("["), space, least == 0 ? .optional(list) : list, space, .literal("]")])
  }

  private mutating func stringValue(_ schema: JSONObject, _ place: String, _ grammar: inout Grammar) throws
    -> Expression
  {
    let quote = Expression.literal("\"")
    if let pattern = schema["pattern"] {
      guard let text = pattern.string else { throw refuse(place, "`pattern` must be a string") }
      do {
        return .sequence([quote, try RegularExpressionGrammar.parse(text), quote])
      } catch let error as EngineError {
        throw refuse(place, "`pattern` \(error.description)")
      }
    }
    if let format = schema["format"]?.string, let pattern = Self.formats[format] {
      return .sequence([quote, try RegularExpressionGrammar.parse(pattern), quote])
    }
    let least = try count("minLength", schema, place) ?? 0
    let most = try count("maxLength", schema, place)
    if let most, most < least { throw refuse(place, "`maxLength` is below `minLength`") }
    if least == 0, most == nil { return string }
    let character = try grammar.named(Self.character)
    return .sequence([quote, .repeated(character, minimum: least, maximum: most), quote])
  }

  private static let formats: [String: String] = {
    let date = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    let time = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
    return [
      "date": date, "time": time, "date-time": date + "T" + time,
      "uuid": "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    ]
  }()

  /// A number within bounds: whole numbers from the lower to the upper one, with a `fraction` where that stays inside.
  private func bounded(_ schema: JSONObject, _ place: String, fraction: Expression?) throws -> Expression? {
    func bound(_ keyword: String) throws -> Double? {
      guard let value = schema[keyword] else { return nil }
      guard let number = value.number, abs(number) < 1e15 else {
        throw refuse(place, "`\(keyword)` must be a number below 1e15")
      }
      return number
    }
    var least: Int?, most: Int?
    if let value = try bound("minimum") { least = Int(value.rounded(.up)) }
    if let value = try bound("exclusiveMinimum") { least = max(least ?? .min, Int(value.rounded(.down)) + 1) }
    if let value = try bound("maximum") { most = Int(value.rounded(.down)) }
    if let value = try bound("exclusiveMaximum") { most = min(most ?? .max, Int(value.rounded(.up)) - 1) }
    guard least != nil || most != nil else { return nil }
    // Without a second bound, as many digits as a number has elsewhere.
    let low = least ?? -999_999_999_999_999, high = most ?? 999_999_999_999_999
    guard low <= high else {
      throw refuse(place, "no whole number lies between its bounds; widen them")
    }
    func magnitudes(_ range: ClosedRange<Int>) -> Expression { DigitRange.expression(range) }
    func tail(_ range: ClosedRange<Int>) -> Expression {
      // i.ddd stays within the bounds for every i below the upper one.
      guard let fraction, range.lowerBound < range.upperBound else { return magnitudes(range) }
      return .choice([
        magnitudes(range),
        .sequence([magnitudes(range.lowerBound...range.upperBound - 1), .literal("."), fraction]),
      ])
    }
    var choices: [Expression] = []
    if high >= 0 { choices.append(tail(max(0, low)...high)) }
    if low < 0 { choices.append(.sequence([.literal("-"), tail(max(1, -high)...(-low))])) }
    return .choice(choices)
  }
}

/// Decimal numbers of a range, digit by digit.
private enum DigitRange {
  /// Precondition: not negative.
  static func expression(_ range: ClosedRange<Int>) -> Grammar.Expression {
    // Cut where the number of digits grows.
    var choices: [Grammar.Expression] = []
    var low = range.lowerBound
    while low <= range.upperBound {
      let digits = String(low).count
      let last = Int(String(repeating: "9", count: digits)) ?? Int.max
      let high = min(last, range.upperBound)
      choices.append(sameLength(Array(String(low).utf8), Array(String(high).utf8)))
      low = high + 1
    }
    return .choice(choices)
  }

  private static func sameLength(_ low: [UInt8], _ high: [UInt8]) -> Grammar.Expression {
    guard let first = low.first, let last = high.first else { return .nothing }
    let zero = UInt8(ascii: "0"), nine = UInt8(ascii: "9")
    let rest = low.count - 1
    if low.dropFirst().allSatisfy({ $0 == zero }), high.dropFirst().allSatisfy({ $0 == nine }) {
      return .sequence([.range(first...last)] + [Grammar.Expression](repeating: .range(zero...nine), count: rest))
    }
    let lowRest = Array(low.dropFirst()), highRest = Array(high.dropFirst())
    if first == last { return .sequence([.range(first...first), sameLength(lowRest, highRest)]) }
    let zeros = [UInt8](repeating: zero, count: rest), nines = [UInt8](repeating: nine, count: rest)
    var choices = [Grammar.Expression.sequence([.range(first...first), sameLength(lowRest, nines)])]
    if first + 1 < last {
      choices.append(.sequence([.range(first + 1...last - 1), sameLength(zeros, nines)]))
    }
    choices.append(.sequence([.range(last...last), sameLength(zeros, highRest)]))
    return .choice(choices)
  }
}
