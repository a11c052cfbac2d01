import Foundation
import MartletEngine
import MartletModels
import MartletTestSupport
import Testing

@testable import martlet

/// What a chat does, apart from the terminal.
struct ChatTests {
  @Test func commandsAreRead() throws {
    for (line, wanted) in [
      ("/help", .help), ("/undo", .undo), ("/retry", .retry), ("/continue", .goOn),
      ("/edit 2  new text ", .edit(2, "new text")),
      ("/system Be brief.", .system("Be brief.")), ("/system", .system("")),
      ("/set temperature 0.5", .set("temperature", "0.5")),
      ("/set top_p=0.5", .set("top_p", "0.5")), ("/set", .set("", "")),
      ("/save a b.json", .save("a b.json", replaces: false)),
      ("/save! x", .save("x", replaces: true)), ("/load x", .load("x")), ("/clear", .reset), ("/bye", .quit),
      ("/exit ", .quit),
    ] as [(String, ChatCommand)] {
      #expect(try ChatCommand(line) == wanted, "\(line)")
    }
    for (line, words) in [
      ("/hlep", "did you mean /help"), ("/retyr", "/retry"), ("/etc/passwd is a file", "/etc/passwd is not a command"),
      ("/", "is not a command"), ("/HELP", "/help"), ("/edit", "/edit needs"), ("/edit x y", "/edit needs"),
      ("/edit 1", "/edit needs"),
      ("/save", "/save needs"), ("/load ", "/load needs"), ("/undo 2", "takes no argument"),
      ("/set temperature", "a name and a value"),
      ("/quit now", "takes no argument"), ("/日本", "is not a command"),
    ] {
      #expect { try ChatCommand(line) } throws: { "\($0)".contains(words) }
    }
    // Every command that there is stands in the help.
    for name in ChatCommand.names { #expect(ChatLoop.help.contains(name), "\(name)") }
  }

  @Test func settingsAreCheckedBeforeTheyHold() throws {
    var sampling = Sampling()
    sampling.temperature = 0.7
    sampling.seed = 5
    var settings = ChatSettings(sampling, maxTokens: 100)
    for (name, value) in [
      ("temperature", "1.5"), ("temp", "1.5"), ("top-p", "0.5"), ("top_k", "40"), ("max_tokens", "7"), ("seed", "9"),
      ("Repetition_Penalty", "1.1"),
    ] { try settings.set(name, to: value) }
    #expect(settings.sampling.temperature == 1.5 && settings.sampling.topP == 0.5 && settings.sampling.topK == 40)
    #expect(settings.maxTokens == 7 && settings.sampling.seed == 9 && settings.sampling.repetitionPenalty == 1.1)
    let before = settings.sampling
    for (name, value) in [
      ("temperature", "-1"), ("temperature", "warm"), ("temperature", "nan"), ("top_p", "2"), ("top_p", "0"),
      ("top_k", "-1"),
      ("top_k", "1.5"), ("max_tokens", "0"), ("max_tokens", "-7"), ("seed", "-2"), ("seed", "x"), ("tempratur", "1"),
      ("", "1"),
    ] {
      #expect(throws: (any Error).self, "\(name) \(value)") { try settings.set(name, to: value) }
    }
    #expect(settings.sampling == before)
    // Each answer draws other numbers, and a seed gives the same row of them again.
    let first = [settings.next().seed, settings.next().seed]
    try settings.set("seed", to: "9")
    #expect(first == [9, 10] && settings.next().seed == 9)
  }

  // MARK: Context

  /// Messages of `size` letters each; a letter is a token.
  private func turns(_ count: Int, system: Bool, size: Int = 10) -> [ChatMessage] {
    func text(_ number: Int) -> String {
      "\(number)".padding(toLength: size, withPad: "x", startingAt: 0)
    }
    return (system ? [ChatMessage(.system, "told")] : [])
      + (0..<count).flatMap { [ChatMessage(.user, text($0)), ChatMessage(.assistant, text($0))] }
      + [ChatMessage(.user, text(count))]
  }

  private func encode(_ messages: [ChatMessage]) -> [Int] { messages.flatMap { $0.content.utf8.map(Int.init) } }

  @Test func theOldestTurnsLeaveAndWhatIsToldStays() throws {
    for system in [false, true] {
      let messages = turns(20, system: system)
      var window = ContextWindow()
      let (tokens, leaving) = try window.fit(messages, limit: 200, room: 40, encode: encode)
      let seen = window.seen(of: messages)
      #expect(tokens.count + 40 <= 200 && tokens == encode(seen) && leaving > 0)
      #expect(seen.last == messages.last && (seen.first?.role == .system) == system)
      // Turns leave whole: behind what is told comes a question.
      #expect(seen.drop { $0.role == .system }.first?.role == .user)
      // The next question does not push again at once.
      let more = messages + [ChatMessage(.assistant, "a"), ChatMessage(.user, "b")]
      #expect(try window.fit(more, limit: 200, room: 40, encode: encode).leaving == 0)
    }
  }

  @Test func aContextThatIsLargeEnoughLosesNothing() throws {
    let messages = turns(20, system: true)
    var window = ContextWindow()
    #expect(try window.fit(messages, limit: nil, room: 1 << 30, encode: encode).leaving == 0)
    #expect(try window.fit(messages, limit: 10_000, room: 1 << 30, encode: encode).leaving == 0)
    #expect(window.seen(of: messages) == messages)
  }

  @Test func aQuestionThatCannotFitIsRefused() throws {
    var window = ContextWindow()
    let long =
      turns(3, system: true) + [ChatMessage(.assistant, "a"), ChatMessage(.user, String(repeating: "y", count: 100))]
    #expect { try window.fit(long, limit: 104, room: 10, encode: encode) } throws: {
      "\($0)".contains("104 tokens") && "\($0)".contains("system message")
    }
    // With one token of room it is asked.
    #expect(try window.fit(long, limit: 105, room: 10, encode: encode).tokens.count == 104)
    // After the long question is taken back, a window that had let go too much is put right.
    let short = turns(0, system: true)
    #expect(try window.fit(short, limit: 105, room: 10, encode: encode).tokens == encode(short))
  }

  // MARK: Files

  @Test func conversationsAreWrittenAndReadBack() throws {
    let scratch = try TestData.Scratch(), path = scratch.file("c.json")
    let messages = [
      ChatMessage(.system, "be brief"), ChatMessage(.user, "a\n\"b\" \u{1f44d} /x"), ChatMessage(.assistant, ""),
    ]
    try ConversationFile.write(messages, model: "m/n", to: path)
    let read = try ConversationFile.read(path)
    #expect(read.messages == messages && read.model == "m/n")
    try Data("\u{feff}[{\"role\":\"developer\",\"content\":\"x\"}]".utf8).write(to: URL(fileURLWithPath: path))
    #expect(try ConversationFile.read(path).messages == [ChatMessage(.system, "x")])
    for (text, words) in [
      ("", "empty"), ("{", "not a conversation"), ("{}", "no \"messages\""), ("[1]", "message 1"),
      (
        "[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"tool\",\"content\":\"b\"}]",
        "message 2 has the role \"tool\""
      ),
      ("{\"messages\":[{\"role\":\"user\"}]}", "message 1"), ("{\"messages\":{}}", "no \"messages\""),
    ] {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
      #expect { try ConversationFile.read(path) } throws: { "\($0)".contains(words) && "\($0)".contains(path) }
    }
    #expect { try ConversationFile.read("/nowhere/x") } throws: { "\($0)".contains("/nowhere/x") }
  }

  @Test func answersCannotSteerTheTerminal() {
    #expect(AnswerText.harmless("a\u{1b}[2Jb\u{7}\u{9b}31m\tc\r\nd 日本") == "a\u{fffd}[2Jb\u{fffd}\u{fffd}31m\tc\nd 日本")
  }
}
