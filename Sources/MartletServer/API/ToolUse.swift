import MartletData
import MartletEngine
import MartletModels

/// The functions that a request offers the model, and how the model names them: `<tool_call>` lines, the form that
/// Hermes and Qwen models are trained on.
struct ToolUse: Sendable {
  struct Definition: Sendable {
    let name: String
    let parameters: JSONValue
    /// The parameters' schema is kept to the letter, or refused.
    let isStrict: Bool
    /// As the model sees it.
    let json: JSONValue
  }

  enum Choice: Equatable, Sendable {
    case never, auto, required
    case named(String)
  }

  static let open = ToolTurns.openCall, close = ToolTurns.closeCall
  static let mostDefinitions = 128

  var definitions: [Definition] = []
  var choice = Choice.never
  /// Those that may be called; nil lets all.
  var allowed: Set<String>?
  var allowsSeveral = true
  /// Asked for by `functions` and `function_call`, and answered so.
  var isLegacy = false

  init() {}

  init(_ fields: FieldReader) throws {
    let functions = try fields.objects("functions")
    let tools = try fields.objects("tools")
    if let functions, !functions.isEmpty {
      guard tools?.isEmpty ?? true else {
        throw fields.refuse("functions", "is the old form of `tools`; send one of them")
      }
      isLegacy = true
      definitions = try functions.map { try Self.definition($0) }
    } else {
      definitions = try (tools ?? []).map { tool in
        guard try tool.string("type") ?? "function" == "function", let function = try tool.object("function") else {
          throw APIError.invalid(
            "`\(tool.place)` must have the type `function` and a `function` object", parameter: "tools")
        }
        return try Self.definition(function)
      }
    }
    let field = isLegacy ? "functions" : "tools"
    guard definitions.count <= Self.mostDefinitions else {
      throw fields.refuse(field, "has \(definitions.count) entries; at most \(Self.mostDefinitions) are taken")
    }
    var names: Set<String> = []
    for definition in definitions where !names.insert(definition.name).inserted {
      throw fields.refuse(field, "names `\(definition.name)` twice; give every function a different name")
    }
    allowsSeveral = try fields.bool("parallel_tool_calls") ?? true
    choice = definitions.isEmpty ? .never : .auto
    if isLegacy {
      allowsSeveral = false
      try takeChoice(fields, "function_call")
    } else {
      try takeChoice(fields, "tool_choice")
    }
  }

  private static func definition(_ function: FieldReader) throws -> Definition {
    guard let name = try function.string("name"), isName(name) else {
      throw APIError.invalid(
        "`\(function.place)` needs a `name` of 1 to 64 letters, digits, _ and -", parameter: "tools")
    }
    _ = try function.string("description")
    let parameters = try function.object("parameters").map { JSONValue.object($0.object) }
    var shown = JSONObject()
    for member in function.object.members where !member.value.isNull { shown.append(member.key, member.value) }
    return Definition(
      name: name, parameters: parameters ?? ["type": "object", "properties": [:]],
      isStrict: try function.bool("strict") ?? false, json: ["type": "function", "function": .object(shown)])
  }

  private mutating func takeChoice(_ fields: FieldReader, _ field: String) throws {
    func name(_ object: FieldReader) throws -> String {
      let name = try object.object("function")?.string("name") ?? object.string("name")
      guard let name else { throw fields.refuse(field, "must name a function") }
      guard definitions.contains(where: { $0.name == name }) else {
        throw fields.refuse(field, "names `\(name.prefix(64))`, which is not among the `tools`")
      }
      return name
    }
    func need(_ wanted: String) throws {
      guard !definitions.isEmpty else { throw fields.refuse(field, "is `\(wanted)`, but there are no `tools`") }
    }
    switch fields.value(field) {
    case nil, .string("auto"): break
    case .string("none"): choice = .never
    case .string("required"):
      try need("required")
      choice = .required
    case .object:
      guard let object = try fields.object(field) else { break }
      guard try object.string("type") == "allowed_tools" else {
        choice = .named(try name(object))
        break
      }
      // Some of the tools: OpenAI writes their list inside or beside.
      let list = try object.object("allowed_tools") ?? object
      allowed = Set(try (list.objects("tools") ?? []).map(name))
      guard allowed?.isEmpty == false else { throw fields.refuse(field, "allows no tool; send `none` instead") }
      switch try list.string("mode") {
      case nil, "auto": break
      case "required": choice = .required
      default: throw fields.refuse(field, "has a `mode` that is neither `auto` nor `required`")
      }
    default:
      throw fields.refuse(field, "must be `none`, `auto`, `required` or an object that names a function")
    }
  }

  private static func isName(_ name: String) -> Bool {
    (1...64).contains(name.utf8.count)
      && name.utf8.allSatisfy { byte in
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
          || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
      }
  }

  /// The conversation with the functions explained in its system message.
  func describe(in messages: [ChatMessage]) -> [ChatMessage] {
    let text = ToolTurns.description(of: definitions.map(\.json))
    var messages = messages
    if messages.first?.role == .system {
      messages[0].content += "\n\n" + text
    } else {
      messages.insert(ChatMessage(.system, text), at: 0)
    }
    return messages
  }

  /// How the answer begins where a call must be made.
  var begun: String {
    switch choice {
    case .never, .auto: ""
    case .required: "\(Self.open)\n{\"name\": \""
    case .named(let name): "\(Self.open)\n{\"name\": \"\(name)\", \"arguments\": "
    }
  }

  /// What may follow ``begun``; nil where anything may. Made apart from the threads that requests share.
  /// - Returns: the grammar, and a sentence for everything in the functions' schemas that is not kept to.
  func compiledGrammar(format: AnswerFormat?) async throws -> (grammar: Grammar?, loosened: [String]) {
    if choice == .never, format == nil { return (nil, []) }
    return try await Grammar.compiling {
      var loosened: [String] = []
      return (try grammar(format: format, loosened: &loosened), loosened)
    }
  }

  /// What may follow ``begun``; nil where anything may.
  /// - Parameters:
  ///   - format: what an answer without calls must be; nil lets it be any text.
  ///   - loosened: gets a sentence for everything in the functions' schemas that is not kept to.
  func grammar(format: AnswerFormat? = nil, loosened: inout [String]) throws -> Grammar? {
    guard choice != .never else { return try format?.grammar() }
    do {
      return try Grammar { grammar in
        var tails: [String: Grammar.Expression] = [:]
        for definition in definitions where allowed?.contains(definition.name) ?? true {
          let arguments = try Self.arguments(definition, into: &grammar, loosened: &loosened)
          tails[definition.name] = try grammar.named(.sequence([arguments, .literal("}\n\(Self.close)")]))
        }
        let names = try grammar.named(
          .choice(tails.sorted { $0.key < $1.key }.map { .sequence([.literal("\($0)\", \"arguments\": "), $1]) }))
        let call = try grammar.named(.sequence([.literal("\(Self.open)\n{\"name\": \""), names]))
        let more = Grammar.Expression.repeated(
          .sequence([.literal("\n"), call]), minimum: 0, maximum: allowsSeveral ? nil : 0)
        switch choice {
        case .named(let name): return tails[name] ?? .nothing
        case .required: return .sequence([names, more])
        case .never, .auto:
          let calls = Grammar.Expression.sequence([call, more])
          if let format { return .choice([try format.expression(into: &grammar), calls]) }
          return .choice([try Self.textWithoutCalls(&grammar, then: calls)])
        }
      }
    } catch let error where error is EngineError || error is GrammarWorkExceeded {
      let field = isLegacy ? "functions" : "tools"
      throw APIError.invalid("`\(field)`: \(error)", parameter: field)
    }
  }

  /// What an edit does with an answer that must have a form: says its words in the form where it can. Where a call must
  /// be made there is no answer to edit.
  func grammarSaying(format: AnswerFormat?) -> (@Sendable (String) throws -> Grammar)? {
    switch choice {
    case .required, .named:
      { _ in throw EngineError("the request demands the call of a function, but the answer of an edit is text") }
    case .never, .auto:
      if let format {
        { try format.grammar(saying: $0) }
      } else if choice == .auto {
        { text in try Grammar { _ in .literal(text) } }
      } else {
        nil
      }
    }
  }

  private static func arguments(
    _ definition: Definition, into grammar: inout Grammar, loosened: inout [String]
  ) throws -> Grammar.Expression {
    guard definition.isStrict else {
      var sentences: [String] = []
      defer { loosened += sentences.map { "`\(definition.name)`: \($0)" } }
      return try Grammar.toolArguments(definition.parameters, into: &grammar, loosened: &sentences)
    }
    do {
      guard definition.parameters["type"] == "object" else {
        throw EngineError("`strict` needs `parameters` whose `type` is `object`")
      }
      return try Grammar.jsonSchema(definition.parameters, compact: true, into: &grammar)
    } catch let error as EngineError {
      throw EngineError("`\(definition.name)` is `strict`, but \(error.description)")
    }
  }

  /// Any text up to the first ``open``, where the calls begin. One rule for each number of its characters just read;
  /// as only the first of them is a `<`, a mismatch starts over.
  private static func textWithoutCalls(
    _ grammar: inout Grammar, then calls: Grammar.Expression
  ) throws -> Grammar.Expression {
    let signs = Array(open.utf8)
    let rules = try signs.indices.map { _ in try grammar.declare() }
    for (read, sign) in signs.enumerated() {
      let isLast = read == signs.count - 1
      var others = ByteSet(of: "<").union(ByteSet(sign))
      if read == 0 { others = ByteSet(sign) }
      var choices: [Grammar.Expression] = [
        .nothing, .sequence([.character(except: others), rules[0]]),
      ]
      // The call's own grammar begins with the whole mark, so it is entered from the state that has read nothing.
      if !isLast { choices.append(.sequence([.bytes(ByteSet(sign)), rules[read + 1]])) }
      if read > 0 { choices.append(.sequence([.literal("<"), rules[1]])) }
      try grammar.define(rules[read], .choice(read == 0 ? choices + [calls] : choices))
    }
    return rules[0]
  }

  /// Calls of an earlier turn in the form in which the model writes them.
  static func write(calls: [FieldReader]) throws -> String {
    try calls.map { call in
      guard let function = try call.object("function") else {
        throw APIError.invalid("`\(call.place)` has no `function`", parameter: "messages")
      }
      return try write(call: function)
    }.joined(separator: "\n")
  }

  static func write(call function: FieldReader) throws -> String {
    guard let name = try function.string("name") else {
      throw APIError.invalid("`\(function.place)` has no `name`", parameter: "messages")
    }
    return ToolTurns.call(name, arguments: function.value("arguments"))
  }
}
