import MartletData

/// A way of answering that a teacher is told in a system message.
public struct Strategy: Sendable, Equatable {
  /// The identifier that rows keep.
  public var id: String
  /// For which tasks it is meant.
  public var purpose: String
  /// The system message.
  public var message: String
  /// Expressions that all occur in a text which follows the strategy; empty where the length alone tells.
  public var signs: [String]
  /// Expressions of which none occurs in such a text.
  public var counterSigns: [String] = []
  /// The largest number of characters of a text that follows the strategy; nil for any.
  public var longest: Int?

  /// Whether a text looks as if it followed the strategy. These are signs of form, which a text can have by chance.
  public func isFollowed(by text: String) -> Bool {
    if let longest, text.count > longest { return false }
    func occurs(_ sign: String) -> Bool { (try? TextPattern(sign)).map { !$0.matches(in: text).isEmpty } ?? false }
    return text.contains { !$0.isWhitespace } && signs.allSatisfy(occurs) && !counterSigns.contains(where: occurs)
  }
}

/// Strategies, the clusters of tasks that they suit, and system messages that ask for explanations.
///
///     let table = try StrategyTable.shipped
///     try table.strategy("step_by_step").message
public struct StrategyTable: Sendable, Equatable {
  /// Tasks that are answered in the same way.
  public struct Cluster: Sendable, Equatable {
    /// The name.
    public var name: String
    /// The names of its tasks; `*` at the end stands for any text.
    public var tasks: [String]
    /// The identifiers of its questions, where it was found by the questions themselves.
    public var questions: Set<String> = []
    /// The identifier of its strategy.
    public var strategy: String

    /// Whether a question belongs to the cluster.
    public func contains(_ row: TeachingRow) -> Bool {
      questions.contains(row.id)
        || tasks.contains { $0.hasSuffix("*") ? row.task.hasPrefix($0.dropLast()) : row.task == $0 }
    }
  }

  /// The strategies.
  public var strategies: [Strategy]
  /// The clusters, the first that contains a question counts.
  public var clusters: [Cluster]
  /// The sentence that asks for the answer at the end, where answers are compared.
  public var answerLine: String
  /// System messages that ask for explanations; an empty one asks for nothing.
  public var explanations: [String]

  /// The strategy with an identifier.
  /// - Throws: ``TeachingError`` that names similar ones.
  public func strategy(_ id: String) throws -> Strategy {
    if let strategy = strategies.first(where: { $0.id == id }) { return strategy }
    let question = NearestNames.question(id, among: strategies.map(\.id))
    throw TeachingError(
      "there is no strategy \"\(id)\""
        + (question.isEmpty ? "; known are \(strategies.map(\.id).joined(separator: ", "))" : question))
  }

  /// The cluster that a question belongs to; nil if there is none.
  public func cluster(of row: TeachingRow) -> Cluster? { clusters.first { $0.contains(row) } }

  /// The strategy that a question names, or that of its cluster.
  /// - Throws: ``TeachingError`` where no cluster contains the question.
  public func strategy(for row: TeachingRow) throws -> Strategy {
    if let id = row.strategy { return try strategy(id) }
    guard let cluster = cluster(of: row) else { throw noCluster(row.task) }
    return try strategy(cluster.strategy)
  }

  func noCluster(_ task: String) -> TeachingError {
    TeachingError(
      "no cluster of strategies contains the task \"\(task.printable)\"; add it to the `tasks` of one in a strategies file"
    )
  }

  /// What a teacher is told of a strategy.
  public func system(_ strategy: Strategy, endsWithAnswer: Bool) -> String {
    endsWithAnswer ? strategy.message + " " + answerLine : strategy.message
  }

  /// The identifier of the strategy whose form a text has; nil where it has that of none. Of several it is the one with the most signs,
  /// as a strategy that asks for more than another has the other's form as well; of equally many the first of the table.
  public func followed(by text: String) -> String? {
    let fitting = strategies.filter { $0.isFollowed(by: text) }
    let most = fitting.map(\.signs.count).max()
    return fitting.first { $0.signs.count == most }?.id
  }
}
