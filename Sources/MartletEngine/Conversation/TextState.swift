import MartletModels
import MartletTokenizers

/// A text as the model has read it: its tokens, and the state after the first of them. A value: copies go on by themselves,
/// and a state is never changed in place once it is shared.
struct TextState: Sendable {
  /// Every token of the text.
  private(set) var tokens: [Int] = []
  /// After the first `state.position` tokens; the rest has not been read yet.
  private(set) var state: (any SequenceState)?
  /// What the text begins from in place of the empty state.
  let start: StartState?

  init(start: StartState? = nil) { self.start = start }

  /// Adds tokens; they are read at the next generation.
  mutating func append(_ tokens: [Int]) { self.tokens += tokens }

  /// Asks for what comes after the text; only what is new is read.
  /// - Parameter tokenizer: by which a ``Calculator`` reads the text; nil for an answer without one.
  func request(calculatingBy tokenizer: (any Tokenizer)? = nil) -> Request {
    let read = min(state?.position ?? 0, tokens.count)
    var request = Request(tokens: Array(tokens[read...]), state: state)
    request.start = start
    if let tokenizer {
      var calculator = Calculator()
      calculator.read(tokens[..<read], of: tokenizer)
      request.calculator = calculator
    }
    return request
  }

  /// The text with an answer behind it.
  ///
  /// What an intervention has changed is not kept: the text goes on as if the model had said the answer by itself, and it
  /// is read once more for that. What cannot be read now is read at the next generation.
  /// - Parameter request: what ``request()`` has asked for, and `completion` has answered.
  func adding(_ completion: Completion, of request: Request, on engine: Engine) async -> TextState {
    var next = self
    next.tokens += completion.tokens
    next.state = completion.state
    if completion.hasChangedState {
      let read = Array((request.tokens + completion.tokens).dropLast())
      let clean = try? await engine.read(read, after: state, start: state == nil ? start : nil)
      next.state = clean?.state ?? state
    }
    return next
  }

  /// - Throws: ``EngineError`` when nothing was read yet; what writing a file throws.
  func save(to path: String, model: any LanguageModel, replaces: Bool) throws {
    guard let state else { throw EngineError("there is nothing to save yet; generate something first") }
    try SavedState.save(state, tokens: tokens, model: model, to: path, replaces: replaces)
  }

  /// Goes on from a saved file.
  /// - Throws: ``FileError`` when the file is damaged or of another model.
  init(restoring path: String, model: any LanguageModel) throws {
    start = nil
    (state, tokens) = try SavedState.load(path, model: model)
  }
}
