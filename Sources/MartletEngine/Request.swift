import MartletModels

/// One thing to generate, or to read.
public struct Request: Sendable {
  /// Tokens to read, at least one.
  public var tokens: [Int]
  /// Where to go on from; nil is the start of a text. The state is left as it is.
  public var state: (any SequenceState)?
  /// What the text starts from where `state` is nil: a tuned start state, or nothing.
  public var start: StartState?
  /// How tokens are chosen.
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
  /// What was asked, where the engine's ``InterventionSource`` may change the answer.
  public var question: Question?
  /// What acts in the forward passes of this request, whatever the engine's ``InterventionSource`` says: that one is asked
  /// only where there is nothing here.
  public var interventions: [Intervention] = []
  /// What the answer may be where an ``InterventionSource`` wants a text said: ``grammar``, narrowed to answers that say
  /// it. Throws ``EngineError`` where there is none. nil: an answer with a grammar is left alone.
  public var grammarSaying: (@Sendable (_ text: String) throws -> Grammar)?
  /// A source's plan acts in forward passes alone and keeps the answer to no grammar: for measuring what a pass does.
  package var actsInPassesOnly = false
  /// What the model "says" instead of what it would say, for measurements: every pass is run, no token is chosen.
  package var script: [Int]?

  /// Asks for an answer of at most 256 tokens, the likeliest each time.
  /// - Parameters:
  ///   - tokens: what is read, at least one.
  ///   - state: where the text goes on from; nil is its start.
  public init(tokens: [Int], state: (any SequenceState)? = nil) {
    self.tokens = tokens
    self.state = state
  }
}
