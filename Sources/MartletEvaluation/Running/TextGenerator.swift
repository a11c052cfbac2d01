/// What writes the answers of tasks that ask for a text: a model in this process, or an endpoint.
public protocol TextGenerator: Sendable {
  /// Answers requests, several at a time.
  /// - Parameters:
  ///   - requests: what is asked.
  ///   - finished: called in any order, as soon as an answer is complete, with the request's place and the answer.
  func generate(
    _ requests: [GenerationRequest], finished: (_ request: Int, _ text: GeneratedText) throws -> Void
  ) async throws
}

/// What a model wrote.
public struct GeneratedText: Sendable, Equatable {
  /// The text, which ends before the first of the request's stops.
  public var text: String
  /// The tokens of the context that the model read; nil where an endpoint keeps them to itself.
  public var contextTokens: [Int]?
  /// The number of tokens at the beginning of the context that the model has not read, because there was no room for the answer.
  public var truncatedTokens = 0
  /// The number of tokens that were read; nil where an endpoint does not tell it.
  public var promptTokens: Int?
  /// The number of tokens of the answer; nil where an endpoint does not tell it.
  public var answerTokens: Int?
  /// Whether the answer ended because it had reached the largest number of tokens.
  public var isCutOff = false

  /// A text with the tokens of its context.
  public init(_ text: String, contextTokens: [Int]? = nil) {
    self.text = text
    self.contextTokens = contextTokens
    promptTokens = contextTokens?.count
  }
}
