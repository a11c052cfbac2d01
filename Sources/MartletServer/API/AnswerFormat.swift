import MartletData
import MartletEngine

/// The form that a request asks its answer to have, in one of the ways in which APIs ask.
struct AnswerFormat: Sendable {
  enum Form: Sendable {
    case jsonObject
    case jsonSchema(JSONValue)
    case regularExpression(String)
    case choice([String])
  }

  let form: Form
  /// The field that asks, for messages.
  let field: String

  /// Of `guided_choice`, and their bytes together.
  static let mostChoices = 1_024, mostChoiceBytes = 100_000

  /// nil where any text will do.
  /// - Throws: ``APIError`` where two forms are asked for, or one that is not known.
  init?(_ fields: FieldReader) throws {
    var asked: [(field: String, form: Form)] = []
    if let form = try Self.responseFormat(fields) { asked.append(("response_format", form)) }
    if let schema = fields.value("json_schema") { asked.append(("json_schema", .jsonSchema(schema))) }
    for (name, read) in Self.guided {
      if let form = try read(fields, name) { asked.append((name, form)) }
    }
    if let outputs = try fields.object("structured_outputs") {
      for (name, read) in Self.structured {
        if let form = try read(outputs, name) { asked.append((outputs.path(name), form)) }
      }
      for member in outputs.object.members where !member.value.isNull && member.value != false {
        guard Self.structured.contains(where: { $0.name == member.key }) else {
          throw APIError.notSupported(
            "`structured_outputs.\(member.key.prefix(40))` is not supported here; use `json`, `regex` or `choice`",
            parameter: "structured_outputs")
        }
      }
    }
    guard let first = asked.first else { return nil }
    guard asked.count == 1 else {
      throw APIError.invalid(
        "`\(asked[0].field)` and `\(asked[1].field)` both set the format of the answer; send only one of them",
        parameter: Self.parameter(of: asked[1].field))
    }
    form = first.form
    field = first.field
  }

  /// The request's own field, of which a form may be a member.
  private static func parameter(of field: String) -> String { String(field.prefix { $0 != "." }) }

  private typealias Reader = @Sendable (FieldReader, String) throws -> Form?
  private static let guided: [(name: String, read: Reader)] = [
    ("guided_json", json), ("guided_regex", regularExpression), ("guided_choice", choice),
  ]
  private static let structured: [(name: String, read: Reader)] = [
    ("json", json), ("regex", regularExpression), ("choice", choice),
    ("json_object", { try $0.bool($1) == true ? .jsonObject : nil }),
  ]

  /// A schema, or its text.
  private static func json(_ fields: FieldReader, _ name: String) throws -> Form? {
    guard let value = fields.value(name) else { return nil }
    guard let text = value.string else { return .jsonSchema(value) }
    do { return .jsonSchema(try JSONValue(parsing: text)) } catch {
      throw fields.refuse(name, "is a string that is not JSON: \(error)")
    }
  }

  private static func regularExpression(_ fields: FieldReader, _ name: String) throws -> Form? {
    try fields.string(name).map { .regularExpression($0) }
  }

  private static func choice(_ fields: FieldReader, _ name: String) throws -> Form? {
    guard let choices = try fields.strings(name, most: mostChoices) else { return nil }
    guard !choices.isEmpty else { throw fields.refuse(name, "must contain at least one answer") }
    guard choices.reduce(0, { $0 + $1.utf8.count }) <= mostChoiceBytes else {
      throw fields.refuse(name, "is longer than \(mostChoiceBytes) bytes")
    }
    return .choice(choices)
  }

  private static func responseFormat(_ fields: FieldReader) throws -> Form? {
    guard let format = try fields.object("response_format") else { return nil }
    switch try format.string("type") {
    case "text": return nil
    case "json_object":
      // llama.cpp's way of giving a schema.
      return format.value("schema").map { .jsonSchema($0) } ?? .jsonObject
    case "json_schema":
      guard let schema = try format.object("json_schema")?.value("schema") ?? format.value("schema") else {
        throw APIError.invalid(
          "`response_format` of type json_schema needs `json_schema` with a `schema`", parameter: "response_format")
      }
      return .jsonSchema(schema)
    default:
      throw APIError.invalid(
        "`response_format.type` must be `text`, `json_object` or `json_schema`", parameter: "response_format")
    }
  }

  /// What the answer may be.
  func grammar() throws -> Grammar { try Grammar { try expression(into: &$0) } }

  /// The same, made apart from the threads that requests share.
  func compiledGrammar() async throws -> Grammar { try await Grammar.compiling { try grammar() } }

  /// The same as a part of a larger grammar.
  /// - Throws: ``APIError`` naming the field, the keyword or sign, and what to do.
  func expression(into grammar: inout Grammar) throws -> Grammar.Expression {
    do {
      switch form {
      case .jsonObject: return try Grammar.jsonSchema(["type": "object"], into: &grammar)
      case .jsonSchema(let schema): return try Grammar.jsonSchema(schema, into: &grammar)
      case .regularExpression(let pattern):
        // The pattern alone says whether it is one; then it is to match the whole answer.
        _ = try RegularLanguage(pattern: pattern)
        return try RegularLanguage(pattern: "^(?:\(pattern))$").text(into: &grammar)
      case .choice(let texts): return try RegularLanguage.literals(texts).text(into: &grammar)
      }
    } catch let error where error is EngineError || error is GrammarWorkExceeded {
      throw APIError.invalid("`\(field)`: \(error)", parameter: Self.parameter(of: field))
    }
  }
}
