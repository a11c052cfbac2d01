/// How the next token is chosen from the logits.
public struct Sampling: Sendable, Equatable {
  /// The temperature; 0 always chooses the most likely token.
  public var temperature: Float = 0
  /// Nucleus sampling: keeps the most likely tokens until their probabilities sum to this value (1 keeps all).
  public var topP: Float = 1
  /// Keeps this number of the most likely tokens (0 keeps all).
  public var topK: Int = 0
  /// Keeps tokens whose probability is at least this share of that of the most likely token.
  public var minP: Float = 0
  /// Locally typical sampling: keeps the tokens whose information is closest to the entropy until their probabilities
  /// sum to this value (1 keeps all; Meister et al., 2022).
  public var typicalP: Float = 1
  /// The divisor of the logits of tokens that have occurred; negative logits are multiplied by it. 1 changes nothing
  /// (Keskar et al., 2019).
  public var repetitionPenalty: Float = 1
  /// Subtracted from the logit of every token that has occurred.
  public var presencePenalty: Float = 0
  /// Subtracted from the logit of a token for each of its occurrences.
  public var frequencyPenalty: Float = 0
  /// The factor by which the token counts decay at each step (0.996 in RWKV's demos).
  public var penaltyDecay: Float = 1
  /// Values that are added to the logits of tokens.
  public var logitBias: [Int: Float] = [:]
  /// Whether the distribution is truncated at temperature 1 and the temperature applied afterwards, as in RWKV's
  /// pipeline. Otherwise the temperature is applied first, as in transformers.
  public var truncatesFirst = false
  /// The seed; equal seeds choose equal tokens.
  public var seed: UInt64 = 0

  /// Greedy decoding.
  public init() {}

  /// Checks the ranges of all values.
  /// - Throws: ``EngineError`` that names the first value out of range.
  public func validate() throws {
    func check(_ holds: Bool, _ rule: String) throws { if !holds { throw EngineError(rule) } }
    try check(temperature >= 0 && temperature.isFinite, "temperature must be a finite number of 0 or more")
    try check(topP > 0 && topP <= 1, "top-p must be above 0 and at most 1")
    try check(topK >= 0, "top-k must be 0 or more")
    try check(minP >= 0 && minP <= 1, "min-p must be from 0 to 1")
    try check(typicalP > 0 && typicalP <= 1, "typical-p must be above 0 and at most 1")
    try check(repetitionPenalty > 0 && repetitionPenalty.isFinite, "the repetition penalty must be above 0")
    try check(presencePenalty.isFinite && frequencyPenalty.isFinite, "penalties must be numbers")
    try check(penaltyDecay >= 0 && penaltyDecay <= 1, "the penalty decay must be from 0 to 1")
    try check(logitBias.values.allSatisfy(\.isFinite), "logit biases must be finite numbers")
  }

  /// Whether tokens that were seen get other logits.
  var penalizes: Bool { repetitionPenalty != 1 || presencePenalty != 0 || frequencyPenalty != 0 }

  /// Whether some tokens are never drawn although their probability is not zero.
  var truncates: Bool { topK > 0 || topP < 1 || minP > 0 || typicalP < 1 }
}
