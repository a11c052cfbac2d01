import MartletData
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
  var tools = ToolUse()
  var skeleton: SkeletonMode?
  /// The stream tells how a skeleton comes along.
  var showsSkeleton = false
  /// What the conversation begins from.
  var start: StartState?

  init(
    _ object: JSONObject, defaults: Sampling, mostChoices: Int, vocabularySize: Int, starts: StartStates = StartStates()
  ) throws {
    let fields = FieldReader(object)
    try RequestFields.chat.check(fields)
    settings = try AnswerSettings(
      fields, defaults: defaults, mostChoices: mostChoices, vocabularySize: vocabularySize)
    guard let list = try fields.objects("messages") else { throw fields.refuse("messages", "is missing") }
    guard !list.isEmpty else { throw fields.refuse("messages", "must have at least one message") }
    tools = try ToolUse(fields)
    messages = try ChatMessages.read(list)
    try takeBeginning(fields)
    if !tools.definitions.isEmpty, tools.choice != .never { messages = tools.describe(in: messages) }
    let alternatives = try fields.integer("top_logprobs", in: 0...20)
    if try fields.bool("logprobs") ?? false {
      logProbabilities = alternatives ?? 0
    } else if let alternatives, alternatives > 0 {
      throw fields.refuse("top_logprobs", "needs `logprobs` to be true")
    }
    let martlet = try fields.object("martlet")
    start = try starts.start(martlet)
    if let martlet {
      try RequestFields.martlet.check(martlet)
      skeleton = try martlet.choice("skeleton", of: SkeletonMode.self)
      showsSkeleton = try martlet.bool("events") ?? false
    }
  }

  /// A last message of the assistant is the beginning of the answer.
  private mutating func takeBeginning(_ fields: FieldReader) throws {
    let continues = try fields.bool("continue_final_message")
    let adds = try fields.bool("add_generation_prompt")
    if continues == true, adds == true {
      throw fields.refuse("continue_final_message", "and `add_generation_prompt` cannot both be true")
    }
    guard messages.last?.role == .assistant else {
      if continues == true {
        throw fields.refuse("continue_final_message", "needs a last message with the role assistant")
      }
      if adds == false {
        throw APIError.notSupported(
          "`add_generation_prompt` as false is not supported if the role of the last message is not assistant; leave it out",
          parameter: "add_generation_prompt")
      }
      return
    }
    if messages.count > 1, messages[messages.count - 2].role == .assistant {
      throw fields.refuse("messages", "ends with two messages of the role assistant; send only one of them")
    }
    if adds != true, continues != false { begun = messages.removeLast().content }
  }
}
