import MartletData

extension Grammar {
  /// Any JSON object.
  public static func jsonObject() throws -> Grammar {
    try Grammar { grammar in try JSONTextRules(into: &grammar, isCompact: false).object }
  }

  /// JSON texts that a JSON schema (2020-12, and what drafts 4 to 7 have otherwise) allows, properties in the order of
  /// the schema.
  ///
  /// What is written may be narrower than what the schema allows, but never wider: objects that declare properties get
  /// others only where the schema speaks of them, further properties come last, and bounded numbers have 15 digits.
  /// - Throws: ``EngineError`` naming the place and the keyword that cannot be kept to.
  public static func jsonSchema(_ schema: JSONValue) throws -> Grammar {
    try Grammar { grammar in try jsonSchema(schema, into: &grammar) }
  }

  /// The same as a part of a larger grammar; `compact` allows no line breaks between the signs.
  public static func jsonSchema(
    _ schema: JSONValue, compact: Bool = false, into grammar: inout Grammar
  ) throws -> Expression {
    var writing = SchemaGrammar(schema, text: try JSONTextRules(into: &grammar, isCompact: compact))
    return try writing.root(&grammar)
  }

  /// The arguments of a tool: always a JSON object, without line breaks between its signs. What of `schema` cannot be
  /// kept to makes that part of the grammar looser, and adds a sentence that names place and keyword to `loosened`.
  /// - Throws: ``EngineError`` only where the whole would be too large.
  public static func toolArguments(
    _ schema: JSONValue, into grammar: inout Grammar, loosened: inout [String]
  ) throws -> Expression {
    let text = try JSONTextRules(into: &grammar, isCompact: true)
    var writing = SchemaGrammar(schema, text: text, isLoose: true)
    let arguments = try writing.objects(&grammar)
    loosened += writing.reading.loosened ?? []
    return arguments
  }
}
