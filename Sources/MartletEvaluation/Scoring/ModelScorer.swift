import MartletEngine
import MartletModels

/// Scores continuations with a model in this process.
///
/// Requests are expressed in tokens by the rules of the lm-evaluation-harness (0.4.13). With ``Options/packing``, what
/// requests have in common at their beginning is read once; the state there is copied, and what follows is one ragged
/// batch. The head computes only the rows that are scored. A score has the same bits whatever is scored beside it, and
/// with or without packing.
///
/// ```swift
/// let scorer = ModelScorer(try LoadedModel.load("model.gguf"))
/// let requests = try [" Paris", " Rome"].map {
///   try scorer.encode(ContinuationRequest(context: "The capital of France is", continuation: $0))
/// }
/// let scores = try await scorer.scores([requests])[0]
/// ```
public struct ModelScorer: ContinuationScorer {
  /// How a model scores.
  public struct Options: Sendable {
    /// Whether shared beginnings are read once and requests share passes; otherwise every request is read alone.
    public var packing = true
    /// The largest number of tokens that the model reads of a request; nil for the model's context length, or for no
    /// limit where the model has none. Of a longer request the beginning of the context is left out.
    public var maxLength: Int?
    /// The largest number of tokens of a forward pass.
    public var tokensPerPass = 512
    /// Decides on interventions, such as edits, that act at the end of a context.
    public var interventions: (any InterventionSource)?

    /// The defaults: packing, the model's own context length, no interventions.
    public init() {}
  }

  /// The model with its tokenizer.
  public let loaded: LoadedModel
  /// How it scores.
  public let options: Options

  /// A scorer of a model.
  public init(_ loaded: LoadedModel, options: Options = Options()) {
    self.loaded = loaded
    self.options = options
  }

  /// The same without packing: every request is read alone. It is slower and gives the same scores.
  public var withoutPacking: ModelScorer {
    var options = options
    options.packing = false
    return ModelScorer(loaded, options: options)
  }

  /// The largest number of tokens that the model reads of a request; nil if there is no limit.
  public var maxLength: Int? {
    [options.maxLength, loaded.model.description.contextLength].compactMap(\.self).min().map { max(1, $0) }
  }

  /// The tokens of a request. White space at the end of the context belongs to the continuation; the continuation's
  /// tokens are those that both texts together have beyond the tokens of the context. Names of control tokens become
  /// those tokens, and the token that begins texts is added where the tokenizer adds it. In place of an empty context
  /// stands the tokenizer's `prefixToken`.
  ///
  /// - Throws: ``ScoringError`` if the continuation has no tokens of its own, or there is no prefix token.
  public func encode(_ request: ContinuationRequest) throws -> TokenizedRequest {
    try request.tokens(by: loaded.tokenizer)
  }

  /// The tokens of a text, with the token that begins texts where the tokenizer adds one.
  public func encode(_ text: String) -> [Int] { ContinuationRequest.encode(text, loaded.tokenizer) }

  /// Checks that a request can be scored. A context may be too long, a continuation may not.
  /// - Throws: ``ScoringError`` if context or continuation is empty or the continuation is longer than the model reads,
  ///   `ModelError` for a token outside the vocabulary.
  public func check(_ request: TokenizedRequest) throws {
    guard !request.context.isEmpty, !request.continuation.isEmpty else {
      throw ScoringError("a request needs at least one token of context and one of continuation")
    }
    if let maxLength, request.continuation.count > maxLength {
      throw ScoringError(
        "a continuation of \(request.continuation.count) tokens does not fit into the \(maxLength) tokens that the model "
          + "reads; split it")
    }
    try loaded.model.check(tokens: request.context)
    try loaded.model.check(tokens: request.continuation)
  }

  public func scores(
    _ rows: [[TokenizedRequest]], finished: (_ row: Int, _ scores: [ContinuationScore]) throws -> Void
  ) async throws -> [[ContinuationScore]] {
    var run = try ScoringRun(rows, scorer: self)
    for row in run.takeFinished() { try finished(row, run.scores[row]) }
    while let pass = run.nextPass() {
      try Task.checkCancellation()
      try await run.take(pass.results())
      for row in run.takeFinished() { try finished(row, run.scores[row]) }
    }
    return run.scores
  }
}
