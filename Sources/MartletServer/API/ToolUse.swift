import MartletEngine
import MartletModels

/// The functions that a request offers the model, and how the model names them: `<tool_call>` lines, the form that
/// Hermes and Qwen models are trained on.
struct ToolUse {
  struct Definition {
    let name: String
    let parameters: JSONValue
    /// As the model sees it.
    let json: JSONValue
  }

  enum Choice: Equatable {
    case never, auto, required
    case named(String)
  }

  static let open = "<tool_call>", close = "</tool_call>"

  var definitions: [Definition] = []
  var choice = Choice.never
  var allowsSeveral = true

  init() {}

  init(_ fields: FieldReader) throws {
    for (index, item) in (try fields.array("tools") ?? []).enumerated() {
      func refuse(_ problem: String) -> APIError { .invalid("`tools[\(index)]` \(problem)", parameter: "tools") }
      guard item["type"]?.string ?? "function" == "function", let function = item["function"]?.object else {
        throw refuse("must have the type `function` and a `function` object")
      }
      guard let name = function["name"]?.string, Self.isName(name) else {
        throw refuse("needs a `name` of 1 to 64 letters, digits, _ and -")
      }
      let parameters = function["parameters"].flatMap { $0.isNull ? nil : $0 } ?? ["type": "object", "properties": [:]]
      guard parameters.object != nil else { throw refuse("has `parameters` that are \(parameters.kind)") }
      definitions.append(
        Definition(name: name, parameters: parameters, json: ["type": "function", "function": .object(function)]))
    }
    guard definitions.count <= 128 else {
      throw APIError.invalid("`tools` has \(definitions.count) entries; at most 128 are taken", parameter: "tools")
    }
    allowsSeveral = try fields.bool("parallel_tool_calls") ?? true
    choice = definitions.isEmpty ? .never : .auto
    guard let value = fields.value("tool_choice") else { return }
    func wrong(_ problem: String) -> APIError { .invalid("`tool_choice` \(problem)", parameter: "tool_choice") }
    switch value {
    case .string("none"): choice = .never
    case .string("auto"): break
    case .string("required"):
      guard !definitions.isEmpty else { throw wrong("is `required`, but there are no `tools`") }
      choice = .required
    case .object(let object):
      guard let name = object["function"]?["name"]?.string else { throw wrong("must name a function") }
      guard definitions.contains(where: { $0.name == name }) else {
        throw wrong("names `\(name.prefix(64))`, which is not among the `tools`")
      }
      choice = .named(name)
    default: throw wrong("must be `none`, `auto`, `required` or an object that names a function")
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
    let text = """
      # Tools

      You may call one or more functions to assist with the user query.

      You are provided with function signatures within <tools></tools> XML tags:
      <tools>
      \(definitions.map(\.json.text).joined(separator: "\n"))
      </tools>

      For each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:
      <tool_call>
      {"name": <function-name>, "arguments": <args-json-object>}
      </tool_call>
      """
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

  /// What may follow ``begun``; nil where anything may.
  func grammar() throws -> Grammar? {
    guard choice != .never else { return nil }
    do {
      return try Grammar { grammar in
        var tails: [String: Grammar.Expression] = [:]
        for definition in definitions {
          let arguments = try Grammar.jsonSchema(definition.parameters, compact: true, into: &grammar)
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
          return .choice([try Self.textWithoutCalls(&grammar, then: .sequence([call, more]))])
        }
      }
    } catch let error as EngineError {
      throw APIError.invalid("`tools`: \(error.description)", parameter: "tools")
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
  static func write(calls: JSONValue, _ refuse: (String) -> APIError) throws -> String {
    guard let calls = calls.array else { throw refuse("has `tool_calls` that are \(calls.kind)") }
    return try calls.map { call in
      guard let name = call["function"]?["name"]?.string else {
        throw refuse("has a tool call without a function name")
      }
      var arguments = call["function"]?["arguments"] ?? [:]
      if let text = arguments.string {
        // Arguments come as JSON inside a string; an empty one means none.
        guard let value = try? JSONValue(parsing: text.isEmpty ? "{}" : text) else {
          throw refuse("has a tool call whose `arguments` are not JSON")
        }
        arguments = value
      }
      return "\(open)\n{\"name\": \(JSONValue.string(name).text), \"arguments\": \(arguments.text)}\n\(close)"
    }.joined(separator: "\n")
  }
}
