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
