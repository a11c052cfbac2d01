import MartletCheckpoints

/// How functions, calls and their results stand in a conversation of plain text turns: the form that Hermes and Qwen
/// models are trained on.
public enum ToolTurns {
  /// The functions as a part of the system message.
  /// - Parameter functions: each as OpenAI has it: `{"type": "function", "function": {...}}`.
  public static func description(of functions: [JSONValue]) -> String {
    """
    # Tools

    You may call one or more functions to assist with the user query.

    You are provided with function signatures within <tools></tools> XML tags:
    <tools>
    \(functions.map(\.text).joined(separator: "\n"))
    </tools>

    For each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:
    <tool_call>
    {"name": <function-name>, "arguments": <args-json-object>}
    </tool_call>
    """
  }

  /// A call as a part of an assistant's turn.
  /// - Parameter arguments: often JSON inside a string; an empty one means none. What is no JSON stays a string.
  public static func call(_ name: String, arguments: JSONValue?) -> String {
    var arguments = arguments ?? [:]
    if let text = arguments.string {
      arguments = text.allSatisfy(\.isWhitespace) ? [:] : (try? JSONValue(parsing: text)) ?? .string(text)
    }
    if arguments.isNull { arguments = [:] }
    return "<tool_call>\n{\"name\": \(JSONValue.string(name).text), \"arguments\": \(arguments.text)}\n</tool_call>"
  }

  /// A result, as a part of a user's turn.
  public static func response(_ text: String) -> String { "<tool_response>\n\(text)\n</tool_response>" }

  /// Whether a turn ends with a result, so that the next result belongs into it.
  public static func endsWithResponse(_ turn: ChatMessage) -> Bool {
    turn.role == .user && turn.content.hasSuffix("</tool_response>")
  }
}
