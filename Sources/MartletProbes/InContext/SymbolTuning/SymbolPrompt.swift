/// A prompt of symbol tuning: exemplars with symbols, or natural labels, in place of their classes, and queries.
public struct SymbolPrompt: Sendable, Equatable {
  /// The name of the data.
  public var source: String
  /// The labels of the classes that the prompt has.
  public var labels: [String]
  /// Whether these are the natural labels.
  public var isNatural: Bool
  /// How exemplars are written.
  public var format: ExemplarFormat
  /// Texts with the numbers of their classes, in order.
  public var exemplars: [(text: String, shown: Int)]
  /// What is asked.
  public var queries: [InContextQuery]

  public static func == (one: SymbolPrompt, other: SymbolPrompt) -> Bool {
    one.source == other.source && one.labels == other.labels && one.isNatural == other.isNatural
      && one.format == other.format && one.exemplars.elementsEqual(other.exemplars, by: ==)
      && one.queries == other.queries
  }

  /// What stands before the query.
  var prefix: String { exemplars.map { format.exemplar($0.text, labels[$0.shown]) }.joined() }
}
