import MartletData
import MartletModels

/// A conversation to learn, and which of the assistant's turns count.
package struct ConversationRecord {
  /// What reading changed in it, for the person who trains.
  package enum Remark: String, Hashable, CaseIterable {
    case emptyTurns =
      "empty turns of the assistant (null or empty content without calls) are left out with their questions"
    case reasoning = "reasoning (reasoning_content) is written as <think>...</think> before the answer"
    case calls = "calls of functions and their results are written as <tool_call> and <tool_response>"
    case openEnd = "a last turn without an answer is left out"
  }

  package private(set) var messages: [ChatMessage] = []
  /// One for each of the assistant's messages.
  private(set) var answersCount: [Bool] = []
  /// A record without an answer is counted as a whole, so nothing is said of its turns.
  var remarks: Set<Remark> {
    guard !answersCount.isEmpty else { return [] }
    return messages.last?.role == .assistant ? found : found.union([.openEnd])
  }
  private var found: Set<Remark> = []
  /// Whether an answer is a text without a word.
  private var hasEmptyText = false

  /// A question and its answer, behind a system message where there is one.
  init(system: String?, question: String, answer: String) {
    if let system, !system.isEmpty { messages.append(ChatMessage(.system, system)) }
    messages.append(ChatMessage(.user, question))
    addAnswer(answer, counts: true)
  }

  /// Earlier turns of a conversation, each a question and its answer.
  mutating func insertHistory(_ turns: [(question: String, answer: String)]) {
    var earlier = ConversationRecord()
    for turn in turns {
      earlier.messages.append(ChatMessage(.user, turn.question))
      earlier.addAnswer(turn.answer, counts: true)
    }
    messages.insert(contentsOf: earlier.messages, at: messages.first?.role == .system ? 1 : 0)
    answersCount.insert(contentsOf: earlier.answersCount, at: 0)
    found.formUnion(earlier.found)
  }

  private init() {}

  /// Messages with `role` and `content` (OpenAI), or `from` and `value` (ShareGPT).
  ///
  /// - Parameter tools: functions that the model may call, for the system message.
  /// - Throws: the reason why it cannot be used, and the key near which it stands.
  package init(_ list: [JSONValue], system: String? = nil, tools: [JSONValue] = []) throws(FormProblem) {
    if let system, !system.isEmpty { addSystem(system) }
    for (number, value) in list.enumerated() {
      do throws(FormProblem) { try add(value) } catch {
        throw FormProblem("message \(number + 1) \(error.problem)", near: error.key, occurrence: number)
      }
    }
    // One whose answers are empty texts is no error; it is left out as texts without a word are.
    guard !answersCount.isEmpty || hasEmptyText else {
      throw FormProblem(
        found.contains(.emptyTurns)
          ? "every message of the assistant has null content and no calls" : "no message has the role assistant")
    }
    if !tools.isEmpty {
      found.insert(.calls)
      addSystem(ToolTurns.description(of: tools))
    }
  }

  private mutating func addSystem(_ text: String) {
    if let place = messages.firstIndex(where: { $0.role == .system }) {
      messages[place].content += "\n\n" + text
    } else {
      messages.insert(ChatMessage(.system, text), at: 0)
    }
  }

  /// Adds an answer that says something; to learn an empty one would be to learn silence.
  private mutating func addAnswer(_ text: String, counts: Bool) {
    guard !text.allSatisfy(\.isWhitespace) else {
      hasEmptyText = true
      found.insert(.emptyTurns)
      // The question goes with it: two users in a row are no conversation to many templates.
      if let last = messages.last, last.role == .user, !ToolTurns.endsWithResponse(last) { messages.removeLast() }
      return
    }
    messages.append(ChatMessage(.assistant, text))
    answersCount.append(counts)
  }

  private mutating func add(_ value: JSONValue) throws(FormProblem) {
    guard let message = value.object else { throw FormProblem("is \(value.kind); it must be an object") }
    let roleKey = message["role"] != nil ? "role" : "from"
    guard let name = message[roleKey] else { throw FormProblem("has no \"role\"") }
    guard let role = name.string?.lowercased() else {
      throw FormProblem("has a \"\(roleKey)\" that is \(name.kind)", near: roleKey)
    }
    let contentKey = message["content"] != nil ? "content" : "value"
    let content = try Self.text(message[contentKey], key: contentKey)
    func needed() throws(FormProblem) -> String {
      guard let content else {
        throw FormProblem(
          message[contentKey] == nil ? "has no \"content\"" : "has null content, which only the assistant may have",
          near: contentKey)
      }
      return content
    }
    switch role {
    case "system", "developer":
      // Templates take one system message, at the front.
      let text = try needed()
      if messages.isEmpty || messages.last?.role == .system {
        addSystem(text)
      } else {
        messages.append(ChatMessage(.system, text))
      }
    case "user", "human", "prompter": messages.append(ChatMessage(.user, try needed()))
    case "assistant", "gpt", "model", "bot", "chatgpt", "bing", "bard", "ai":
      try addAnswer(message, content, isMissing: message[contentKey] == nil)
    case "function_call", "tool_call":
      found.insert(.calls)
      addAnswer(ToolTurns.call(asWritten: try needed()), counts: try Self.counts(message))
    case "tool", "function", "ipython", "observation", "tool_response", "function_response":
      found.insert(.calls)
      let response = ToolTurns.response(content ?? "")
      // Results of several calls come to the model as one turn.
      if let last = messages.last, ToolTurns.endsWithResponse(last) {
        messages[messages.count - 1].content += "\n" + response
      } else {
        messages.append(ChatMessage(.user, response))
      }
    default:
      throw FormProblem(
        "has the role \(role.prefix(40).debugDescription), which is not one of system, developer, user, assistant and tool",
        near: roleKey)
    }
  }

  private mutating func addAnswer(_ message: JSONObject, _ content: String?, isMissing: Bool) throws(FormProblem) {
    var parts = [content, message["refusal"]?.string].compactMap { $0 }.filter { !$0.isEmpty }
    if let calls = message["tool_calls"], !calls.isNull {
      guard let list = calls.array else {
        throw FormProblem("has \"tool_calls\" that are \(calls.kind); they must be an array", near: "tool_calls")
      }
      for call in list { parts.append(try Self.call(call["function"] ?? call, key: "tool_calls")) }
      if !list.isEmpty { found.insert(.calls) }
    }
    if let call = message["function_call"], !call.isNull {
      parts.append(try Self.call(call, key: "function_call"))
      found.insert(.calls)
    }
    let thoughts = ["reasoning_content", "reasoning", "thinking"].lazy.compactMap { message[$0]?.string }.first
    if parts.isEmpty, content == nil, thoughts?.isEmpty ?? true {
      if isMissing, message["tool_calls"] == nil { throw FormProblem("has no \"content\"") }
      found.insert(.emptyTurns)
      return
    }
    var text = parts.joined(separator: "\n")
    if let thoughts, !thoughts.isEmpty {
      found.insert(.reasoning)
      text = "<think>\n\(thoughts)\n</think>\n\n" + text
    }
    addAnswer(text, counts: try Self.counts(message))
  }

  private static func call(_ function: JSONValue, key: String) throws(FormProblem) -> String {
    guard let name = function["name"]?.string else { throw FormProblem("has a call without a \"name\"", near: key) }
    return ToolTurns.call(name, arguments: function["arguments"])
  }

  /// Whether the answer counts in the loss: OpenAI's `weight` (0 or 1), or `train` (true or false).
  private static func counts(_ message: JSONObject) throws(FormProblem) -> Bool {
    for key in ["weight", "train"] {
      switch message[key] {
      case nil, .null?: continue
      case .bool(let value)?: return value
      case let value?:
        switch value.number {
        case 0: return false
        case 1: return true
        default: throw FormProblem("has a \"\(key)\" of \(value.text), which must be 0 or 1", near: key)
        }
      }
    }
    return true
  }

  /// A content: text, parts of text, or null.
  private static func text(_ content: JSONValue?, key: String) throws(FormProblem) -> String? {
    switch content {
    case nil, .null?: return nil
    case .string(let text)?: return text
    case .array(let parts)?:
      var texts: [String] = []
      for part in parts {
        if let text = part.string {
          texts.append(text)
          continue
        }
        let type = part["type"]?.string ?? "text"
        guard ["text", "input_text", "output_text", "refusal"].contains(type) else {
          throw FormProblem(
            "has a part of the type \(type.prefix(40).debugDescription); only text is supported", near: "type")
        }
        guard let text = part["text"]?.string ?? part["refusal"]?.string else {
          throw FormProblem("has a part without \"text\"", near: key)
        }
        texts.append(text)
      }
      return texts.joined(separator: "\n")
    case let value?:
      throw FormProblem("has a \"\(key)\" that is \(value.kind); it must be a text or an array of parts", near: key)
    }
  }
}

/// Why a record is in no form that can be learnt, and near which key that shows.
package struct FormProblem: Error {
  package let problem: String
  let key: String?
  /// Which of the places where the key stands, from 0.
  let occurrence: Int

  init(_ problem: String, near key: String? = nil, occurrence: Int = 0) {
    self.problem = problem
    self.key = key
    self.occurrence = occurrence
  }
}
