import MartletData

/// Reads a JSON schema as the standard means it: a place in it is the intersection of all its keywords.
struct SchemaReading {
  var document: SchemaDocument
  /// Sentences on what was left out; nil: what cannot be kept to throws.
  private(set) var loosened: [String]?
  private var known: [Int: ValueSet] = [:]
  /// Nodes that are being read: they contain each other without anything in between.
  private var open: Set<Int> = []
  /// Sentences on numbers that a bound leaves and that are not written, in the order in which they were met.
  private(set) var unwritableNumbers: [String] = []

  // Whether a requirement can be met (see SchemaReading+Emptiness.swift).
  var emptiness = SchemaEmptiness()

  init(_ schema: JSONValue, isLoose: Bool = false) {
    document = SchemaDocument(schema)
    loosened = isLoose ? [] : nil
  }

  /// Notes what cannot be kept to, or throws where everything must be.
  mutating func loosen(_ error: EngineError) throws {
    guard let count = loosened?.count else { throw error }
    try GrammarWork.spend(100 + 4 * count)
    if loosened?.contains(error.description) == false { loosened?.append(error.description) }
  }

  /// Notes that a bound leaves only numbers that are not written.
  mutating func noteUnwritable(_ sentence: String) {
    if unwritableNumbers.isEmpty { unwritableNumbers.append(sentence) }
  }

  mutating func values(of requirement: Requirement) throws -> ValueSet {
    if requirement.isNever { return .none }
    try GrammarWork.spend(20 * requirement.parts.count)
    var result = ValueSet.all
    for part in requirement.parts {
      let values = try values(of: part.node)
      if part.isDenied {
        guard let complement = try values.complement() else {
          throw document.refusal(part.node, "the schema under `not`, `oneOf` or `if` cannot be negated exactly")
        }
        result = try result.intersection(complement)
      } else {
        result = try result.intersection(values)
      }
    }
    return result
  }

  mutating func values(of node: Int) throws -> ValueSet {
    if let known = known[node] { return known }
    if emptiness.isSuspended(node) { throw SchemaEmptiness.Unknown() }
    try GrammarWork.spend(100)
    guard open.insert(node).inserted else {
      throw document.refusal(node, "`$ref` refers directly to itself, which has no meaning")
    }
    defer { open.remove(node) }
    guard open.count <= 64 else { throw document.refusal(node, "schemas refer to each other more than 64 levels deep") }
    let result: ValueSet
    switch document.nodes[node].content {
    case .constant(let value): result = try constant(value, node)
    case .schema(.bool(let isAll)): result = isAll ? .all : .none
    case .schema(.object(let schema)): result = try read(schema, node)
    case .schema(let other):
      result = .all
      try loosen(document.refusal(node, "a schema must be an object or a boolean, not \(other.kind)"))
    }
    known[node] = result
    return result
  }

  mutating func exchangeOpen(_ nodes: Set<Int>) -> Set<Int> {
    defer { open = nodes }
    return open
  }

  // MARK: Keywords

  private static let refused = [
    "$dynamicRef": "refer to the part with `$ref` and its path",
    "$recursiveRef": "refer to the part with `$ref` and its path",
    "disallow": "draft 4 removed this keyword; use `not`", "divisibleBy": "use `multipleOf`",
    "extends": "use `allOf`",
  ]

  /// The intersection of all keywords. One that cannot be kept to is an error that names it.
  private mutating func read(_ schema: JSONObject, _ node: Int) throws -> ValueSet {
    try GrammarWork.spend(20 * schema.members.count)
    var result = ValueSet.all
    let keywords = Set(schema.members.map(\.key))
    func has(_ names: String...) -> Bool { names.contains(where: keywords.contains) }
    func narrow(_ reading: inout SchemaReading, _ body: (inout SchemaReading) throws -> ValueSet) throws {
      do {
        let values = try body(&reading)
        result = try result.intersection(values)
      } catch let error as EngineError {
        try reading.loosen(reading.document.placed(error, node))
      }
    }
    for keyword in keywords.sorted() {
      guard let cure = Self.refused[keyword], schema[keyword] != true else { continue }
      try loosen(document.refusal(node, "`\(keyword)` is not supported; \(cure)"))
    }
    // Since 2019 these say what a string holds without asking that it does.
    for keyword in ["contentEncoding", "contentMediaType"] where document.isBeforeDraft2019 && has(keyword) {
      try loosen(document.refusal(node, "`\(keyword)` is not supported; leave it out or use `pattern`"))
    }
    if let reference = schema["$ref"] {
      try narrow(&self) { try $0.values(of: $0.document.target(of: reference, in: node)) }
      if document.isBeforeDraft2019 { return result }
    }
    if let parts = schema["allOf"] {
      try narrow(&self) { reading in
        try reading.choices(parts, "allOf", node).reduce(ValueSet.all) { try $0.intersection(reading.values(of: $1)) }
      }
    }
    if let type = schema["type"] { try narrow(&self) { try $0.types(type, node) } }
    if let value = schema["const"] { try narrow(&self) { try $0.constant(value, node) } }
    if let values = schema["enum"] { try narrow(&self) { try $0.enumeration(values, node) } }
    for keyword in Self.numberKeywords where has(keyword) {
      try narrow(&self) { try $0.numbers(keyword, schema, node) }
    }
    for keyword in Self.stringKeywords where has(keyword) {
      try narrow(&self) { try $0.strings(keyword, schema, node) }
    }
    for group in Self.arrayKeywords where group.contains(where: keywords.contains) {
      try narrow(&self) { try $0.arrays(group[0], schema, node) }
    }
    for group in Self.objectKeywords where group.contains(where: keywords.contains) {
      try narrow(&self) { try $0.objects(group[0], schema, node) }
    }
    for keyword in Self.choosingKeywords where has(keyword) {
      try narrow(&self) { try $0.choosing(keyword, schema, node) }
    }
    if has("unevaluatedProperties", "unevaluatedItems"), !document.isBeforeDraft2019 {
      do { result = try unevaluated(result, schema, node) } catch let error as EngineError {
        try loosen(document.placed(error, node))
      }
    }
    return result
  }

  private func types(_ value: JSONValue, _ node: Int) throws -> ValueSet {
    let names = value.array ?? [value]
    guard !names.isEmpty else { throw document.refusal(node, "`type` is an empty list; name a type") }
    var result = ValueSet.none
    for name in names {
      switch name.string {
      case "null": result.hasNull = true
      case "boolean": (result.hasFalse, result.hasTrue) = (true, true)
      case "integer": if result.numbers.isEmpty { result.numbers = .whole }
      case "number": result.numbers = .all
      case "string": result.strings = .all
      case "array": result.arrays = [ArrayShape()]
      case "object": result.objects = [ObjectShape()]
      default: throw document.refusal(node, "`type` is \(name.text.prefix(100)), which is not a type of JSON")
      }
    }
    return result
  }

  private mutating func constant(_ value: JSONValue, _ node: Int) throws -> ValueSet {
    switch value {
    case .null: return ValueSet(hasNull: true)
    case .bool(let flag): return flag ? ValueSet(hasTrue: true) : ValueSet(hasFalse: true)
    case .string(let text): return ValueSet(strings: .texts([ExactString(text)]))
    case .integer, .number:
      return ValueSet(numbers: NumberSet([try exactUnits(value, node)]))
    case .array(let values):
      let items = try values.map { try document.constant($0, of: node) }
      return ValueSet(
        arrays: [ArrayShape(prefix: items, rest: .never, minimum: items.count, maximum: items.count)])
    case .object(let object):
      var shape = ObjectShape()
      shape.declaresMembers = true
      for member in object.distinctMembers {
        shape.restrict(member.name, to: try document.constant(member.value, of: node), isRequired: true)
      }
      shape.free = [ObjectShape.FreeNames(value: .never, isExplicit: true)]
      return ValueSet(objects: [shape])
    }
  }

  private func exactUnits(_ value: JSONValue, _ node: Int) throws -> NumberSet.Units {
    guard let units = NumberSet.units(value), units.down == units.up, NumberSet.limits.contains(units.down) else {
      throw document.refusal(
        node, "the number \(value.text) cannot be written exactly; whole numbers of 64 bits and 15 decimals can")
    }
    return units.down
  }

  private mutating func enumeration(_ value: JSONValue, _ node: Int) throws -> ValueSet {
    guard let values = value.array, !values.isEmpty else {
      throw document.refusal(node, "`enum` must be a list of values that is not empty")
    }
    var result = ValueSet.none
    var texts: [ExactString] = []
    try GrammarWork.spend(20 * values.count)
    var seen: Set<ExactString> = []
    var numbers: [NumberSet.Units] = []
    for value in values {
      switch value {
      case .string(let text): if seen.insert(ExactString(text)).inserted { texts.append(ExactString(text)) }
      case .integer, .number: numbers.append(try exactUnits(value, node))
      default: result = try result.union(constant(value, node))
      }
    }
    var distinct: Set<NumberSet.Units> = []
    result.strings = .texts(texts)
    result.numbers = NumberSet(numbers.filter { distinct.insert($0).inserted })
    return result
  }

  // MARK: What several keywords need

  /// The list of schemas under a keyword.
  mutating func choices(_ value: JSONValue, _ keyword: String, _ node: Int) throws -> [Requirement] {
    guard let list = value.array, !list.isEmpty else {
      throw document.refusal(node, "`\(keyword)` must be a list of schemas that is not empty")
    }
    guard list.count <= ValueSet.mostShapes else {
      throw document.refusal(node, "`\(keyword)` has \(list.count) schemas; at most \(ValueSet.mostShapes) are taken")
    }
    return try list.enumerated().map { try document.subschema($1, of: node, at: keyword, String($0)) }
  }

  /// A keyword that counts something.
  func count(_ keyword: String, _ schema: JSONObject, _ node: Int) throws -> Int? {
    guard let value = schema[keyword] else { return nil }
    guard let count = value.integer, count >= 0 else {
      throw document.refusal(node, "`\(keyword)` must be a whole number, 0 or more")
    }
    return count
  }
}
