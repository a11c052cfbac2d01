import MartletEngine
import MartletEvaluation
import MartletModels

/// A model that is probed.
public struct InContextSubject: Sendable {
  /// The name in rows.
  public var name: String
  /// What ranks labels.
  public var scorer: any ContinuationScorer
  /// What generates answers; nil where labels are only ranked.
  public var generator: (any InContextGenerator)?
  /// The largest number of tokens of a prompt with its label; nil for no limit.
  public var contextLength: Int?
  /// What tells the model from others: a digest of its weights.
  public var fingerprint: String

  /// A model by its parts.
  public init(
    name: String, scorer: any ContinuationScorer, generator: (any InContextGenerator)? = nil, contextLength: Int? = nil,
    fingerprint: String = ""
  ) {
    self.name = name
    self.scorer = scorer
    self.generator = generator
    self.contextLength = contextLength
    self.fingerprint = fingerprint
  }

  /// A loaded model.
  /// - Parameter generates: whether it generates answers too.
  public init(_ loaded: LoadedModel, name: String, generates: Bool = false) {
    let scorer = ModelScorer(loaded)
    self.init(
      name: name, scorer: scorer, generator: generates ? EngineGenerator(loaded) : nil, contextLength: scorer.maxLength,
      fingerprint: loaded.model.description.fingerprint)
  }
}

/// What generates answers to prompts, always with the most likely token.
public protocol InContextGenerator: Sendable {
  /// The answers to prompts of tokens, each cut at the first of `stops`.
  func answers(_ prompts: [[Int]], stops: [String], maxTokens: Int) async throws -> [String]
}

/// Generates with an engine, which keeps the states of common beginnings.
public struct EngineGenerator: InContextGenerator {
  private let engine: Engine

  /// A generator of a model.
  public init(_ loaded: LoadedModel) { engine = Engine(loaded) }

  public func answers(_ prompts: [[Int]], stops: [String], maxTokens: Int) async throws -> [String] {
    let streams = try engine.generate(
      prompts.map { tokens in
        var request = Request(tokens: tokens)
        request.stops = stops
        request.maxTokens = maxTokens
        return request
      })
    var answers: [String] = []
    for stream in streams {
      var answer = ""
      for try await event in stream { if case .text(let piece) = event { answer += piece } }
      answers.append(answer)
    }
    return answers
  }
}
