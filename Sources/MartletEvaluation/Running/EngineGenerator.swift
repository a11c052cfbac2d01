import MartletEngine
import MartletModels
import MartletTokenizers

/// Writes answers with a model in this process. Requests are answered in one batch that is refilled as answers end.
public struct EngineGenerator: TextGenerator {
  private let engine: Engine
  private let calculates: Bool

  /// A generator over an engine; what the engine intervenes in, such as edits, it intervenes in here.
  /// - Parameters:
  ///   - engine: the engine that writes.
  ///   - calculates: whether a `Calculator` writes the values of expressions such as `<<48/2=`.
  public init(_ engine: Engine, calculates: Bool = false) {
    self.engine = engine
    self.calculates = calculates
  }

  public func generate(
    _ requests: [GenerationRequest], finished: (_ request: Int, _ text: GeneratedText) throws -> Void
  ) async throws {
    try await withThrowingTaskGroup(of: (Int, GeneratedText).self) { group in
      var next = 0
      func add() throws {
        guard next < requests.count else { return }
        let place = next, (request, truncated) = try request(requests[next])
        next += 1
        group.addTask {
          var generated = try await answer(request)
          generated.truncatedTokens = truncated
          return (place, generated)
        }
      }
      // Twice the batch: the engine never waits for the next prompt.
      for _ in 0..<2 * engine.options.maxSequences { try add() }
      while let (place, text) = try await group.next() {
        try finished(place, text)
        try add()
      }
    }
  }

  /// The tokens of a request are cut on the left to leave room for its answer.
  /// - Returns: the request, and the number of tokens that were cut.
  private func request(_ asked: GenerationRequest) throws -> (Request, truncated: Int) {
    let loaded = engine.loaded
    let question =
      asked.messages.flatMap { Question($0) } ?? Question(asked.context, format: .raw)
    let whole = asked.tokens ?? ContinuationRequest.encode(asked.context, loaded.tokenizer)
    var tokens = whole
    if let limit = loaded.model.description.contextLength {
      guard asked.maxTokens < limit else {
        throw EvaluationError(
          "an answer of \(asked.maxTokens) tokens does not fit into this model's context of \(limit); ask for a shorter one"
        )
      }
      tokens = Array(tokens.suffix(limit - asked.maxTokens))
    }
    guard !tokens.isEmpty else {
      throw EvaluationError("the context of a question is empty; a model cannot begin from nothing")
    }
    var request = Request(tokens: tokens)
    request.maxTokens = asked.maxTokens
    request.sampling = asked.sampling
    request.stops = asked.stops + (asked.messages == nil ? [] : loaded.chatFormat.stops)
    request.question = question
    if calculates { request.calculator = Calculator() }
    return (request, whole.count - tokens.count)
  }

  private func answer(_ request: Request) async throws -> GeneratedText {
    var answer = GeneratedText("", contextTokens: request.tokens)
    for try await event in try engine.generate(request) {
      switch event {
      case .text(let piece): answer.text += piece
      case .finished(let completion) where completion.reason == .cancelled: throw CancellationError()
      case .finished(let completion):
        answer.answerTokens = completion.tokens.count
        answer.isCutOff = completion.reason == .length
      default: break
      }
    }
    return answer
  }
}
