import MartletModels

/// One thing to generate.
public struct Request: Sendable {
  /// Tokens to read, at least one.
  public var tokens: [Int]
  /// Where to go on from; nil is the start of a text. The state is left as it is.
  public var state: (any SequenceState)?
  public var sampling = Sampling()
  public var maxTokens = 256
  /// Texts that end the answer and are not part of it.
  public var stops: [String] = []
  /// Tokens that end the answer; nil takes the tokenizer's.
  public var endTokens: Set<Int>?

  public init(tokens: [Int], state: (any SequenceState)? = nil) {
    self.tokens = tokens
    self.state = state
  }
}

/// What happens while a request runs.
public enum GenerationEvent: Sendable {
  /// Text that is certain: whole code points, no piece of a stop string. May come for several tokens together.
  case text(String)
  case finished(Completion)
}

/// How a request ended.
public struct Completion: Sendable {
  public enum Reason: String, Sendable {
    /// An end token or a stop string.
    case stop
    /// `maxTokens`, or the model's context, is full.
    case length
    case cancelled
  }

  public let reason: Reason
  /// Generated tokens, an end token not among them.
  public let tokens: [Int]
  public let promptTokens: Int
  /// Prompt tokens that a cached state saved.
  public let cachedTokens: Int
  /// Seconds until the first token, and from there to the last.
  public let promptSeconds, generationSeconds: Double
  /// After the prompt and all of `tokens` but those of a stop string's end.
  public let state: any SequenceState
}
