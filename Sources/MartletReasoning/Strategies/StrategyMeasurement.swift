import MartletData
import MartletEvaluation
import MartletTensor

/// How often each strategy leads to the right answer, for each cluster of tasks and each model that is asked; the best of a cluster is
/// chosen by the model that decides (Orca 2 lets the student's performance guide the choice).
public struct StrategyMeasurement: Sendable {
  /// The accuracy of a model with a strategy on the questions of a cluster.
  public struct Cell: Sendable, Equatable {
    /// The cluster's name.
    public var cluster: String
    /// The strategy's identifier.
    public var strategy: String
    /// `student` or `teacher`.
    public var judge: StrategySettings.Judge
    /// The number of right answers and of questions.
    public var correct: Int, count: Int
    /// The number of answers that were found at all.
    public var found: Int
    /// The share of right answers.
    public var accuracy: Double { count > 0 ? Double(correct) / Double(count) : .nan }
    /// Wilson's interval of the accuracy.
    public var interval: ConfidenceInterval { .wilson(correct, of: count) }
  }

  /// The strategy of a cluster.
  public struct Choice: Sendable, Equatable {
    /// The cluster's name.
    public var cluster: String
    /// The strategy's identifier.
    public var strategy: String
    /// Whether no other strategy is as good within the intervals.
    public var isClear: Bool
  }

  /// Strategies and clusters, with the strategies that were chosen.
  public private(set) var table: StrategyTable
  /// The measurements, in the order of clusters, strategies and judges.
  public private(set) var cells: [Cell] = []
  /// The choices.
  public private(set) var choices: [Choice] = []
  private let settings: StrategySettings
  private let seed: Int

  /// - Parameters:
  ///   - table: strategies and clusters.
  ///   - settings: which strategies are tried, on what, and who decides.
  ///   - seed: draws the questions.
  /// - Throws: ``TeachingError`` where the settings name a strategy or a cluster that is not there.
  public init(_ table: StrategyTable, settings: StrategySettings, seed: Int = 1) throws {
    self.table = table
    self.settings = settings
    self.seed = seed
    for id in settings.tried + settings.fixed.values { _ = try table.strategy(id) }
    for cluster in settings.fixed.keys.sorted() where !table.clusters.contains(where: { $0.name == cluster }) {
      let names = table.clusters.map(\.name)
      throw TeachingError(
        "`fixed` names the cluster \"\(cluster.printable)\", which is not there"
          + NearestNames.question(cluster, among: names) + "; clusters are \(names.joined(separator: ", "))")
    }
  }

  /// Measures every strategy on the questions of the split that have an answer and a rule, and chooses.
  ///
  /// - Parameters:
  ///   - rows: questions of all splits.
  ///   - models: who is asked; the judge of the settings decides.
  ///   - cache: where answers are kept.
  ///   - maxTokens: the largest number of tokens of an answer.
  ///   - progress: called after each answer.
  /// - Throws: ``TeachingError`` where there are no questions, and what the models throw.
  public mutating func run(
    _ rows: [TeachingRow], models: [(judge: StrategySettings.Judge, model: any Teacher)], cache: AnswerCache,
    maxTokens: Int = 256, progress: (_ done: Int, _ of: Int) throws -> Void = { _, _ in }
  ) async throws {
    guard models.contains(where: { $0.judge == settings.judge }) else {
      throw TeachingError("the \(settings.judge.rawValue) decides on strategies, so name one")
    }
    let asked = rows.filter { $0.split == settings.split && $0.answer != nil && $0.rule != nil }
    guard !asked.isEmpty else {
      let splits = Set(rows.map(\.split)).sorted().joined(separator: ", ")
      throw TeachingError(
        "no question of the split \"\(settings.split)\" has an answer and a rule to compare it by; the splits are \(splits), set some questions apart for validation"
      )
    }
    var groups: [(cluster: Int, rows: [TeachingRow])] = []
    let owners = asked.map { row in table.clusters.firstIndex { $0.contains(row) } }
    if let lost = zip(asked, owners).first(where: { $0.1 == nil })?.0 { throw table.noCluster(lost.task) }
    for cluster in table.clusters.indices {
      let own = zip(asked, owners).filter { $0.1 == cluster }.map(\.0)
      let order = RandomSource(seed: UInt64(max(0, seed))).stream(table.clusters[cluster].name).permutation(own.count)
      let chosen = order.prefix(settings.limit).sorted().map { row in
        var row = own[row]
        (row.response, row.teacher) = (nil, nil)
        return row
      }
      if !chosen.isEmpty { groups.append((cluster, chosen)) }
    }
    let tried = table.strategies.filter { settings.tried.isEmpty || settings.tried.contains($0.id) }
    let open = groups.filter { settings.fixed[table.clusters[$0.cluster].name] == nil }
    let total = open.reduce(0) { $0 + $1.rows.count } * tried.count * models.count
    var done = 0
    for (cluster, questions) in open {
      for strategy in tried {
        for (judge, model) in models {
          let answers = try await answers(questions, strategy, model, cache, maxTokens) {
            try progress(min(total, done + $0), total)
          }
          done += questions.count
          cells.append(
            Cell(
              cluster: table.clusters[cluster].name, strategy: strategy.id, judge: judge,
              correct: answers.count { $0.isCorrect == true }, count: answers.count,
              found: answers.count { $0.extracted != nil }))
        }
      }
    }
    choose(groups.map(\.cluster))
  }

  private func answers(
    _ questions: [TeachingRow], _ strategy: Strategy, _ model: any Teacher, _ cache: AnswerCache, _ maxTokens: Int,
    progress: (Int) throws -> Void
  ) async throws -> [TeachingRow] {
    var settings = GenerationSettings()
    settings.prompt = .strategy
    settings.maxTokens = maxTokens
    let rows = questions.map { row in
      var row = row
      row.strategy = strategy.id
      return row
    }
    let generation = Generation(try TeacherPrompt(settings, strategies: table, seed: seed), seed: seed)
    let answered = try await generation.run(rows, teacher: model, cache: cache) { done, _ in try progress(done) }
    return try AnswerCheck().checked(answered.rows)
  }

  private mutating func choose(_ clusters: [Int]) {
    for cluster in clusters {
      let name = table.clusters[cluster].name
      if let fixed = settings.fixed[name] {
        table.clusters[cluster].strategy = fixed
        choices.append(Choice(cluster: name, strategy: fixed, isClear: true))
        continue
      }
      let own = cells.filter { $0.cluster == name && $0.judge == settings.judge }
      // Of equally good ones the first in the order of the table.
      guard let most = own.map(\.correct).max(), let best = own.first(where: { $0.correct == most }) else { continue }
      table.clusters[cluster].strategy = best.strategy
      let isClear = own.allSatisfy { $0 == best || $0.interval.upper < best.interval.lower }
      choices.append(Choice(cluster: name, strategy: best.strategy, isClear: isClear))
    }
  }

  /// Chooses the strategies that the settings set, where nothing is to be measured.
  mutating func fix() { choose(table.clusters.indices.filter { settings.fixed[table.clusters[$0].name] != nil }) }

  /// The table with its choices, and the measurements, as a file of strategies.
  public var json: JSONValue {
    guard var object = table.json.object else { return table.json }
    object.append(
      "measurements",
      .array(
        cells.map { cell in
          [
            "cluster": .string(cell.cluster), "strategy": .string(cell.strategy), "model": .string(cell.judge.rawValue),
            "correct": .integer(cell.correct), "count": .integer(cell.count), "found": .integer(cell.found),
            "accuracy": .number(cell.accuracy), "lower": .number(cell.interval.lower),
            "upper": .number(cell.interval.upper),
            "chosen": .bool(choices.contains { $0.cluster == cell.cluster && $0.strategy == cell.strategy }),
          ]
        }))
    return .object(object)
  }
}
