import MartletModels
import Synchronization

/// A conversation with a model: the messages, and the state of the model after reading them.
///
/// It is a thread-safe class, so an actor or a `@MainActor` class can hold one and read its history at any time:
///
/// ```swift
/// let conversation = Conversation(engine, instructions: "Answer briefly.")
/// for try await piece in conversation.reply(to: "Who was Ada Lovelace?") { print(piece, terminator: "") }
/// print(conversation.messages.count)  // 3: the instructions, the question and the answer
/// ```
///
/// For each reply the model reads only the new messages. When the model's context is full, the oldest questions are
/// omitted together with their answers.
///
/// If a reply is cancelled (its task is cancelled or its sequence is released), the text so far stays in the history;
/// if there is none, the question is removed. If a reply fails, its question and the text so far are removed. There is
/// only one reply at a time: asking again or changing the history cancels the current reply.
public final class Conversation: Sendable {
  /// The settings of replies.
  public struct Settings: Sendable {
    /// How tokens are chosen. Every reply starts with the same seed; to get a different reply at a temperature above 0,
    /// change the seed.
    public var sampling = Sampling()
    /// The largest number of tokens of a reply.
    public var maxTokens = 512
    /// Texts that end a reply, in addition to those of the model's chat format.
    public var stops: [String] = []
    /// Whether a ``Calculator`` writes the values of expressions such as `<<48/2=`.
    public var calculates = false
    /// The largest number of tokens of prompt and reply together; nil uses the model's context length.
    public var contextLimit: Int?

    /// Greedy decoding of at most 512 tokens within the model's context.
    public init() {}
  }

  /// The engine that generates the replies.
  public let engine: Engine
  private let content: Mutex<Content>

  fileprivate struct Content: Sendable {
    var messages: [ChatMessage]
    var settings: Settings
    /// What the model has read.
    var text: TextState
    /// The part of the messages that the model reads.
    var window = ContextWindow()
    var replies = 0
    var running: Running?
  }

  /// The reply that is being generated.
  fileprivate struct Running: Sendable {
    let number: Int
    /// The text that the model reads.
    let text: TextState
    let request: Request
    /// The text so far, including the earlier text if the reply continues an answer.
    var said: String
    /// The messages and the window to which the conversation returns if there is no reply.
    let before: [ChatMessage]
    let window: ContextWindow
    let cancel: @Sendable () -> Void
  }

  private init(_ engine: Engine, _ content: Content) {
    self.engine = engine
    self.content = Mutex(content)
  }

  /// An empty conversation.
  /// - Parameters:
  ///   - engine: the engine that generates the replies; several conversations share its batch and its cache.
  ///   - instructions: the system message; nil for none.
  ///   - start: the state at the beginning of the text, in place of the empty state.
  ///   - settings: the settings of replies.
  public convenience init(
    _ engine: Engine, instructions: String? = nil, start: StartState? = nil, settings: Settings = Settings()
  ) {
    self.init(engine, Content(messages: [], settings: settings, text: TextState(start: start)))
    self.instructions = instructions
  }

  /// An empty conversation with its own engine.
  /// - Parameters:
  ///   - loaded: the model.
  ///   - instructions: the system message; nil for none.
  ///   - settings: the settings of replies.
  public convenience init(_ loaded: LoadedModel, instructions: String? = nil, settings: Settings = Settings()) {
    self.init(Engine(loaded), instructions: instructions, settings: settings)
  }

  /// Continues a conversation that ``save(to:model:replaces:)`` or `martlet chat` saved, or a JSON array of messages
  /// with `role` and `content`.
  /// - Throws: ``EngineError`` or `FileError` that names the file and the position in it.
  public convenience init(_ engine: Engine, restoring path: String, settings: Settings = Settings()) throws {
    let messages = try ConversationFile.read(path).messages
    self.init(engine, Content(messages: messages, settings: settings, text: TextState()))
  }

  // MARK: replies

  /// Adds a user message and generates the reply. A previous question without an answer is removed.
  public func reply(to message: String) -> Reply {
    start { content in
      if content.messages.last?.role == .user { content.messages.removeLast() }
      content.messages.append(ChatMessage(.user, message))
      return ""
    }
  }

  /// Generates a reply to the last question, in place of an existing one.
  ///
  /// The reply throws ``EngineError`` if there is none.
  public func reply() -> Reply {
    start { content in
      if content.messages.last?.role == .assistant { content.messages.removeLast() }
      guard content.messages.last?.role == .user else { throw EngineError("there is no question to answer") }
      return ""
    }
  }

  /// Continues the last answer if it was truncated or cancelled.
  ///
  /// The reply throws ``EngineError`` if there is none.
  public func continueReply() -> Reply {
    start { content in
      guard content.messages.last?.role == .assistant else { throw EngineError("there is no answer to continue") }
      return content.messages.removeLast().content
    }
  }

  /// - Parameter prepare: changes the messages to those before the reply and returns the beginning of the reply.
  private func start(_ prepare: (inout Content) throws -> String) -> Reply {
    content.withLock { content in
      content.breakOff(isFailure: false)
      let before = content.messages, window = content.window
      do {
        let begun = try prepare(&content)
        let (text, request) = try content.ask(engine, begun: begun)
        let (events, cancel) = try engine.start([request])[0]
        content.replies += 1
        content.running = Running(
          number: content.replies, text: text, request: request, said: begun, before: before, window: window,
          cancel: cancel)
        return Reply(ReplyTurn(events, owner: self, number: content.replies))
      } catch {
        content.messages = before
        content.window = window
        return Reply(failing: error)
      }
    }
  }

  // MARK: history

  /// The messages, oldest first. Instructions are a system message at the beginning. The current reply is included only
  /// after it has ended.
  ///
  /// A change in place, such as `messages.append(_:)`, cancels the current reply first, so the text so far is in the
  /// history that is changed; if there is none, the question stays without an answer. Assigning an array replaces the
  /// whole history, including the text so far.
  public var messages: [ChatMessage] {
    get { content.withLock { $0.messages } }
    set { edit { $0.messages = newValue } }
    _modify {
      var changed = content.withLock { content in
        content.breakOffForChange()
        return content.messages
      }
      defer { edit { $0.messages = changed } }
      yield &changed
    }
  }

  /// The system message; nil for none.
  public var instructions: String? {
    get { messages.first { $0.role == .system }?.content }
    set {
      edit { content in
        content.messages.removeAll { $0.role == .system }
        if let newValue { content.messages.insert(ChatMessage(.system, newValue), at: 0) }
      }
    }
  }

  /// Removes the last question and its answer.
  /// - Throws: ``EngineError`` if there is no question.
  public func removeLastTurn() throws {
    try edit { content in
      guard let last = content.messages.lastIndex(where: { $0.role == .user }) else {
        throw EngineError("there is no question to remove")
      }
      content.messages.removeSubrange(last...)
    }
  }

  /// Changes a message and removes all later messages.
  /// - Parameters:
  ///   - index: the index in ``messages``.
  ///   - text: the new text of the message.
  /// - Throws: ``EngineError`` if there is no such message.
  public func replaceMessage(at index: Int, with text: String) throws {
    try edit { content in
      guard content.messages.indices.contains(index) else { throw EngineError("there is no message \(index)") }
      content.messages.removeSubrange((index + 1)...)
      content.messages[index].content = text
    }
  }

  private func edit<Failure: Error>(_ body: (inout Content) throws(Failure) -> Void) throws(Failure) {
    try content.withLock { content throws(Failure) in
      // A change that throws changes nothing, and the current reply continues.
      var next = content
      next.settle(isFailure: false)
      try body(&next)
      next.window = ContextWindow()
      content.running?.cancel()
      content = next
    }
  }

  /// Whether a reply is being generated.
  public var isReplying: Bool { content.withLock { $0.running != nil } }

  /// The number of messages at the beginning that the model no longer reads, because its context is full. Instructions
  /// are always kept.
  public var forgottenCount: Int { content.withLock { $0.window.forgotten } }

  /// The settings of replies, which take effect with the next reply.
  public var settings: Settings {
    get { content.withLock { $0.settings } }
    set { content.withLock { $0.settings = newValue } }
  }

  /// An independent copy without the current reply; an answer that the reply replaces or continues is in it. O(messages):
  /// the model's state is shared.
  public func fork() -> Conversation {
    var copy = content.withLock { $0 }
    copy.messages = copy.settledMessages
    copy.running = nil
    return Conversation(engine, copy)
  }

  /// Removes all messages except the instructions.
  public func reset() {
    edit { content in
      content.messages.removeAll { $0.role != .system }
      content.text = TextState(start: content.text.start)
    }
  }

  /// Saves the messages as JSON in the format of `martlet chat`. The file gets its name only when it is complete. The
  /// model's state is not saved; the messages are read again after ``init(_:restoring:settings:)``.
  /// - Parameters:
  ///   - path: the path of the file.
  ///   - model: the name of the model to record in the file; nil omits it.
  ///   - replaces: whether an existing file may be replaced.
  /// - Throws: `FileError` if the file cannot be written.
  public func save(to path: String, model: String? = nil, replaces: Bool = true) throws {
    try ConversationFile.write(content.withLock { $0.settledMessages }, model: model, to: path, replaces: replaces)
  }
}

extension Conversation.Content {
  /// The text that the model reads for a reply, and the request for it.
  /// - Throws: ``EngineError`` when the last question alone does not fit, ``ModelError`` when the chat template refuses it.
  fileprivate mutating func ask(_ engine: Engine, begun: String) throws -> (text: TextState, request: Request) {
    let loaded = engine.loaded
    let limit = [settings.contextLimit, loaded.model.description.contextLength].compactMap { $0 }.min()
    let (tokens, _) = try window.fit(messages, limit: limit, room: settings.maxTokens) {
      try loaded.chatFormat.encode($0, begun: begun, tokenizer: loaded.tokenizer)
    }
    // Only new tokens are read if the conversation continues the text that the model has read.
    var text = self.text
    if text.tokens.count < tokens.count, tokens.starts(with: text.tokens) {
      text.append(Array(tokens[text.tokens.count...]))
    } else {
      text = TextState(start: text.start)
      text.append(tokens)
    }
    var request = text.request(calculatingBy: settings.calculates ? loaded.tokenizer : nil)
    request.sampling = settings.sampling
    request.maxTokens = limit.map { min(settings.maxTokens, $0 - tokens.count) } ?? settings.maxTokens
    request.stops = settings.stops + loaded.chatFormat.stops
    request.question = Question(messages, begun: begun)
    return (text, request)
  }

  /// The messages, with an answer that the current reply replaces or continues.
  fileprivate var settledMessages: [ChatMessage] {
    guard let running, messages.count < running.before.count else { return messages }
    return running.before
  }

  /// Cancels the current reply and settles the history.
  fileprivate mutating func breakOff(isFailure: Bool) {
    running?.cancel()
    settle(isFailure: isFailure)
  }

  /// Cancels the current reply before the history is changed in place. Every message that `messages` has shown keeps its
  /// index, and the text so far is appended.
  fileprivate mutating func breakOffForChange() {
    guard let running else { return }
    guard running.said.isEmpty else { return breakOff(isFailure: false) }
    running.cancel()
    messages = settledMessages
    self.running = nil
  }

  /// Keeps the text so far of the current reply; if there is none, or the reply has failed, the question is removed.
  fileprivate mutating func settle(isFailure: Bool) {
    guard let running else { return }
    self.running = nil
    if isFailure || running.said.isEmpty {
      messages = running.before
      window = running.window
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

  func end(_ completion: Completion, ofReply number: Int) async -> Bool {
    guard let running = content.withLock({ $0.running }), running.number == number else { return false }
    let text = await running.text.adding(completion, of: running.request, on: engine)
    return content.withLock { content in
      guard content.running?.number == number else { return false }
      content.running = nil
      content.text = text
      content.messages.append(ChatMessage(.assistant, running.said))
      return true
    }
  }

  func breakOff(reply number: Int, isFailure: Bool) {
    content.withLock { if $0.running?.number == number { $0.breakOff(isFailure: isFailure) } }
  }
}
