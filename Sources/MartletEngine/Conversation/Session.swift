import MartletModels
import MartletTokenizers
import Synchronization

/// A text that a model continues, without messages and without a chat template, for base models and for saving states.
/// For questions and answers use ``Conversation``.
///
/// ```swift
/// let session = Session(engine)
/// session.append("Once upon a time")
/// let other = session.fork()  // for a second continuation, without reading the text again
/// for try await piece in session.generate(maxTokens: 100) { print(piece, terminator: "") }
/// ```
///
/// There is only one reply at a time: generating again or appending cancels the current reply.
public final class Session: Sendable {
  /// The engine that generates.
  public let engine: Engine
  private let content: Mutex<Content>

  private struct Content: Sendable {
    var text: TextState
    var replies = 0
    /// The reply that is being written, with what it goes on from.
    var running: (number: Int, request: Request, cancel: @Sendable () -> Void)?

    /// Cancels the current reply.
    mutating func breakOff() {
      running?.cancel()
      running = nil
    }
  }

  private init(_ engine: Engine, text: TextState) {
    self.engine = engine
    content = Mutex(Content(text: text))
  }

  /// An empty text.
  /// - Parameters:
  ///   - engine: the engine that generates.
  ///   - start: the state at the beginning of the text, in place of the empty state.
  public convenience init(_ engine: Engine, start: StartState? = nil) {
    self.init(engine, text: TextState(start: start))
  }

  /// Continues from a file that ``save(to:replaces:)`` wrote for the same model.
  /// - Throws: `FileError` if the file is damaged or belongs to another model.
  public convenience init(_ engine: Engine, restoring path: String) throws {
    self.init(engine, text: try TextState(restoring: path, model: engine.loaded.model))
  }

  /// The tokens of the text.
  public var tokens: [Int] { content.withLock { $0.text.tokens } }

  /// The state at the beginning of the text, in place of the empty state.
  public var start: StartState? { content.withLock { $0.text.start } }

  /// An independent copy of the text so far. O(1): states are never changed in place once shared.
  public func fork() -> Session { Session(engine, text: content.withLock { $0.text }) }

  /// Appends tokens, which the model reads at the next generation.
  public func append(_ tokens: [Int]) {
    content.withLock { content in
      content.breakOff()
      content.text.append(tokens)
    }
  }

  /// Appends a text, which the model reads at the next generation. At the beginning the begin-of-text token is added in
  /// front.
  public func append(_ text: String) {
    let loaded = engine.loaded
    content.withLock { content in
      content.breakOff()
      content.text.append(
        content.text.tokens.isEmpty
          ? PromptFormat.raw(text, for: loaded) : loaded.tokenizer.encode(text, special: false))
    }
  }

  /// Generates a continuation. It becomes part of the text when it has ended; a cancelled one leaves the text
  /// unchanged.
  /// - Parameters:
  ///   - sampling: how tokens are chosen; the default is greedy decoding.
  ///   - maxTokens: the largest number of tokens of the answer.
  ///   - stops: texts that end the answer and are not part of it.
  ///   - calculates: whether a ``Calculator`` writes the values of expressions such as `<<48/2=`.
  ///   - question: the question, if the engine's ``InterventionSource`` may change the answer.
  public func generate(
    sampling: Sampling = Sampling(), maxTokens: Int = 256, stops: [String] = [], calculates: Bool = false,
    question: Question? = nil
  ) -> Reply {
    content.withLock { content in
      var request = content.text.request(calculatingBy: calculates ? engine.loaded.tokenizer : nil)
      request.sampling = sampling
      request.maxTokens = maxTokens
      request.stops = stops
      request.question = question
      do {
        let (events, cancel) = try engine.start([request])[0]
        content.breakOff()
        content.replies += 1
        content.running = (content.replies, request, cancel)
        return Reply(ReplyTurn(events, owner: self, number: content.replies))
      } catch {
        return Reply(failing: error)
      }
    }
  }

  /// Saves the tokens and the state. The file gets its name only when it is complete.
  /// - Throws: ``EngineError`` if nothing has been generated yet, `FileError` if the file cannot be written.
  public func save(to path: String, replaces: Bool = true) throws {
    try content.withLock { $0.text }.save(to: path, model: engine.loaded.model, replaces: replaces)
  }
}

extension Session: ReplyOwner {
  func take(_ piece: String, ofReply number: Int) -> String? {
    content.withLock { $0.running?.number == number ? piece : nil }
  }

  func end(_ completion: Completion, ofReply number: Int) async -> Bool {
    let asked = content.withLock { $0.running?.number == number ? ($0.text, $0.running?.request) : nil }
    guard let (text, request) = asked, let request else { return false }
    let next = await text.adding(completion, of: request, on: engine)
    return content.withLock { content in
      guard content.running?.number == number else { return false }
      content.text = next
      content.running = nil
      return true
    }
  }

  func breakOff(reply number: Int, isFailure: Bool) {
    content.withLock { if $0.running?.number == number { $0.breakOff() } }
  }
}
