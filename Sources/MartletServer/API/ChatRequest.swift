import MartletEngine
import MartletModels
import MartletSkeleton

/// A request to /v1/chat/completions.
struct ChatRequest {
  var settings: AnswerSettings
  var messages: [ChatMessage]
  /// How the assistant's answer must begin.
  var begun = ""
  var logProbabilities: Int?
  var format: AnswerFormat = .text
  var tools = ToolUse()
  var skeleton: SkeletonMode?
  var cachesPrompt = true

  enum AnswerFormat {
    case text
    case json(Grammar)
  }

  init(_ object: JSONObject, defaults: Sampling, mostChoices: Int, vocabularySize: Int) throws {
    let fields = FieldReader(object)
    _ = try fields.string("model")
    settings = try AnswerSettings(
      fields, defaults: defaults, mostChoices: mostChoices, vocabularySize: vocabularySize)
    guard let list = object["messages"] else {
      throw APIError.invalid("`messages` is missing", parameter: "messages")
    }
    guard let list = list.array, !list.isEmpty else {
      throw APIError.invalid("`messages` must be an array with at least one message", parameter: "messages")
    }
    tools = try ToolUse(fields)
    messages = try ChatMessages.read(list)
    try takeBeginning(fields)
    if !tools.definitions.isEmpty, tools.choice != .never { messages = tools.describe(in: messages) }
    if try fields.bool("logprobs") ?? false {
      logProbabilities = try fields.integer("top_logprobs", in: 0...20) ?? 0
    } else if try fields.integer("top_logprobs", in: 0...20) != nil {
      throw APIError.invalid("`top_logprobs` needs `logprobs` to be true", parameter: "top_logprobs")
    }
    format = try Self.format(fields)
    skeleton = try fields.object("martlet")?.choice("skeleton", of: SkeletonMode.self)
    cachesPrompt = try fields.bool("cache_prompt") ?? true
  }

  /// A last message of the assistant is the beginning of the answer.
  private mutating func takeBeginning(_ fields: FieldReader) throws {
    let continues = try fields.bool("continue_final_message")
    let adds = try fields.bool("add_generation_prompt")
    if continues == true, adds == true {
      throw APIError.invalid(
        "`continue_final_message` and `add_generation_prompt` cannot both be true",
        parameter: "continue_final_message")
    }
    guard messages.last?.role == .assistant else {
      if continues == true {
        throw APIError.invalid(
          "`continue_final_message` needs a last message of the assistant", parameter: "continue_final_message")
      }
      return
    }
    if messages.count > 1, messages[messages.count - 2].role == .assistant {
      throw APIError.invalid("the last two messages are both the assistant's", parameter: "messages")
    }
    if adds != true, continues != false { begun = messages.removeLast().content }
  }

  private static func format(_ fields: FieldReader) throws -> AnswerFormat {
    guard let format = try fields.object("response_format") else { return .text }
    func constrained(_ build: () throws -> Grammar) throws -> AnswerFormat {
      do { return .json(try build()) } catch let error as EngineError {
        throw APIError.invalid("`response_format`: \(error.description)", parameter: "response_format")
      }
    }
    switch try format.string("type") {
    case "text": return .text
    case "json_object":
      // llama.cpp's way of giving a schema.
      guard let schema = format.value("schema") else { return try constrained { try Grammar.jsonObject() } }
      return try constrained { try Grammar.jsonSchema(schema) }
    case "json_schema":
      guard let wrapper = try format.object("json_schema"), let schema = wrapper.value("schema") else {
        throw APIError.invalid(
          "`response_format` of type json_schema needs `json_schema` with a `schema`", parameter: "response_format")
      }
      return try constrained { try Grammar.jsonSchema(schema) }
    default:
      throw APIError.invalid(
        "`response_format.type` must be `text`, `json_object` or `json_schema`", parameter: "response_format")
    }
  }
}

/// Messages as clients send them.
enum ChatMessages {
  static func read(_ list: [JSONValue]) throws -> [ChatMessage] {
    var messages: [ChatMessage] = []
    for (index, item) in list.enumerated() {
      let place = "messages[\(index)]"
      func refuse(_ problem: String) -> APIError { .invalid("`\(place)` \(problem)", parameter: "messages") }
      guard let object = item.object else { throw refuse("must be an object, not \(item.kind)") }
      guard let role = object["role"]?.string else { throw refuse("has no `role` that is a string") }
      let calls = object["tool_calls"].flatMap { $0.isNull ? nil : $0 }
      let content = try text(object["content"] ?? .null, refuse)
      switch role {
      case "system", "developer":
        guard let content else { throw refuse("has no `content`") }
        // Templates take one system message, at the front.
        if messages.last?.role == .system {
          messages[messages.count - 1].content += "\n\n" + content
        } else {
          messages.append(ChatMessage(.system, content))
        }
      case "user":
        guard let content else { throw refuse("has no `content`") }
        messages.append(ChatMessage(.user, content))
      case "assistant":
        guard let calls else {
          guard let content else { throw refuse("has neither `content` nor `tool_calls`") }
          messages.append(ChatMessage(.assistant, content))
          break
        }
        let written = try ToolUse.write(calls: calls, refuse)
        messages.append(
          ChatMessage(.assistant, content.map { $0.isEmpty ? written : $0 + "\n" + written } ?? written))
      case "tool", "function":
        guard let content else { throw refuse("has no `content`") }
        let result = "<tool_response>\n\(content)\n</tool_response>"
        // Results of several calls come to the model as one turn.
        if messages.last?.role == .user, messages.last?.content.hasSuffix("</tool_response>") == true {
          messages[messages.count - 1].content += "\n" + result
        } else {
          messages.append(ChatMessage(.user, result))
        }
      default:
        throw refuse(
          "has the role `\(role.prefix(40))`; known are system, developer, user, assistant, tool and function")
      }
    }
    return messages
  }

  private static func text(_ content: JSONValue, _ refuse: (String) -> APIError) throws -> String? {
    switch content {
    case .null: return nil
    case .string(let text): return text
    case .array(let parts):
      return try parts.map { part in
        guard let type = part["type"]?.string else { throw refuse("has a part without `type`") }
        guard type == "text" || type == "refusal" else {
          throw refuse("has a part of type `\(type.prefix(40))`; only text is understood")
        }
        guard let text = (part["text"] ?? part["refusal"])?.string else {
          throw refuse("has a text part without `text`")
        }
        return text
      }.joined(separator: "\n")
    default: throw refuse("has `content` that is \(content.kind); it must be a string or an array of parts")
    }
  }
}
