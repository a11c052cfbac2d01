import MartletEngine
import MartletModels

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
