/// How the models of a family are used where nothing else is asked for.
public struct ModelDefaults: Sendable, Equatable {
  /// Whether a sampler drops unlikely tokens at temperature 1 and applies the temperature to those that are left, as
  /// RWKV's own pipeline does. Otherwise the temperature comes first.
  public var truncatesBeforeTemperature: Bool
  /// The weight of the penalty on the largest logit (RWKV's L2Wrap) when all weights are trained; 0 for none.
  public var logitPenalty: Double
  /// By what the learning rate is multiplied, by the ending of a parameter's name; 1 for every other parameter.
  public var learningRateFactors: [String: Double]
  /// The name of the output head in a checkpoint, without `.weight`. New adapters leave it out.
  public var headName: String
  /// The linear layer of a block whose output an edit replaces, by the end of its name; nil where no block has one.
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

  /// By what the learning rate of a parameter is multiplied.
  ///
  /// - Parameter parameter: its name in a checkpoint.
  public func learningRateFactor(of parameter: String) -> Double {
    learningRateFactors.first { parameter.hasSuffix($0.key) }?.value ?? 1
  }
}
