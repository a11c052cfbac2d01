import MartletModels

/// A text that grows: its tokens and the model's state after them. A value: ``fork()`` gives an independent copy.
public struct Session: Sendable {
  public let engine: Engine
  /// Every token of the text.
  public private(set) var tokens: [Int] = []
  /// After the first `state.position` tokens; the rest has not been read yet.
  private var state: (any SequenceState)?
  /// What the text begins from in place of the empty state.
  public private(set) var start: StartState?

  /// - Parameter start: what the text begins from in place of the empty state.
  public init(_ engine: Engine, start: StartState? = nil) {
    self.engine = engine
    self.start = start
  }

  /// An independent copy. O(1): states are never changed in place once shared.
  public func fork() -> Session { self }

  /// Adds tokens; they are read at the next generation.
  public mutating func append(_ tokens: [Int]) { self.tokens += tokens }

  /// Generates from here, handing over text as it becomes certain, and takes the answer into the session.
  @discardableResult
  public mutating func generate(
    sampling: Sampling = Sampling(), maxTokens: Int = 256, stops: [String] = [],
    question: Question? = nil, onText: (String) -> Void = { _ in }
  ) async throws -> Completion {
    let read = state?.position ?? 0
    var request = Request(tokens: Array(tokens[min(read, tokens.count)...]), state: state)
    request.start = start
    request.sampling = sampling
    request.maxTokens = maxTokens
    request.stops = stops
    request.question = question
    for try await event in try engine.generate(request) {
      switch event {
      case .text(let text): onText(text)
      case .token: break
      case .finished(let completion):
        let before = state
        state = completion.state
        tokens += completion.tokens
        if completion.edit?.means == .value {
          // What an edit has touched is not kept: the text goes on as if the model had said the answer by itself. What
          // cannot be read now is read at the next generation.
          let read = Array((request.tokens + completion.tokens).dropLast())
          let clean = try? await engine.read(read, after: before, start: before == nil ? start : nil)
          state = clean?.state ?? before
        }
        return completion
      }
    }
    throw EngineError("the generation was cancelled")
  }

  /// Saves tokens and state. - Throws: when nothing was generated yet, or the file cannot be written.
  public func save(to path: String, replaces: Bool = true) throws {
    guard let state else { throw EngineError("there is nothing to save yet; generate something first") }
    try SavedState.save(state, tokens: tokens, model: engine.loaded.model, to: path, replaces: replaces)
  }

  /// Goes on from a saved file.
  public init(_ engine: Engine, restoring path: String) throws {
    self.engine = engine
    let (state, tokens) = try SavedState.load(path, model: engine.loaded.model)
    self.state = state
    self.tokens = tokens
  }
}
