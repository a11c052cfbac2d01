import MartletData

extension Grammar {
  /// A grammar for any JSON object.
  public static func jsonObject() throws -> Grammar {
    try Grammar { grammar in try JSONTextRules(into: &grammar, isCompact: false).object }
  }

  /// A grammar for the JSON texts that a JSON schema (2020-12 and drafts 4 to 7) allows, with properties in the order
  /// of the schema.
  ///
  /// The grammar may allow less than the schema, but never more: objects that declare properties have additional ones
  /// only if the schema mentions them, additional properties come last, and numbers with bounds have at most 15 digits.
  /// - Throws: ``EngineError`` that names the position and the keyword that cannot be enforced.
  public static func jsonSchema(_ schema: JSONValue) throws -> Grammar {
    try Grammar { grammar in try jsonSchema(schema, into: &grammar) }
  }

  /// A JSON schema as a part of a larger grammar; `compact` allows no line breaks between tokens.
  public static func jsonSchema(
    _ schema: JSONValue, compact: Bool = false, into grammar: inout Grammar
  ) throws -> Expression {
    var writing = SchemaGrammar(schema, text: try JSONTextRules(into: &grammar, isCompact: compact))
    return try writing.root(&grammar)
  }

  /// The arguments of a tool: always a JSON object, without line breaks between tokens. If a part of `schema` cannot be
  /// enforced, that part of the grammar allows more, and a sentence that names the position and the keyword is appended
  /// to `loosened`.
  /// - Throws: ``EngineError`` only if the grammar would be too large.
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
