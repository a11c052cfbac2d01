import MartletEngine

/// A ``ContinuationRequest`` as tokens: what the model reads and what is scored.
public struct TokenizedRequest: Sendable, Equatable {
  /// The tokens of the context, at least one.
  public var context: [Int]
  /// The tokens that are scored, at least one.
  public var continuation: [Int]
  /// The question of the conversation that the context is; nil where the context is a text.
  var question: Question?
  /// How many of the scored tokens are still the prompt's: the white space at its end counts to the continuation. nil where a token
  /// holds the end of the prompt and the beginning of the answer.
  var promptTail: Int? = 0

  /// A request of tokens.
  public init(context: [Int], continuation: [Int]) {
    self.context = context
    self.continuation = continuation
  }
}
