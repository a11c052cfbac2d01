import ArgumentParser
import Foundation
import MartletEditing
import MartletEngine
import MartletModels

struct Chat: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "chat",
    abstract: "Talks with a model.",
    discussion: """
      Type a message and press return. Commands: /help, /history, /edit N TEXT (change message N and forget what \
      followed), /undo, /retry, /system TEXT, /save FILE, /load FILE, /fork (go on in a copy; /back returns), \
      /reset, /quit.

      Example: martlet chat SmolLM2-135M-Instruct --system "Answer briefly."
      """)

  @OptionGroup var options: ModelOptions
  @OptionGroup var sampling: SamplingOptions
  @Option(help: ChatFormat.Kind.help) var chatFormat: ChatFormat.Kind?
  @OptionGroup var states: StateOptions
  @Option(help: "What the model is told first.") var system: String?
  @Option(name: [.long, .customShort("n")], help: "Most tokens of an answer.") var maxTokens = 512
  @OptionGroup var edits: AppliedEdits
  @Flag(help: "One JSON object an answer.") var json = false

  /// A conversation with the session that has read its beginning.
  struct Conversation {
    var messages: [ChatMessage] = []
    var session: Session
  }

  func run() async throws {
    let loaded = try options.load(chatFormat: chatFormat)
    let settings = try sampling.sampling(for: loaded, defaultTemperature: 0.7, defaultTopP: 0.9)
    let engine = try await edits.engine(loaded, model: options.model)
    let start = try states.start(loaded)
    var conversation = Conversation(session: Session(engine, start: start))
    if let system { conversation.messages.append(ChatMessage(.system, system)) }
    var forks: [Conversation] = []
    let interactive = isatty(0) == 1
    if interactive, !json {
      print(
        Terminal.dim(
          "\(loaded.model.description.architecture), written as \(loaded.chatFormat.name); /help lists commands"))
    }
    Terminal.catchInterrupts()
    while true {
      if interactive, !json { Terminal.write(Terminal.bold("> ")) }
      guard let line = readLine() else { break }
      Terminal.clearInterrupt()
      let text = line.trimmingCharacters(in: .whitespaces)
      if text.isEmpty { continue }
      if text.hasPrefix("/") {
        do {
          switch try command(text, &conversation, &forks, engine) {
          case .done: continue
          case .quit: return
          case .answer: break
          }
        } catch {
          print("\(error)")
          continue
        }
      } else {
        conversation.messages.append(ChatMessage(.user, text))
      }
      try await answer(&conversation, loaded, settings, engine)
    }
  }

  private enum Outcome { case done, answer, quit }

  private func command(
    _ text: String, _ conversation: inout Conversation, _ forks: inout [Conversation], _ engine: Engine
  ) throws -> Outcome {
    let parts = text.split(separator: " ", maxSplits: 1)
    let rest = parts.count > 1 ? String(parts[1]) : ""
    switch parts[0] {
    case "/help":
      print("/history /edit N TEXT /undo /retry /system TEXT /save FILE /load FILE /fork /back /reset /quit")
    case "/history":
      for (index, message) in conversation.messages.enumerated() {
        print("\(index + 1). \(message.role.rawValue): \(message.content)")
      }
    case "/edit":
      let words = rest.split(separator: " ", maxSplits: 1)
      guard words.count == 2, let number = Int(words[0]), conversation.messages.indices.contains(number - 1) else {
        print("/edit wants the number of a message (see /history) and its new text")
        return .done
      }
      conversation.messages.removeSubrange(number...)
      conversation.messages[number - 1].content = String(words[1])
      return conversation.messages[number - 1].role == .user ? .answer : .done
    case "/undo":
      while let last = conversation.messages.popLast(), last.role != .user {}
    case "/retry":
      if conversation.messages.last?.role == .assistant { conversation.messages.removeLast() }
      return conversation.messages.last?.role == .user ? .answer : .done
    case "/system":
      conversation.messages.removeAll { $0.role == .system }
      if !rest.isEmpty { conversation.messages.insert(ChatMessage(.system, rest), at: 0) }
    case "/save":
      guard !rest.isEmpty else {
        print("/save wants a file name")
        return .done
      }
      try conversation.session.save(to: rest)
      try JSONEncoder().encode(conversation.messages).write(to: URL(fileURLWithPath: rest + ".json"), options: .atomic)
      print(Terminal.dim("saved to \(rest) and \(rest).json"))
    case "/load":
      let session = try Session(engine, restoring: rest)
      guard let data = FileManager.default.contents(atPath: rest + ".json"),
        let messages = try? JSONDecoder().decode([ChatMessage].self, from: data)
      else { throw ModelError("\(rest).json, which /save wrote beside it, is missing or damaged") }
      conversation = Conversation(messages: messages, session: session)
      print(Terminal.dim("\(messages.count) messages"))
    case "/fork":
      forks.append(conversation)
      print(Terminal.dim("this is a copy; /back returns to the original"))
    case "/back":
      if let original = forks.popLast() { conversation = original } else { print("there is nothing to go back to") }
    case "/reset":
      conversation = Conversation(
        messages: conversation.messages.filter { $0.role == .system },
        session: Session(engine, start: conversation.session.start))
    case "/quit", "/exit": return .quit
    default: print("\(parts[0]) is not a command; /help lists them")
    }
    return .done
  }

  private func answer(
    _ conversation: inout Conversation, _ loaded: LoadedModel, _ settings: Sampling, _ engine: Engine
  ) async throws {
    let tokens = try loaded.chatFormat.encode(conversation.messages, tokenizer: loaded.tokenizer)
    // Only what is new is read, as long as the conversation went on from what the session has seen.
    var session = conversation.session
    if session.tokens.count < tokens.count, tokens.starts(with: session.tokens) {
      session.append(Array(tokens[session.tokens.count...]))
    } else {
      session = Session(engine, start: session.start)
      session.append(tokens)
    }
    var reply = ""
    let completion = try await session.generate(
      sampling: settings, maxTokens: maxTokens, stops: loaded.chatFormat.stops,
      question: Question(conversation.messages)
    ) { piece in
      // An answer often starts with a space or line break of the format.
      let piece = reply.isEmpty ? String(piece.drop { $0.isWhitespace }) : piece
      reply += piece
      if !json { Terminal.write(piece) }
    }
    conversation.session = session
    conversation.messages.append(ChatMessage(.assistant, reply))
    if json {
      try Terminal.printJSON([
        "text": reply, "reason": completion.reason.rawValue, "prompt_tokens": completion.promptTokens,
        "completion_tokens": completion.tokens.count, "edit": completion.edit?.json ?? NSNull(),
      ])
    } else {
      print()
    }
  }
}
