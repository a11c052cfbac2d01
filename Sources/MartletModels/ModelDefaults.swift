/// How the models of a family are used by default.
public struct ModelDefaults: Sendable, Equatable {
  /// Whether the sampler truncates the distribution at temperature 1 and applies the temperature to the remaining
  /// tokens, as RWKV's own pipeline does. Otherwise the temperature is applied first.
  public var truncatesBeforeTemperature: Bool
  /// The weight of the penalty on the largest logit (RWKV's L2Wrap) when all weights are trained; 0 for none.
  public var logitPenalty: Double
  /// Factors of the learning rate, by the suffix of a parameter's name; 1 for all other parameters.
  public var learningRateFactors: [String: Double]
  /// The name of the output head in a checkpoint, without `.weight`. New adapters do not include it.
  public var headName: String
  /// The linear layer of a block whose output an edit replaces, by the suffix of its name; nil if there is none.
  public var editLayer: String?

  /// - Parameters: the properties of the same names.
  public init(
    truncatesBeforeTemperature: Bool = false, logitPenalty: Double = 0, learningRateFactors: [String: Double] = [:],
    headName: String = "lm_head", editLayer: String? = nil
  ) {
    self.truncatesBeforeTemperature = truncatesBeforeTemperature
    self.logitPenalty = logitPenalty
    self.learningRateFactors = learningRateFactors
    self.headName = headName
    self.editLayer = editLayer
  }

  /// The factor of the learning rate of a parameter.
  ///
  /// - Parameter parameter: the name in a checkpoint.
  public func learningRateFactor(of parameter: String) -> Double {
    learningRateFactors.first { parameter.hasSuffix($0.key) }?.value ?? 1
  }
}
