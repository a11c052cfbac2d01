import MartletModels

/// A request to generate an answer or only to read tokens.
public struct Request: Sendable {
  /// The tokens of the prompt, at least one.
  public var tokens: [Int]
  /// The state to continue from; nil for the beginning of a text. The state itself is not changed.
  public var state: (any SequenceState)?
  /// The start state of the text if `state` is nil; nil for the empty state.
  public var start: StartState?
  /// How tokens are chosen.
  public var sampling = Sampling()
  /// The largest number of tokens of the answer. With 0, the prompt is only read, and the completion contains the state
  /// after `tokens`.
  public var maxTokens = 256
  /// The smallest number of tokens of the answer: before it is reached, no end token is generated, no stop string may
  /// end, and a grammar is restricted to texts that are long enough.
  public var minTokens = 0
  /// Texts that end the answer and are not part of it. A stop string that begins in the first `minTokens` tokens and
  /// ends after them is effective.
  public var stops: [String] = []
  /// Tokens that end the answer; nil uses those of the tokenizer.
  public var endTokens: Set<Int>?
  /// The grammar of the answer; nil allows any text.
  public var grammar: Grammar?
  /// The number of alternatives for which log-probabilities are returned with each token of the answer; nil returns no
  /// log-probabilities.
  public var logProbabilities: Int?
  /// The calculator that writes the values of expressions such as `<<48/2=` into the answer, with what it has read of the text
  /// before ``tokens``; nil leaves them to the model.
  public var calculator: Calculator?
  /// Positions in `tokens` whose states should be cached in addition to the end, because other prompts share the tokens
  /// before them.
  public var landmarks: [Int] = []
  /// Whether the request belongs to an answer that has already started. It then takes precedence over waiting requests
  /// and is accepted even if the queue is full.
  public var isContinuation = false
  /// The question, if the engine's ``InterventionSource`` may change the answer.
  public var question: Question?
  /// Interventions in the forward passes of this request. If there are any, the engine's ``InterventionSource`` is not
  /// used for it.
  public var interventions: [Intervention] = []
  /// Returns ``grammar`` restricted to answers that contain a text, for an ``InterventionSource`` that requires this
  /// text. It throws ``EngineError`` if there is no such answer. If nil, an answer with a grammar is not changed.
  public var grammarSaying: (@Sendable (_ text: String) throws -> Grammar)?
  /// A source's plan acts in forward passes alone and keeps the answer to no grammar: for measuring what a pass does.
  package var actsInPassesOnly = false
  /// What the model "says" instead of what it would say, for measurements: every pass is run, no token is chosen.
  package var script: [Int]?

  /// A request for an answer of at most 256 tokens with greedy decoding.
  /// - Parameters:
  ///   - tokens: the tokens of the prompt, at least one.
  ///   - state: the state to continue from; nil for the beginning of a text.
  public init(tokens: [Int], state: (any SequenceState)? = nil) {
    self.tokens = tokens
    self.state = state
  }
}
