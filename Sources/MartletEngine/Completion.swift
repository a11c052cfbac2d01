import MartletModels

/// The events of one request; ``GenerationEvent/finished(_:)`` is the last.
public typealias GenerationStream = AsyncThrowingStream<GenerationEvent, any Error>

/// An event of a running request.
public enum GenerationEvent: Sendable {
  /// A piece of the answer: complete code points and no part of a stop string. It may combine several tokens.
  case text(String)
  /// A generated token, sent before its text if log-probabilities are requested.
  case token(TokenProbability)
  /// The end of the request.
  case finished(Completion)
}

/// The result of a request.
public struct Completion: Sendable {
  /// Why an answer ended.
  public enum Reason: String, Sendable {
    /// An end token, a stop string, or a complete text of the grammar.
    case stop
    /// `maxTokens` or the end of the model's context was reached.
    case length
    /// The stream was released, or the engine was stopped.
    case cancelled
  }

  /// Why the answer ended.
  public let reason: Reason
  /// The generated tokens without an end token.
  public let tokens: [Int]
  /// The number of prompt tokens.
  public let promptTokens: Int
  /// The number of prompt tokens that were served by a cached state.
  public let cachedTokens: Int
  /// The seconds until the first token, and from the first token to the last.
  public let promptSeconds, generationSeconds: Double
  /// The end token of the answer, if log-probabilities were requested.
  public let endToken: TokenProbability?
  /// What the request's ``Calculator`` has computed, in the order of the answer.
  public let calculations: [Calculator.Calculation]
  /// The notes of the plan of an ``InterventionSource`` and of interventions, in order. Their types are defined by the
  /// features that made them.
  public let notes: [any Sendable]
  /// Whether an intervention changed rows in ``state``, so that it differs from the state of the unchanged model.
  public let hasChangedState: Bool
  /// The state after the prompt and `tokens`, without the last token unless the answer ended with an end token.
  public let state: any SequenceState
}
