import MartletEngine
import MartletModels

/// Messages as clients send them.
enum ChatMessages {
  static func read(_ list: [FieldReader]) throws -> [ChatMessage] {
    var messages: [ChatMessage] = []
    for message in list {
      func refuse(_ problem: String) -> APIError { .invalid("`\(message.place)` \(problem)", parameter: "messages") }
      guard let role = try message.string("role") else { throw refuse("has no `role`") }
      _ = try message.string("name")
      if message.has("audio") { throw message.refuse("audio", "is not supported; only text is") }
      let content = try text(message)
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
        var parts = [content, try message.string("refusal")].compactMap { $0 }.filter { !$0.isEmpty }
        let calls = try message.objects("tool_calls") ?? []
        if !calls.isEmpty { parts.append(try ToolUse.write(calls: calls)) }
        if let call = try message.object("function_call") { parts.append(try ToolUse.write(call: call)) }
        guard content != nil || !parts.isEmpty else { throw refuse("has neither `content` nor `tool_calls`") }
        messages.append(ChatMessage(.assistant, parts.joined(separator: "\n")))
      case "tool", "function":
        // A function that gives nothing back gives null.
        let result = ToolTurns.response(content ?? "")
        // Results of several calls come to the model as one turn.
        if messages.last.map(ToolTurns.endsWithResponse) == true {
          messages[messages.count - 1].content += "\n" + result
        } else {
          messages.append(ChatMessage(.user, result))
        }
      default:
        throw refuse(
          "has the role `\(role.prefix(40))`; the roles are system, developer, user, assistant, tool and function")
      }
    }
    return messages
  }

  /// The content of a message: a string, or parts of text.
  private static func text(_ message: FieldReader) throws -> String? {
    guard let content = message.value("content") else { return nil }
    switch content {
    case .string(let text): return text
    case .array:
      return try (message.objects("content") ?? []).map { part in
        guard let type = try part.string("type") else { throw part.refuse("type", "is missing") }
        guard ["text", "input_text", "output_text", "refusal"].contains(type) else {
          throw part.refuse("type", "is `\(type.prefix(40))`; only text is supported")
        }
        guard let text = try part.string("text") ?? part.string("refusal") else {
          throw part.refuse("text", "is missing")
        }
        return text
      }.joined(separator: "\n")
    default: throw message.refuse("content", "is \(content.kind); it must be a string or an array of parts")
    }
  }
}
