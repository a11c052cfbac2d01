import MartletData

/// How a model did on a row.
public struct RowResult: Sendable, Equatable {
  /// The choice with the highest log-likelihood, by its place; of a generation, the answer that the first filter took out.
  public var prediction: JSONValue
  /// The choice with the highest log-likelihood for each code point; null where there are no choices.
  public var normalizedPrediction: JSONValue
  /// Whether ``prediction`` is right; nil where nothing is predicted.
  public var isCorrect: Bool?
  /// Whether ``normalizedPrediction`` is right; nil where there are no choices.
  public var isNormalizedCorrect: Bool?
  /// The row's value of every metric of the task, by the metric's name. Of a perplexity it is the log-likelihood.
  public var values: [String: Double]

  /// A result.
  public init(
    prediction: JSONValue, normalizedPrediction: JSONValue = .null, isCorrect: Bool?, isNormalizedCorrect: Bool? = nil,
    values: [String: Double]
  ) {
    self.prediction = prediction
    self.normalizedPrediction = normalizedPrediction
    self.isCorrect = isCorrect
    self.isNormalizedCorrect = isNormalizedCorrect
    self.values = values
  }
}
