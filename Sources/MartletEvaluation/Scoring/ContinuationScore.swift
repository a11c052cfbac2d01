/// How likely a continuation is after its context.
public struct ContinuationScore: Sendable, Equatable {
  /// The sum of the natural logarithms of the probabilities of the continuation's tokens, in nats.
  public var logLikelihood: Double
  /// Whether every token of the continuation is the most likely one at its place.
  public var isGreedy: Bool
  /// The natural logarithm of the probability of each token of the continuation.
  public var tokenLogLikelihoods: [Float]

  /// A score.
  public init(logLikelihood: Double, isGreedy: Bool, tokenLogLikelihoods: [Float]) {
    self.logLikelihood = logLikelihood
    self.isGreedy = isGreedy
    self.tokenLogLikelihoods = tokenLogLikelihoods
  }
}
