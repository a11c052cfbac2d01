/// How likely a continuation is after its context.
public struct ContinuationScore: Sendable, Equatable {
  /// What an `InterventionSource`, such as the edits of a model, had to do with a score.
  public enum Influence: String, Sendable {
    /// Nothing: the model's own score.
    case none
    /// It changed the forward pass at the end of the context, so that the score is that of the changed model.
    case acted
    /// It would have kept an answer to certain words, which no score can express: the model's own score.
    case wordsOnly
  }

  /// The sum of the natural logarithms of the probabilities of the continuation's tokens, in nats.
  public var logLikelihood: Double
  /// Whether every token of the continuation is the most likely one at its place.
  public var isGreedy: Bool
  /// The natural logarithm of the probability of each token of the continuation.
  public var tokenLogLikelihoods: [Float]
  /// The number of tokens at the beginning of the context that the model has not read, because context and continuation
  /// together are too long for it.
  public var truncatedTokens = 0
  /// What an `InterventionSource` had to do with the score.
  public var influence = Influence.none

  /// A score of the whole context without interventions.
  public init(logLikelihood: Double, isGreedy: Bool, tokenLogLikelihoods: [Float]) {
    self.logLikelihood = logLikelihood
    self.isGreedy = isGreedy
    self.tokenLogLikelihoods = tokenLogLikelihoods
  }
}
