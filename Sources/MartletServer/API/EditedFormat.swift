import Foundation
import MartletData
import MartletEngine

extension AnswerFormat {
  /// Answers of this form that say a text, which is an edit's answer.
  /// - Throws: ``EngineError`` saying why there is none, or none that is certain to be meant.
  func grammar(saying text: String) throws -> Grammar {
    switch form {
    case .choice(let choices):
      guard let choice = choices.first(where: { $0 == text }) ?? Self.only(choices, like: text) else {
        throw EngineError("the answer of the edit is not among the choices")
      }
      return try Grammar { _ in .literal(choice) }
    case .regularExpression(let pattern):
      guard try RegularLanguage(pattern: "^(?:\(pattern))$").contains(text) else {
        throw EngineError("the answer of the edit does not match the pattern")
      }
      return try Grammar { _ in .literal(text) }
    case .jsonObject:
      // The name is the model's to choose.
      return try Grammar.jsonSchema([
        "type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": ["const": .string(text)],
      ])
    case .jsonSchema(let schema): return try EditedSchema(schema).grammar(saying: text)
    }
  }

  /// The one choice that is the text but for case, space and punctuation.
  private static func only(_ choices: [String], like text: String) -> String? {
    let wanted = EditedSchema.letters(text)
    let found = choices.filter { EditedSchema.letters($0) == wanted }
    return wanted.isEmpty || found.count != 1 ? nil : found.first
  }
}

/// A JSON schema, narrowed to values that say an edit's answer in the place that asks for it.
struct EditedSchema {
  /// A place of a value, as names of properties from the outside in.
  private typealias Path = [String]

  private let schema: JSONValue
  private static let deepest = 8, mostPlaces = 64
  /// Names that ask for the answer whatever the question is.
  private static let answerNames: Set<String> = [
    "answer", "value", "result", "response", "output", "text", "content", "reply", "solution", "final_answer",
  ]

  init(_ schema: JSONValue) { self.schema = schema }

  static func letters(_ text: String) -> String {
    String(
      String.UnicodeScalarView(text.lowercased().unicodeScalars.filter { CharacterSet.alphanumerics.contains($0) }))
  }

  func grammar(saying text: String) throws -> Grammar {
    var places: [(path: Path, grammar: Grammar)] = []
    for path in Self.paths(schema, [], root: schema).prefix(Self.mostPlaces) {
      if let grammar = grammar(at: path, saying: text) { places.append((path, grammar)) }
    }
    guard let first = places.first else {
      throw EngineError("the schema has no string for the answer of the edit")
    }
    if places.count == 1 { return first.grammar }
    let named = places.filter { $0.path.last.map { Self.answerNames.contains($0.lowercased()) } ?? false }
    guard named.count == 1 else {
      throw EngineError("the schema has several strings for the answer of the edit, and none of them is named `answer`")
    }
    return named[0].grammar
  }

  /// Objects' properties that hold one value each, and the whole where it is one value.
  private static func paths(_ schema: JSONValue, _ path: Path, root: JSONValue) -> [Path] {
    guard path.count < deepest else { return [] }
    let schema = resolved(schema, root)
    guard let properties = schema["properties"], case .object(let object) = properties else {
      // An object or array without properties is no place for one value.
      let types = schema["type"]?.array?.compactMap(\.string) ?? schema["type"]?.string.map { [$0] } ?? []
      let isContainer = !types.isEmpty && types.allSatisfy { ["object", "array", "null"].contains($0) }
      return isContainer ? [] : [path]
    }
    return object.members.flatMap { paths($0.value, path + [$0.key], root: root) }
  }

  /// A schema behind its `$ref`s into the same document.
  private static func resolved(_ schema: JSONValue, _ root: JSONValue) -> JSONValue {
    var schema = schema
    for _ in 0..<deepest {
      guard let reference = schema["$ref"]?.string, reference.hasPrefix("#") else { return schema }
      var target = root
      for part in reference.dropFirst().split(separator: "/") {
        let name = String(part).replacing("~1", with: "/").replacing("~0", with: "~")
        guard let next = target[name] else { return schema }
        target = next
      }
      schema = target
    }
    return schema
  }

  private func grammar(at path: Path, saying text: String) -> Grammar? {
    for value in Self.values(text) {
      guard let narrowed = Self.narrowed(schema, to: value, at: path[...], root: schema) else { return nil }
      if let grammar = try? Grammar.jsonSchema(narrowed) { return grammar }
    }
    return nil
  }

  /// The schema of values in which one stands at a place. Properties keep their order, and definitions theirs.
  private static func narrowed(
    _ schema: JSONValue, to value: JSONValue, at path: ArraySlice<String>, root: JSONValue
  ) -> JSONValue? {
    guard let name = path.first else {
      guard case .object(var object) = schema else { return schema == true ? ["const": value] : nil }
      object["allOf"] = .array((object["allOf"]?.array ?? []) + [["const": value]])
      return .object(object)
    }
    guard case .object(var object) = resolved(schema, root), case .object(let properties)? = object["properties"],
      let inner = properties[name], let narrowed = narrowed(inner, to: value, at: path.dropFirst(), root: root)
    else { return nil }
    var others = JSONObject()
    for member in properties.members { others.append(member.key, member.key == name ? narrowed : member.value) }
    object["properties"] = .object(others)
    let required = object["required"]?.array ?? []
    if !required.contains(.string(name)) { object["required"] = .array(required + [.string(name)]) }
    if path.startIndex == 0 {
      // What stands behind a reference at the root may refer to the root's definitions itself.
      for name in ["$defs", "definitions"] where object[name] == nil {
        if let definitions = root[name] { object[name] = definitions }
      }
    }
    return .object(object)
  }

  /// What a text can stand for: itself, a number, a truth value.
  private static func values(_ text: String) -> [JSONValue] {
    var values: [JSONValue] = [.string(text)]
    let digits = text.replacing(",", with: "")
    let groups: [Substring] = text.split(separator: "," as Character, omittingEmptySubsequences: false)
    let isGrouped = groups.dropFirst().allSatisfy { $0.count == 3 }
    if let number = try? JSONValue(parsing: isGrouped ? digits : text), number.number != nil { values.append(number) }
    switch letters(text) {
    case "yes", "true": values.append(true)
    case "no", "false": values.append(false)
    default: break
    }
    return values
  }
}
