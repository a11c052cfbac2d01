/// A ``ContinuationRequest`` as tokens: what the model reads and what is scored.
public struct TokenizedRequest: Sendable, Equatable {
  /// The tokens of the context, at least one.
  public var context: [Int]
  /// The tokens that are scored, at least one.
  public var continuation: [Int]

  /// A request of tokens.
  public init(context: [Int], continuation: [Int]) {
    self.context = context
    self.continuation = continuation
  }
}
