import Foundation
import MartletEditing
import MartletEngine
import MartletModels

/// A chat that runs: reads lines, does what commands say, and has the rest answered. Nothing that a line says ends it but
/// the wish to leave.
struct ChatLoop {
  let engine: Engine
  let model: String
  let limit: Int?
  let output: ChatOutput
  let interrupts: ChatInterrupts
  /// Whether the conversation is kept for `--continue`.
  let keeps: Bool

  var input: ChatInput
  var conversation: Conversation
  var settings: ChatSettings

  private var forks: [Conversation] = []
  private var cannotKeep = false
  /// Whether something of this conversation has been saved for `--continue`.
  private var hasKept: Bool
  /// The file that this conversation was read from or written to, which `/save` may replace.
  private var file: String?
  private(set) var hasFailed = false

  init(
    engine: Engine, model: String, limit: Int?, output: ChatOutput, interrupts: ChatInterrupts, keeps: Bool,
    input: ChatInput, conversation: Conversation, settings: ChatSettings
  ) {
    self.engine = engine
    self.model = model
    self.limit = limit
    self.output = output
    self.interrupts = interrupts
    self.keeps = keeps
    hasKept = !conversation.messages.isEmpty
    self.input = input
    self.conversation = conversation
    self.settings = settings
  }

  /// - Parameter first: a message that is asked before anything is read.
  mutating func run(first: String?) async {
    if let first { await take(first) }
    var interruptions = 0
    while !StandardOutput.hasFailed {
      do {
        switch try input.next() {
        case .end: return
        case .interrupted:
          interruptions += 1
          if interruptions > 1 { return }
          output.remark("press Ctrl-C again or Ctrl-D to quit; /help lists the commands")
          continue
        case .text(let line):
          if line.hasPrefix("/") {
            guard try await perform(ChatCommand(line)) else { return }
          } else {
            await take(line)
          }
        }
      } catch {
        fail(error)
      }
      interruptions = 0
    }
  }

  private mutating func fail(_ error: any Error) {
    hasFailed = true
    output.fail(error)
  }

  /// Asks a question.
  private mutating func take(_ line: String) async {
    let text = line.trimmed
    guard !text.isEmpty else { return }
    let before = conversation.fork()
    if conversation.isUnanswered { output.remark("the previous question had no answer and was removed") }
    await answer(orElse: before) { $0.reply(to: text) }
  }

  // MARK: Commands

  /// - Returns: false to leave.
  private mutating func perform(_ command: ChatCommand) async throws -> Bool {
    switch command {
    case .help: output.say(Self.help)
    case .history: showHistory()
    case .edit(let number, let text):
      guard conversation.messages.indices.contains(number - 1) else {
        throw LineError("there is no message \(number); /history shows all messages")
      }
      let before = conversation.fork()
      try conversation.replaceMessage(at: number - 1, with: text)
      if conversation.isUnanswered { await answer(orElse: before) { $0.reply() } } else { keep() }
    case .undo:
      try conversation.removeLastTurn()
      keep()
      let left = conversation.messages.count
      output.remark("removed; \(counted(left)) \(left == 1 ? "is" : "are") left")
    case .retry: try await retry()
    case .goOn:
      guard conversation.messages.last?.role == .assistant else { throw LineError("there is no answer to continue") }
      // What there is stays on disk until there is more.
      keep()
      await answer(orElse: conversation.fork(), begun: conversation.messages.last?.content ?? "") { $0.continueReply() }
    case .system(let text):
      conversation.instructions = text.isEmpty ? nil : text
      keep()
      output.remark(
        text.isEmpty ? "the system message is removed" : "the system message applies from the next answer on")
    case .set("", _): output.say(settings.list.map { "\($0.name) \($0.value)" }.joined(separator: "\n"))
    case .set(let name, let value):
      try settings.set(name, to: value)
      output.remark("the setting applies from the next answer on")
    case .save(let path, let replaces): try save(Self.expanded(path), replaces: replaces)
    case .load(let path): try load(Self.expanded(path))
    case .fork:
      forks.append(conversation.fork())
      output.remark("this is a copy of the conversation; /back returns to the original")
    case .back:
      guard let original = forks.popLast() else {
        throw LineError("there is no original to return to; /fork makes a copy")
      }
      conversation = original
      keep()
      output.remark("this is the original again; \(counted(conversation.messages.count))")
    case .reset:
      conversation.reset()
      file = nil
      keep()
      output.remark("forgotten")
    case .quit: return false
    }
    return true
  }

  static let help: String = {
    let width = ChatCommand.all.map { $0.name.count + $0.argument.count + 1 }.max() ?? 0
    let lines = ChatCommand.all.map { command in
      "\(command.name) \(command.argument)".padding(toLength: width + 2, withPad: " ", startingAt: 0) + command.meaning
    }
    return lines.joined(separator: "\n") + "\n\n" + ChatCommand.keys
  }()

  private func showHistory() {
    if output.json {
      return output.printJSON([
        "messages": conversation.messages.map { ["role": $0.role.rawValue, "content": $0.content] }
      ])
    }
    if conversation.messages.isEmpty { return output.say("the conversation is empty") }
    for (place, message) in conversation.messages.enumerated() {
      let isForgotten = place < conversation.forgottenCount && message.role != .system
      output.say(
        "\(place + 1). \(message.role.rawValue)\(isForgotten ? " (left out, the context is full)" : ""): "
          + AnswerText.harmless(message.content))
    }
  }

  private mutating func retry() async throws {
    var messages = conversation.messages
    if messages.last?.role == .assistant { messages.removeLast() }
    guard messages.last?.role == .user else { throw LineError("there is no question to answer") }
    if settings.sampling.temperature == 0 {
      output.remark("at temperature 0 the answer is always the same; use /set temperature 0.8 for another one")
    }
    let before = conversation.fork()
    conversation.messages = messages
    await answer(orElse: before) { $0.reply() }
  }

  // MARK: Files

  private static func expanded(_ path: String) -> String {
    path.hasPrefix("~/") ? (ProcessInfo.processInfo.environment["HOME"] ?? "~") + path.dropFirst() : path
  }

  private mutating func save(_ path: String, replaces: Bool) throws {
    if !replaces, path != file, FileManager.default.fileExists(atPath: path) {
      throw LineError("\(path) exists already; /save! \(path) replaces it")
    }
    try ConversationFile.write(conversation.messages, model: model, to: path, replaces: replaces || path == file)
    file = path
    output.remark("saved to \(path); /load \(path) loads it again")
  }

  private mutating func load(_ path: String) throws {
    let (messages, _) = try ConversationFile.read(path)
    conversation.reset()
    conversation.messages = messages
    file = path
    keep()
    greet()
  }

  /// Says what a conversation that goes on consists of.
  func greet() {
    output.remark(
      "\(counted(conversation.messages.count))"
        + (conversation.isUnanswered ? "; the last question has no answer yet, /retry generates one" : ""))
  }

  private func counted(_ messages: Int) -> String { "\(messages) \(messages == 1 ? "message" : "messages")" }

  /// Saves the conversation for --continue. What was saved of it is removed once it has no question any more; before its first
  /// question the conversation before it stays.
  private mutating func keep() {
    let isEmpty = !conversation.messages.contains { $0.role == .user }
    guard keeps, hasKept || !isEmpty else { return }
    do {
      if isEmpty {
        if FileManager.default.fileExists(atPath: ConversationFile.last) {
          try FileManager.default.removeItem(atPath: ConversationFile.last)
        }
      } else {
        try MartletHome.makeFolder(of: ConversationFile.last)
        try ConversationFile.write(conversation.messages, model: model, to: ConversationFile.last)
      }
      hasKept = true
    } catch {
      if !cannotKeep { Terminal.note("Note: the conversation cannot be saved for --continue: \(error)") }
      cannotKeep = true
    }
  }

  // MARK: Answering

  /// Has the last question answered, or goes on with the last answer.
  /// - Parameters:
  ///   - before: what the conversation is again when there is no answer.
  ///   - begun: what was said of the answer before.
  ///   - begin: begins the reply.
  private mutating func answer(
    orElse before: Conversation, begun: String = "", _ begin: (Conversation) -> Reply
  ) async {
    interrupts.beginAnswer()
    let text = AnswerText(begun: begun, shows: !output.json)
    do {
      let (completion, seed) = try await complete(begin, keepsFirst: begun.isEmpty, into: text)
      let isStopped = interrupts.endAnswer()
      guard !text.value.isEmpty || !isStopped else {
        conversation = before
        keep()
        return output.remark("stopped before the first word; the question was removed")
      }
      show(text.value, completion, seed: seed)
    } catch {
      _ = interrupts.endAnswer()
      if !text.value.isEmpty, !output.json { print() }
      conversation = before
      fail(error)
    }
    keep()
  }

  /// - Returns: no completion where the answer was stopped.
  private mutating func complete(
    _ begin: (Conversation) -> Reply, keepsFirst: Bool, into text: AnswerText
  ) async throws -> (completion: Completion?, seed: UInt64) {
    var next = settings
    let sampling = next.next(), forgotten = conversation.forgottenCount
    conversation.settings.sampling = sampling
    conversation.settings.maxTokens = settings.maxTokens
    let reply = begin(conversation)
    // A question that is refused is not counted among the answers.
    if conversation.isReplying { settings = next }
    if keepsFirst { keep() }
    let leaving = conversation.forgottenCount - forgotten
    if leaving > 0 {
      output.remark(
        "the context of \(limit ?? 0) tokens is full: the \(leaving) oldest messages are left out; /reset starts a new conversation"
      )
    }
    let task = Task {
      for try await piece in reply {
        text.add(piece)
        // Nobody gets to see the rest.
        if StandardOutput.hasFailed { withUnsafeCurrentTask { $0?.cancel() } }
      }
    }
    interrupts.stopAnswer { task.cancel() }
    do {
      try await task.value
      return (reply.completion, sampling.seed)
    } catch {
      guard task.isCancelled else { throw error }
      return (nil, sampling.seed)
    }
  }

  private func show(_ answer: String, _ completion: Completion?, seed: UInt64) {
    let isFull = completion?.reason == .length && (completion?.tokens.count ?? 0) < settings.maxTokens
    if output.json {
      var object: [String: Any] = [
        "text": answer, "reason": completion?.reason.rawValue ?? "cancelled", "seed": Seed.json(seed),
      ]
      if let completion {
        object["prompt_tokens"] = completion.promptTokens
        object["completion_tokens"] = completion.tokens.count
        if completion.reason == .length { object["cut_by"] = isFull ? "context" : "max_tokens" }
        if let edit = completion.edit { object["edit"] = edit.id }
      } else {
        object["cut_by"] = "interrupt"
      }
      return output.printJSON(object)
    }
    print()
    switch completion?.reason {
    case nil, .cancelled: output.remark("stopped; /continue resumes the answer")
    case .length where isFull: output.remark("cut off: the context of \(limit ?? 0) tokens is full")
    case .length:
      output.remark(
        "cut off after \(settings.maxTokens) tokens; /continue resumes the answer, /set max_tokens raises the limit")
    case .stop: if answer.isEmpty { output.remark("the model generated no text") }
    }
  }
}

extension Conversation {
  /// Whether the last question has no answer yet.
  var isUnanswered: Bool { messages.last?.role == .user }
}
