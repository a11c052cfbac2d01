import MartletData

/// How functions, calls and their results are written in a conversation of plain text: the format that Hermes and Qwen
/// models are trained on.
public enum ToolTurns {
  /// The marks around a call.
  public static let openCall = "<tool_call>", closeCall = "</tool_call>"

  /// The description of the functions, as a part of the system message.
  /// - Parameter functions: the functions in OpenAI's format: `{"type": "function", "function": {...}}`.
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

  /// A call, as a part of an assistant message.
  ///
  /// - Parameters:
  ///   - name: the name of the function.
  ///   - arguments: the arguments, often as JSON inside a string; an empty string means no arguments. Text that is not
  ///     valid JSON, e.g. because it was truncated, remains a string, so that the conversation can continue.
  public static func call(_ name: String, arguments: JSONValue?) -> String {
    var arguments = arguments ?? [:]
    if let text = arguments.string {
      arguments = text.allSatisfy(\.isWhitespace) ? [:] : (try? JSONValue(parsing: text)) ?? .string(text)
    }
    if arguments.isNull { arguments = [:] }
    return call(asWritten: "{\"name\": \(JSONValue.string(name).text), \"arguments\": \(arguments.text)}")
  }

  /// A call whose name and arguments are given as a text in some format.
  public static func call(asWritten text: String) -> String { "\(openCall)\n\(text)\n\(closeCall)" }

  private static let openResponse = "<tool_response>", closeResponse = "</tool_response>"

  /// A result, as a part of a user message.
  public static func response(_ text: String) -> String { "\(openResponse)\n\(text)\n\(closeResponse)" }

  /// Whether a message contains results and not a question.
  public static func beginsWithResponse(_ turn: ChatMessage) -> Bool {
    turn.role == .user && turn.content.hasPrefix(openResponse)
  }

  /// Whether a message ends with a result, so that the next result is appended to it.
  public static func endsWithResponse(_ turn: ChatMessage) -> Bool {
    turn.role == .user && turn.content.hasSuffix(closeResponse)
  }
}
