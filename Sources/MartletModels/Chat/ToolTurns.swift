import MartletData

/// How functions, calls and their results stand in a conversation of plain text turns: the form that Hermes and Qwen
/// models are trained on.
public enum ToolTurns {
  /// Around a call.
  public static let openCall = "<tool_call>", closeCall = "</tool_call>"

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

    For each function call, return a json object with function name and arguments within \(openCall)\(closeCall) XML tags:
    \(openCall)
    {"name": <function-name>, "arguments": <args-json-object>}
    \(closeCall)
    """
  }

  /// A call as a part of an assistant's turn.
  ///
  /// - Parameters:
  ///   - name: of the function.
  ///   - arguments: often JSON inside a string; an empty one means none. What is cut off or no JSON stays a string, so
  ///     that the conversation can go on.
  public static func call(_ name: String, arguments: JSONValue?) -> String {
    var arguments = arguments ?? [:]
    if let text = arguments.string {
      arguments = text.allSatisfy(\.isWhitespace) ? [:] : (try? JSONValue(parsing: text)) ?? .string(text)
    }
    if arguments.isNull { arguments = [:] }
    return call(asWritten: "{\"name\": \(JSONValue.string(name).text), \"arguments\": \(arguments.text)}")
  }

  /// A call whose name and arguments stand in `text` in some form.
  public static func call(asWritten text: String) -> String { "\(openCall)\n\(text)\n\(closeCall)" }

  private static let openResponse = "<tool_response>", closeResponse = "</tool_response>"

  /// A result, as a part of a user's turn.
  public static func response(_ text: String) -> String { "\(openResponse)\n\(text)\n\(closeResponse)" }

  /// Whether a turn is results, and no question.
  public static func beginsWithResponse(_ turn: ChatMessage) -> Bool {
    turn.role == .user && turn.content.hasPrefix(openResponse)
  }

  /// Whether a turn ends with a result, so that the next result belongs into it.
  public static func endsWithResponse(_ turn: ChatMessage) -> Bool {
    turn.role == .user && turn.content.hasSuffix(closeResponse)
  }
}
