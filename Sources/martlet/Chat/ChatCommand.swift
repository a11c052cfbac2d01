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
    ("/history", "", "shows the conversation, its messages numbered"),
    ("/edit", "N TEXT", "changes message N, forgets what followed, and asks again"),
    ("/undo", "", "takes back the last question with its answer"),
    ("/retry", "", "answers the last question again, in other words at a temperature above 0"),
    ("/continue", "", "goes on with an answer that was cut"),
    ("/system", "TEXT", "what the model is told first; without TEXT nothing"),
    ("/set", "NAME VALUE", "changes a setting (temperature, top_p, max_tokens, ...); without NAME shows all"),
    ("/save", "FILE", "writes the conversation as JSON; /save! replaces a file that is there"),
    ("/load", "FILE", "goes on with a conversation that /save wrote, or a JSON list of messages"),
    ("/fork", "", "goes on in a copy of the conversation"),
    ("/back", "", "returns to the conversation that was copied"),
    ("/reset", "", "forgets the conversation but for what the model is told first; /clear does the same"),
    ("/quit", "", "leaves, as Ctrl-D does; /exit and /bye do the same"),
  ]

  static var names: [String] { all.map(\.name) + ["/save!", "/clear", "/exit", "/bye"] }

  static let keys = """
    A line that begins with a space is sent though it begins with /. \""" begins a message of several lines, and \""" \
    ends it; so does a backslash at a line's end, or Alt-Enter. Pasted text stays one message.
    Ctrl-C stops an answer and keeps what was said; twice at an empty prompt, or Ctrl-D, leaves.
    Keys: arrows (up and down show earlier lines), Ctrl-R searches them, Ctrl-A and Ctrl-E go to the line's ends, Alt-B \
    and Alt-F by words, Ctrl-W, Ctrl-U and Ctrl-K cut, Ctrl-Y puts in again, Ctrl-L clears the screen, Tab completes \
    commands.
    """

  /// - Parameter line: begins with `/`.
  /// - Throws: ``LineError`` saying what is wrong.
  init(_ line: String) throws {
    let space = line.firstIndex(where: \.isWhitespace) ?? line.endIndex
    let name = String(line[..<space])
    let rest = line[space...].trimmed
    func needsNone(_ command: ChatCommand) throws -> ChatCommand {
      guard rest.isEmpty else { throw LineError("\(name) takes nothing behind it, but \"\(rest)\" was given") }
      return command
    }
    func needs(_ what: String) throws -> String {
      guard !rest.isEmpty else { throw LineError("\(name) wants \(what), e.g. \(name) \(what)") }
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
          "/edit wants the number of a message (see /history) and its new text, e.g. /edit 1 Who are you?")
      }
      self = .edit(number, parts[1].trimmed)
    case "/set":
      let parts = rest.split(maxSplits: 1) { $0.isWhitespace || $0 == "=" }
      guard parts.count != 1 else {
        throw LineError("/set wants a name and a value, e.g. /set temperature 0.8; /set alone shows all")
      }
      self = parts.isEmpty ? .set("", "") : .set(String(parts[0]), parts[1].trimmed)
    default:
      throw LineError(
        "\(name) is no command" + NearestNames.question(name, among: Self.names)
          + (NearestNames.of(name, among: Self.names).isEmpty ? ";" : "")
          + " /help lists them, and a space in front sends the line to the model")
    }
  }
}

extension StringProtocol {
  /// Without white space at both ends.
  var trimmed: String {
    String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
  }
}
