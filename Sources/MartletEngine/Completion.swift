import MartletModels

/// The events of one request, ``GenerationEvent/finished(_:)`` the last.
public typealias GenerationStream = AsyncThrowingStream<GenerationEvent, any Error>

/// What happens while a request runs.
public enum GenerationEvent: Sendable {
  /// Text that is certain: whole code points, no piece of a stop string. May come for several tokens together.
  case text(String)
  /// A generated token, before its text, where log-probabilities are asked for.
  case token(TokenProbability)
  /// The request has ended; nothing comes after it.
  case finished(Completion)
}

/// How a request ended.
public struct Completion: Sendable {
  /// What ended an answer.
  public enum Reason: String, Sendable {
    /// An end token, a stop string, or a grammar that allows no more.
    case stop
    /// `maxTokens`, or the model's context, is full.
    case length
    /// The stream was dropped, or the engine has ended.
    case cancelled
  }

  /// What ended the answer.
  public let reason: Reason
  /// Generated tokens, an end token not among them.
  public let tokens: [Int]
  /// Tokens of the request.
  public let promptTokens: Int
  /// Prompt tokens that a cached state saved.
  public let cachedTokens: Int
  /// Seconds until the first token, and from there to the last.
  public let promptSeconds, generationSeconds: Double
  /// The end token that ended the answer, where log-probabilities were asked for.
  public let endToken: TokenProbability?
  /// What the plan of an ``InterventionSource`` and interventions have said of what they did, in their order. Whoever made
  /// them knows their types.
  public let notes: [any Sendable]
  /// An intervention has changed rows that ``state`` holds: it is not what the model by itself would hold.
  public let hasChangedState: Bool
  /// After the prompt and all of `tokens` but the last, which has not been read unless the answer ended itself.
  public let state: any SequenceState
}
