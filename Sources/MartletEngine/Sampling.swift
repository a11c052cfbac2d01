/// How the next token is chosen from the logits.
public struct Sampling: Sendable, Equatable {
  /// 0 takes the most likely token.
  public var temperature: Float = 0
  /// Keeps the most likely tokens whose probabilities first sum to this (1 keeps all).
  public var topP: Float = 1
  /// Keeps this many tokens (0 keeps all).
  public var topK: Int = 0
  /// Keeps tokens at least this share of the most likely one's probability.
  public var minP: Float = 0
  /// Keeps the tokens closest to the expected information until their probabilities sum to this (1 keeps all;
  /// Meister et al., 2022).
  public var typicalP: Float = 1
  /// Divides the logits of seen tokens (multiplies negative ones); 1 changes nothing (Keskar et al., 2019).
  public var repetitionPenalty: Float = 1
  /// Taken off the logit of every seen token.
  public var presencePenalty: Float = 0
  /// Taken off the logit of a token for each time it was seen.
  public var frequencyPenalty: Float = 0
  /// Counts of seen tokens shrink by this factor each step (RWKV's demos: 0.996).
  public var penaltyDecay: Float = 1
  /// Added to the logits of these tokens.
  public var logitBias: [Int: Float] = [:]
  /// Tokens are dropped at temperature 1 and the rest sharpened afterwards, as RWKV's pipeline does; otherwise the
  /// temperature comes first, as in transformers.
  public var truncatesFirst = false
  /// Equal seeds draw equal tokens.
  public var seed: UInt64 = 0

  /// Takes the likeliest token each time.
  public init() {}

  /// - Throws: ``EngineError`` naming the first value out of range.
  public func validate() throws {
    func check(_ holds: Bool, _ rule: String) throws { if !holds { throw EngineError(rule) } }
    try check(temperature >= 0 && temperature.isFinite, "temperature must be 0 or more")
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
