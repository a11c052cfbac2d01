import MartletData
import MartletModels

/// What a line that begins with `/` asks for.
enum ChatCommand: Equatable {
  case help, history, undo, retry, goOn, fork, back, reset, quit
  case edit(Int, String)
  case system(String)
  /// Both empty: show all settings.
  case set(String, String)
  case save(String, replaces: Bool)
  case load(String)

  /// Name, argument and meaning of every command.
  static let all: [(name: String, argument: String, meaning: String)] = [
    ("/help", "", "shows this list"),
    ("/history", "", "shows the conversation with numbered messages"),
    ("/edit", "N TEXT", "replaces message N, removes the messages after it and generates a new answer"),
    ("/undo", "", "removes the last question and its answer"),
    ("/retry", "", "generates another answer to the last question (it differs only at a temperature above 0)"),
    ("/continue", "", "continues an answer that was cut off"),
    ("/system", "TEXT", "sets the system message; without TEXT removes it"),
    ("/set", "NAME VALUE", "changes a setting (temperature, top_p, max_tokens, ...); without NAME shows all settings"),
    ("/save", "FILE", "writes the conversation as JSON; /save! replaces an existing file"),
    ("/load", "FILE", "loads a conversation that /save wrote, or a JSON list of messages"),
    ("/fork", "", "continues in a copy of the conversation"),
    ("/back", "", "returns to the conversation that was copied"),
    ("/reset", "", "removes all messages but the system message; /clear does the same"),
    ("/quit", "", "leaves, as Ctrl-D does; /exit and /bye do the same"),
  ]

  static var names: [String] { all.map(\.name) + ["/save!", "/clear", "/exit", "/bye"] }

  static let keys = """
    A line that starts with a space is sent as a message even if / follows. \""" starts a message of several lines, \
    and \""" ends it; a backslash at the end of a line, or Alt-Enter, continues a message on a new line. Pasted text \
    stays one message. Ctrl-C stops an answer and keeps the text so far; Ctrl-C twice at an empty prompt, or Ctrl-D, \
    quits.
    Keys: up and down recall earlier lines, Ctrl-R searches them, Ctrl-A and Ctrl-E move to the ends of the line, \
    Alt-B and Alt-F move by words, Ctrl-W, Ctrl-U and Ctrl-K cut, Ctrl-Y pastes, Ctrl-L clears the screen, Tab \
    completes commands.
    """

  /// - Parameter line: begins with `/`.
  /// - Throws: ``LineError`` saying what is wrong.
  init(_ line: String) throws {
    let space = line.firstIndex(where: \.isWhitespace) ?? line.endIndex
    let name = String(line[..<space])
    let rest = line[space...].trimmed
    func needsNone(_ command: ChatCommand) throws -> ChatCommand {
      guard rest.isEmpty else { throw LineError("\(name) takes no argument, but \"\(rest)\" was given") }
      return command
    }
    func needs(_ what: String) throws -> String {
      guard !rest.isEmpty else { throw LineError("\(name) needs \(what), e.g. \(name) \(what)") }
      return rest
    }
    switch name {
    case "/help", "/?": self = .help
    case "/history": self = try needsNone(.history)
    case "/undo": self = try needsNone(.undo)
    case "/retry": self = try needsNone(.retry)
    case "/continue": self = try needsNone(.goOn)
    case "/fork": self = try needsNone(.fork)
    case "/back": self = try needsNone(.back)
    case "/reset", "/clear": self = try needsNone(.reset)
    case "/quit", "/exit", "/bye": self = try needsNone(.quit)
    case "/system": self = .system(rest)
    case "/save": self = .save(try needs("FILE"), replaces: false)
    case "/save!": self = .save(try needs("FILE"), replaces: true)
    case "/load": self = .load(try needs("FILE"))
    case "/edit":
      let parts = rest.split(maxSplits: 1, whereSeparator: \.isWhitespace)
      guard parts.count == 2, let number = Int(parts[0]) else {
        throw LineError(
          "/edit needs the number of a message (see /history) and its new text, e.g. /edit 1 Who are you?")
      }
      self = .edit(number, parts[1].trimmed)
    case "/set":
      let parts = rest.split(maxSplits: 1) { $0.isWhitespace || $0 == "=" }
      guard parts.count != 1 else {
        throw LineError("/set needs a name and a value, e.g. /set temperature 0.8; /set alone shows all settings")
      }
      self = parts.isEmpty ? .set("", "") : .set(String(parts[0]), parts[1].trimmed)
    default:
      throw LineError(
        "\(name) is not a command" + NearestNames.question(name, among: Self.names)
          + (NearestNames.of(name, among: Self.names).isEmpty ? ";" : "")
          + " /help lists them, and a leading space sends the line to the model")
    }
  }
}

extension StringProtocol {
  /// Without white space at both ends.
  var trimmed: String {
    String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
  }
}
