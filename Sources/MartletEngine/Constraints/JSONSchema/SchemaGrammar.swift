import MartletData

/// Writes the rules of a grammar from what a schema allows.
struct SchemaGrammar {
  typealias Expression = Grammar.Expression
  var reading: SchemaReading
  let text: JSONTextRules
  private var rules: [Requirement: Expression] = [:]
  /// Rules that are named already and still to be written; a list, as schemas may be nested deeper than calls.
  private var open: [(requirement: Requirement, rule: Expression)] = []
  private var lengths: [[Int?]: Expression] = [:]

  init(_ schema: JSONValue, text: JSONTextRules, isLoose: Bool = false) {
    reading = SchemaReading(schema, isLoose: isLoose)
    self.text = text
  }

  /// The whole schema.
  mutating func root(_ grammar: inout Grammar) throws -> Expression {
    let root = Requirement(SchemaDocument.root)
    let expression = try value(reading.values(of: root), root, &grammar)
    try writeOpenRules(&grammar)
    return expression
  }

  /// The objects of the schema alone; any object where it has none.
  mutating func objects(_ grammar: inout Grammar) throws -> Expression {
    let root = Requirement(SchemaDocument.root)
    var result = text.object
    do {
      var values = try reading.values(of: root)
      values = ValueSet(objects: values.objects)
      result = try value(values, root, &grammar)
    } catch let error as EngineError {
      try reading.loosen(error)
    }
    try writeOpenRules(&grammar)
    return result
  }

  private mutating func writeOpenRules(_ grammar: inout Grammar) throws {
    while let (requirement, rule) = open.popLast() {
      do {
        try grammar.define(rule, value(reading.values(of: requirement), requirement, &grammar))
      } catch let error as EngineError {
        try reading.loosen(error)
        try grammar.define(rule, text.any)
      }
    }
  }

  /// A rule for values that meet a requirement, which must not be empty.
  mutating func rule(_ requirement: Requirement, _ grammar: inout Grammar) throws -> Expression {
    if requirement.isAnything { return text.any }
    if let known = rules[requirement] { return known }
    let rule = try grammar.declare()
    rules[requirement] = rule
    open.append((requirement, rule))
    return rule
  }

  /// An error about what `requirement` says.
  func refusal(_ requirement: Requirement, _ problem: String) -> EngineError {
    let places = requirement.parts.map { reading.document.place($0.node) }
    return EngineError("\(places.isEmpty ? "the schema" : places.joined(separator: " and ")): \(problem)")
  }

  private mutating func value(
    _ values: ValueSet, _ requirement: Requirement, _ grammar: inout Grammar
  ) throws -> Expression {
    if values.isAll { return text.any }
    var choices: [Expression] = []
    for shape in values.objects where try !reading.isEmpty(shape) {
      choices.append(shape.isAnything ? text.object : try object(shape, requirement, &grammar))
    }
    for shape in values.arrays where try !reading.isEmpty(shape) {
      choices.append(shape.isAnything ? text.array : try array(shape, requirement, &grammar))
    }
    do {
      if !values.strings.isEmpty { choices.append(try string(values.strings, &grammar)) }
      if let numbers = try numbers(values.numbers, &grammar) { choices.append(numbers) }
    } catch let error as EngineError {
      throw refusal(requirement, error.description)
    }
    if values.hasTrue { choices.append(.literal("true")) }
    if values.hasFalse { choices.append(.literal("false")) }
    if values.hasNull { choices.append(.literal("null")) }
    guard !choices.isEmpty else {
      if let sentence = reading.unwritableNumbers.first { throw EngineError(sentence) }
      throw refusal(requirement, "no value satisfies all of its keywords (including those it refers to); relax one")
    }
    return choices.count == 1 ? choices[0] : .choice(choices)
  }

  // MARK: Strings and numbers

  private mutating func string(_ strings: StringSet, _ grammar: inout Grammar) throws -> Expression {
    switch strings {
    case .lengths(0, nil): return text.string
    case .lengths(let least, let most):
      if let known = lengths[[least, most]] { return known }
      guard max(least, most ?? 0) <= 10_000 else {
        throw EngineError("`minLength` and `maxLength` are supported up to 10000")
      }
      let rule = try grammar.named(
        .sequence([.literal("\""), .repeated(text.character, minimum: least, maximum: most), .literal("\"")]))
      lengths[[least, most]] = rule
      return rule
    case .texts(let texts): return try Grammar.literals(texts.map { JSONValue.string($0.text).text }, into: &grammar)
    case .language(let language): return try language.jsonString(into: &grammar)
    }
  }

  private func numbers(_ numbers: NumberSet, _ grammar: inout Grammar) throws -> Expression? {
    if numbers.isAll { return text.number }
    if numbers.isAllWhole { return text.integer }
    var texts: [String] = []
    var choices: [Expression] = []
    for piece in numbers.pieces where !piece.isEmpty {
      try GrammarWork.spend(100)
      if piece.range.lowerBound == piece.range.upperBound {
        texts.append(NumberGrammar.text(piece.range.lowerBound))
      } else {
        choices.append(try NumberGrammar.expression(piece, &grammar))
      }
    }
    if !texts.isEmpty { choices.append(try Grammar.literals(texts, into: &grammar)) }
    return choices.isEmpty ? nil : choices.count == 1 ? choices[0] : .choice(choices)
  }
}
