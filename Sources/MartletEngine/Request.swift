import MartletModels

/// One thing to generate.
public struct Request: Sendable {
  /// Tokens to read, at least one.
  public var tokens: [Int]
  /// Where to go on from; nil is the start of a text. The state is left as it is.
  public var state: (any SequenceState)?
  /// What the text starts from where `state` is nil: a tuned start state, or nothing.
  public var start: StartState?
  public var sampling = Sampling()
  /// 0 only reads: the completion then holds the state after `tokens`.
  public var maxTokens = 256
  /// The answer has this many tokens at least: no end token comes before them, no stop string ends in them, and a grammar
  /// is followed on ways that are long enough.
  public var minTokens = 0
  /// Texts that end the answer and are not part of it. One that begins in the first `minTokens` tokens and ends
  /// behind them counts.
  public var stops: [String] = []
  /// Tokens that end the answer; nil takes the tokenizer's.
  public var endTokens: Set<Int>?
  /// What the answer may be; nil lets it be any text.
  public var grammar: Grammar?
  /// Log-probabilities of the answer's tokens, with this many alternatives each; nil asks for none.
  public var logProbabilities: Int?
  /// Places in `tokens` whose states are worth remembering, beside the end: where other prompts will branch off.
  public var landmarks: [Int] = []
  /// Part of an answer that has begun: it goes before waiting requests, and a full queue does not refuse it.
  public var isContinuation = false
  /// What was asked, where the engine's ``PromptEditor`` may change the answer (``EditPlan`` says how).
  public var question: Question?
  /// A change of the answer that is made whatever the engine's editor says.
  public var edit: (any PromptEdit)?
  /// What the answer may be where an edit wants a text said: ``grammar``, narrowed to answers that say it. Throws
  /// ``EngineError`` where there is none. nil: edits leave an answer with a grammar alone.
  public var grammarSaying: (@Sendable (_ text: String) throws -> Grammar)?
  /// An edit acts by its value alone and its words are not kept to: for measuring what values do.
  public var measuresEdits = false
  /// What the model "says" instead of what it would say, for measurements: every pass is run, no token is chosen.
  public var script: [Int]?

  public init(tokens: [Int], state: (any SequenceState)? = nil) {
    self.tokens = tokens
    self.state = state
  }
}

/// A state that texts begin from in place of the empty one, such as an RWKV that was tuned by its states alone.
public struct StartState: Sendable {
  /// Tells start states of one engine apart; prompts that were read from it are remembered under this name.
  public let name: String
  let state: any SequenceState

  /// - Parameter state: a state that has seen no token.
  public init(name: String, state: any SequenceState) {
    self.name = name
    self.state = state
  }
}

/// The events of one request, ``GenerationEvent/finished(_:)`` the last.
public typealias GenerationStream = AsyncThrowingStream<GenerationEvent, any Error>

/// What happens while a request runs.
public enum GenerationEvent: Sendable {
  /// Text that is certain: whole code points, no piece of a stop string. May come for several tokens together.
  case text(String)
  /// A generated token, before its text, where log-probabilities are asked for.
  case token(TokenProbability)
  case finished(Completion)
}

/// How a request ended.
public struct Completion: Sendable {
  public enum Reason: String, Sendable {
    /// An end token, a stop string, or a grammar that allows no more.
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
  /// The end token that ended the answer, where log-probabilities were asked for.
  public let endToken: TokenProbability?
  /// The edit that changed the answer.
  public let edit: FiredEdit?
  /// The edit that the question would have fired, had the form of the answer left room for it.
  public let heldEdit: HeldEdit?
  /// After the prompt and all of `tokens` but the last, which has not been read unless the answer ended itself.
  public let state: any SequenceState
}
