import MartletModels

/// A model under evaluation: what scores continuations with it and what writes answers.
public struct EvaluatedModel: Sendable {
  /// The name in tables and files.
  public let name: String
  /// What tells the model, its adapters and its weight format from others: a run is resumed with the same one alone.
  public let fingerprint: String
  /// The format of its conversations; nil where rows are put as plain text.
  public let chat: ChatFormat?
  let scorer: any ContinuationScorer
  let generator: any TextGenerator

  /// A model by its parts.
  public init(
    name: String, fingerprint: String, chat: ChatFormat? = nil, scorer: any ContinuationScorer,
    generator: any TextGenerator
  ) {
    self.name = name
    self.fingerprint = fingerprint
    self.chat = chat
    self.scorer = scorer
    self.generator = generator
  }
}
