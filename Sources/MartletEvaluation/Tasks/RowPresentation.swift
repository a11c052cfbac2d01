import MartletModels

/// How rows are put to a model.
public struct RowPresentation: Sendable {
  /// How many solved examples stand before the question; nil for as many as the task says.
  public var shots: Int?
  /// What a system message says, or stands at the beginning of a plain text; nil for what the task says.
  public var system: String?
  /// The format in which rows are written as conversations; nil for plain text.
  public var chat: ChatFormat?
  /// Whether each example is a turn of the conversation of its own.
  public var examplesAreTurns: Bool
  /// The seed by which examples are drawn.
  public var seed: Int

  /// Plain text with as many examples as the task says, unless other values are given.
  public init(
    shots: Int? = nil, system: String? = nil, chat: ChatFormat? = nil, examplesAreTurns: Bool = false, seed: Int = 1234
  ) {
    self.shots = shots
    self.system = system
    self.chat = chat
    self.examplesAreTurns = examplesAreTurns
    self.seed = seed
  }
}
