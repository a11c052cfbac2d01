import MartletEvaluation

/// A model that is probed.
public struct InContextSubject: Sendable {
  /// What ranks labels and writes answers.
  public let model: EvaluatedModel
  /// The largest number of tokens of a prompt with its label; nil for no limit, or where an endpoint keeps it to itself.
  public let contextLength: Int?

  /// A model with its name and what tells it from others.
  public init(_ model: EvaluatedModel) {
    self.model = model
    contextLength = (model.scorer as? ModelScorer)?.maxLength
  }
}
