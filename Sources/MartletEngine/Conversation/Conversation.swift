import MartletModels
import Synchronization

/// A conversation with a model: what was said, and the state of the model that has read it.
///
/// It is a class that locks itself, so an actor and a `@MainActor` class can hold one and read its history at any time:
///
/// ```swift
/// let conversation = Conversation(engine, instructions: "Answer briefly.")
/// for try await piece in conversation.reply(to: "Who was Ada Lovelace?") { print(piece, terminator: "") }
/// print(conversation.messages.count)  // 3: the instructions, the question and the answer
/// ```
///
/// Only what is new is read for each reply, and where the model's context is full, the oldest questions are left out with
/// their answers.
///
/// A reply that is broken off (its task was cancelled, its sequence let go) leaves in the history what was said by then;
/// where nothing was, the question is taken back. So does one that cannot go on: its question is taken back with all that
/// was said. There is one reply at a time: asking again and changing the history break off the one before.
public final class Conversation: Sendable {
  /// How replies are made.
  public struct Settings: Sendable {
    /// How tokens are chosen. Every reply begins with the same seed; another try at a temperature above 0 wants another.
    public var sampling = Sampling()
    /// Most tokens of a reply.
    public var maxTokens = 512
    /// Texts that end a reply, beside those of the model's chat format.
    public var stops: [String] = []
    /// Most tokens of prompt and reply together; nil takes the model's context.
    public var contextLimit: Int?

    /// The likeliest token each time, at most 512, within the model's context.
    public init() {}
  }

  /// What answers.
  public let engine: Engine
  private let content: Mutex<Content>

  fileprivate struct Content: Sendable {
    var messages: [ChatMessage]
    var settings: Settings
    /// What the model has read.
    var text: TextState
    /// What of the messages the model is given.
    var window = ContextWindow()
    var replies = 0
    var running: Running?
  }

  /// The reply that is being written.
  fileprivate struct Running: Sendable {
    let number: Int
    /// What the model is given.
    let text: TextState
    let request: Request
    /// What has been said, with what was said before where a reply goes on.
    var said: String
    /// The messages as they are again where there is no reply.
    let before: [ChatMessage]
  }

  private init(_ engine: Engine, _ content: Content) {
    self.engine = engine
    self.content = Mutex(content)
  }

  /// A conversation in which nothing has been said.
  /// - Parameters:
  ///   - engine: what answers; several conversations share its batch and what it remembers.
  ///   - instructions: what the model is told first, as a system message.
  ///   - start: what the text begins from in place of the empty state.
  ///   - settings: how replies are made.
  public convenience init(
    _ engine: Engine, instructions: String? = nil, start: StartState? = nil, settings: Settings = Settings()
  ) {
    self.init(engine, Content(messages: [], settings: settings, text: TextState(start: start)))
    self.instructions = instructions
  }

  /// A conversation with an engine of its own.
  /// - Parameters:
  ///   - loaded: the model that answers.
  ///   - instructions: what the model is told first, as a system message.
  ///   - settings: how replies are made.
  public convenience init(_ loaded: LoadedModel, instructions: String? = nil, settings: Settings = Settings()) {
    self.init(Engine(loaded), instructions: instructions, settings: settings)
  }

  /// Goes on with a conversation that ``save(to:model:replaces:)`` or `martlet chat` wrote, or with a JSON list of messages
  /// that have `role` and `content`.
  /// - Throws: ``EngineError`` or `CheckpointError` naming the file and the place in it.
  public convenience init(_ engine: Engine, restoring path: String, settings: Settings = Settings()) throws {
    let messages = try ConversationFile.read(path).messages
    self.init(engine, Content(messages: messages, settings: settings, text: TextState()))
  }

  // MARK: replies

  /// Says something and has it answered. A question before it that has no answer is left out.
  public func reply(to message: String) -> Reply {
    start { content in
      if content.messages.last?.role == .user { content.messages.removeLast() }
      content.messages.append(ChatMessage(.user, message))
      return ""
    }
  }

  /// Answers the last question again, or for the first time.
  ///
  /// The reply throws ``EngineError`` where there is none.
  public func reply() -> Reply {
    start { content in
      if content.messages.last?.role == .assistant { content.messages.removeLast() }
      guard content.messages.last?.role == .user else { throw EngineError("there is no question to answer") }
      return ""
    }
  }

  /// Goes on with the last answer, which was cut or broken off.
  ///
  /// The reply throws ``EngineError`` where there is none.
  public func continueReply() -> Reply {
    start { content in
      guard content.messages.last?.role == .assistant else { throw EngineError("there is no answer to continue") }
      return content.messages.removeLast().content
    }
  }

  /// - Parameter prepare: brings the messages to where the reply begins; gives back how the reply has begun.
  private func start(_ prepare: (inout Content) throws -> String) -> Reply {
    content.withLock { content in
      content.breakOff(isFailure: false)
      let before = content.messages, window = content.window
      do {
        let begun = try prepare(&content)
        let (text, request) = try content.ask(engine, begun: begun)
        let events = try engine.generate(request)
        content.replies += 1
        content.running = Running(number: content.replies, text: text, request: request, said: begun, before: before)
        return Reply(ReplyTurn(events, owner: self, number: content.replies))
      } catch {
        content.messages = before
        content.window = window
        return Reply(failing: error)
      }
    }
  }

  // MARK: history

  /// What was said, the oldest first; what the model is told is a system message at the beginning. The answer that is being
  /// written is not among them before it has ended.
  public var messages: [ChatMessage] {
    get { content.withLock { $0.messages } }
    set { edit { $0.messages = newValue } }
  }

  /// What the model is told first; nil tells it nothing.
  public var instructions: String? {
    get { messages.first { $0.role == .system }?.content }
    set {
      edit { content in
        content.messages.removeAll { $0.role == .system }
        if let newValue { content.messages.insert(ChatMessage(.system, newValue), at: 0) }
      }
    }
  }

  /// Takes back the last question with its answer.
  /// - Throws: ``EngineError`` where there is no question.
  public func removeLastTurn() throws {
    try edit { content in
      guard let last = content.messages.lastIndex(where: { $0.role == .user }) else {
        throw EngineError("there is no question to remove")
      }
      content.messages.removeSubrange(last...)
    }
  }

  /// Changes a message and forgets what followed it.
  /// - Parameters:
  ///   - index: of ``messages``.
  ///   - text: what the message says instead.
  /// - Throws: ``EngineError`` where there is no such message.
  public func replaceMessage(at index: Int, with text: String) throws {
    try edit { content in
      guard content.messages.indices.contains(index) else { throw EngineError("there is no message \(index)") }
      content.messages.removeSubrange((index + 1)...)
      content.messages[index].content = text
    }
  }

  private func edit<Failure: Error>(_ body: (inout Content) throws(Failure) -> Void) throws(Failure) {
    try content.withLock { content throws(Failure) in
      content.breakOff(isFailure: false)
      try body(&content)
      content.window = ContextWindow()
    }
  }

  /// Whether a reply is being written.
  public var isReplying: Bool { content.withLock { $0.running != nil } }

  /// How many messages at the beginning the model is not given any more, as its context is full; what it is told first
  /// stays.
  public var forgottenCount: Int { content.withLock { $0.window.forgotten } }

  /// How replies are made, from the next one on.
  public var settings: Settings {
    get { content.withLock { $0.settings } }
    set { content.withLock { $0.settings = newValue } }
  }

  /// An independent copy, without the reply that is being written. O(messages): the model's state is shared.
  public func fork() -> Conversation {
    var copy = content.withLock { $0 }
    copy.running = nil
    return Conversation(engine, copy)
  }

  /// Forgets all but what the model is told first.
  public func reset() {
    edit { content in
      content.messages.removeAll { $0.role != .system }
      content.text = TextState(start: content.text.start)
    }
  }

  /// Writes the messages as JSON, as `martlet chat` does; the file appears only when it is whole. What the model has read
  /// is not written, and is read again after ``init(_:restoring:settings:)``.
  /// - Parameters:
  ///   - path: of the file.
  ///   - model: a name of the model for those who read the file; nil leaves it out.
  ///   - replaces: whether a file that is there may be replaced.
  /// - Throws: what writing a file throws.
  public func save(to path: String, model: String? = nil, replaces: Bool = true) throws {
    try ConversationFile.write(messages, model: model, to: path, replaces: replaces)
  }
}

extension Conversation.Content {
  /// What the model is given for a reply, and the request for it.
  /// - Throws: ``EngineError`` when the last question alone does not fit, ``ModelError`` when the chat template refuses it.
  fileprivate mutating func ask(_ engine: Engine, begun: String) throws -> (text: TextState, request: Request) {
    let loaded = engine.loaded
    let limit = settings.contextLimit ?? loaded.model.description.contextLength
    let (tokens, _) = try window.fit(messages, limit: limit, room: settings.maxTokens) {
      try loaded.chatFormat.encode($0, begun: begun, tokenizer: loaded.tokenizer)
    }
    // Only what is new is read, as long as the conversation went on from what the model has read.
    var text = self.text
    if text.tokens.count < tokens.count, tokens.starts(with: text.tokens) {
      text.append(Array(tokens[text.tokens.count...]))
    } else {
      text = TextState(start: text.start)
      text.append(tokens)
    }
    var request = text.request()
    request.sampling = settings.sampling
    request.maxTokens = limit.map { min(settings.maxTokens, $0 - tokens.count) } ?? settings.maxTokens
    request.stops = settings.stops + loaded.chatFormat.stops
    request.question = Question(messages, begun: begun)
    return (text, request)
  }

  /// Ends the reply that is being written: what was said stays, and where nothing was, or the reply has failed, the question
  /// is taken back.
  fileprivate mutating func breakOff(isFailure: Bool) {
    guard let running else { return }
    self.running = nil
    if isFailure || running.said.isEmpty {
      messages = running.before
    } else {
      messages.append(ChatMessage(.assistant, running.said))
    }
  }
}

extension Conversation: ReplyOwner {
  func take(_ piece: String, ofReply number: Int) -> String? {
    content.withLock { content in
      guard let running = content.running, running.number == number else { return nil }
      // An answer often starts with a space or line break of the format.
      let piece = running.said.isEmpty ? String(piece.drop(while: \.isWhitespace)) : piece
      content.running?.said += piece
      return piece
    }
  }

  func end(_ completion: Completion, ofReply number: Int) async {
    guard let running = content.withLock({ $0.running }), running.number == number else { return }
    let text = await running.text.adding(completion, of: running.request, on: engine)
    content.withLock { content in
      guard content.running?.number == number else { return }
      content.running = nil
      content.text = text
      content.messages.append(ChatMessage(.assistant, running.said))
    }
  }

  func breakOff(reply number: Int, isFailure: Bool) {
    content.withLock { if $0.running?.number == number { $0.breakOff(isFailure: isFailure) } }
  }
}
