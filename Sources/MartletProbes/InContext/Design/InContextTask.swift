import MartletTensor

/// A query of a context.
public struct InContextQuery: Sendable, Equatable {
  /// The identifier.
  public var id: String
  /// The text whose class is asked.
  public var text: String
  /// The number of its true class.
  public var gold: Int

  /// A query.
  public init(id: String, text: String, gold: Int) {
    self.id = id
    self.text = text
    self.gold = gold
  }
}

/// Exemplars in their order and the queries that are asked behind them.
public struct InContextContext: Sendable, Equatable {
  /// An exemplar: a text with the class whose label is shown, which flips make a wrong one.
  public struct Exemplar: Sendable, Equatable {
    /// The text.
    public var text: String
    /// The class whose label stands behind the text.
    public var shown: Int
  }

  /// Which exemplars these are.
  public var key: ContextKey
  /// The exemplars in the order of the prompt.
  public var exemplars: [Exemplar]
  /// The queries, each asked behind the exemplars alone.
  public var queries: [InContextQuery]
}

/// What contexts are drawn from. Everything drawn depends on the seed and the place of the context alone: neither on the setting (but for
/// the labels shown), nor on the model.
public protocol InContextTask: Sendable {
  /// The name in rows.
  var name: String { get }
  /// The natural labels of the classes; nil where they have none and symbols stand for them.
  var naturalLabels: [String]? { get }
  /// The number of classes.
  var classCount: Int { get }

  /// Queries that only look like the task's: random words of its texts, as many as a text has on average (Fei et al., 2023).
  func domainTexts(_ count: Int, _ random: RandomSource) -> [String]

  /// Whether the task can be put in a setting.
  func allows(_ setting: InContextSetting) -> Bool

  /// A context.
  /// - Parameters:
  ///   - key: the seed, and the number of the context below it.
  ///   - shots: the number of exemplars of each class.
  ///   - setting: which labels they show.
  ///   - queries: the number of queries, the same number of each class where it can be divided so.
  /// - Throws: ``ProbeError`` if the task has too few examples, or a share of flipped labels is no whole number of exemplars.
  func context(
    _ key: ContextKey, shots: Int, setting: InContextSetting, queries: Int
  ) throws -> InContextContext
}

/// How many of a number of things each of some classes gets: equal numbers, one more for as many as needed, beginning with a class that
/// depends on the context so that none is preferred.
func balancedCounts(_ total: Int, classes: Int, from first: Int) -> [Int] {
  var counts = [Int](repeating: total / classes, count: classes)
  for extra in 0..<total % classes { counts[(first + extra) % classes] += 1 }
  return counts
}
