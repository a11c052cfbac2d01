import MartletData
import MartletEvaluation

/// What students answered, arm beside arm: accuracies of each task and split with intervals over seeds and questions, and paired
/// differences from the first arm.
public struct TeachingReport: Sendable {
  /// What is measured of an answer.
  public enum Measure: String, Sendable, CaseIterable {
    /// Whether the answer as it was written is right.
    case accuracy
    /// Whether the answer written with the calculator in the loop is right.
    case calculated
    /// Whether the answer is right after its arithmetic was corrected.
    case corrected
    /// Whether an answer in the form of the rule was found.
    case form
    /// Whether the student ended the answer itself.
    case ended
    /// Whether the answer has the form of the strategy that is taught for its task.
    case followed
    /// The number of tokens of the answer.
    case length

    /// The name in tables.
    public var title: String {
      switch self {
      case .accuracy: "right, %"
      case .calculated: "right with the calculator, %"
      case .corrected: "right when corrected, %"
      case .form: "with an answer, %"
      case .ended: "ended, %"
      case .followed: "taught strategy, %"
      case .length: "tokens"
      }
    }

    /// The value of an answer; nil where it was not measured.
    func value(_ answer: StudentAnswer) -> Double? {
      func number(_ flag: Bool?) -> Double? { flag.map { $0 ? 1 : 0 } }
      return switch self {
      case .accuracy: number(answer.row.isCorrect)
      case .calculated: number(answer.calculated?.isCorrect)
      case .corrected: number(answer.corrected?.isCorrect)
      case .form: number(answer.hasAnswer)
      case .ended: number(answer.isEnded)
      case .followed: number(answer.row.strategy.map { $0 == answer.followed })
      case .length: answer.row.completionTokens.map(Double.init)
      }
    }
  }

  /// An arm on a task's split.
  public struct Cell: Sendable {
    /// The arm, the task and the split.
    public var arm, task, split: String
    /// The number of questions.
    public var questionCount: Int
    /// What was measured.
    public var measures: [Measure: Estimate]
    /// How much higher the accuracy is than that of the first arm on the same questions; nil for the first arm itself.
    public var difference: Estimate?
    /// How much more often answers have the form of the strategy that is taught for the task than those of the first arm; nil for the
    /// first arm itself, and where no strategies are known.
    public var followedDifference: Estimate?
    /// How much higher the accuracy is with the calculator in the loop than without, on the same questions; nil where there was none.
    public var calculatorGain: Estimate?
    /// The share of answers in the form of each strategy; answers without any of these forms make up the rest.
    public var strategies: [String: Estimate]
  }

  /// The arms in their order.
  public let arms: [String]
  /// Every arm on every split, tasks and splits in the order in which they first occur.
  public let cells: [Cell]
  /// Answers to read: the first questions of each split, with what every arm wrote with its first seed.
  public let examples: [[StudentAnswer]]
  /// Accuracies over the length of questions, and over the number of questions that were learnt from.
  public let curves: [TeachingCurve]
  /// What teaching has damaged; nil where that was not measured.
  public let damage: TeachingDamage?
  /// What teaching has cost; nil where nobody told it.
  public let cost: TeachingCost?
  /// The forms of the responses that were taught, for each task, with which those of students may be compared; empty where nobody told
  /// them.
  public let taught: [Cell]

  /// A report of answers.
  /// - Parameters:
  ///   - files: the answers of each run, the first arm being the one that others are compared with.
  ///   - training: the results of the runs, for costs and curves over the number of questions.
  ///   - damage: what was damaged; nil where that was not measured.
  ///   - cost: what teaching has cost; nil where nobody tells it.
  ///   - taught: the responses that were learnt from, whose forms are told; dropped ones do not count.
  ///   - strategies: the strategies whose forms they are compared with.
  /// - Throws: ``TeachingError`` where runs were not asked the same questions.
  public init(
    _ files: [[StudentAnswer]], training: [ArmTrainingResult] = [], damage: TeachingDamage? = nil,
    cost: TeachingCost? = nil, taught: [TeachingRow] = [], strategies: StrategyTable? = nil
  ) throws {
    let answers = files.flatMap { $0 }.map(Self.named)
    func unique(_ texts: [String]) -> [String] {
      var seen: Set<String> = []
      return texts.filter { seen.insert($0).inserted }
    }
    let arms = unique(answers.map(\.arm))
    guard let first = arms.first else {
      throw TeachingError("there are no answers to report; give files that `martlet teach test` has written")
    }
    self.arms = arms
    var cells: [Cell] = [], examples: [[StudentAnswer]] = []
    for place in unique(answers.map { "\($0.row.task)\u{0}\($0.row.split)" }) {
      let parts = place.split(separator: "\u{0}", omittingEmptySubsequences: false).map(String.init)
      let groups = try arms.map { arm in
        try Self.seeds(answers.filter { $0.arm == arm && $0.row.task == parts[0] && $0.row.split == parts[1] }, arm)
      }
      let base = groups[0]
      for (arm, seeds) in zip(arms, groups) {
        guard let questions = seeds.first, !questions.isEmpty else { continue }
        var cell = Cell(
          arm: arm, task: parts[0], split: parts[1], questionCount: questions.count, measures: [:], strategies: [:])
        for measure in Measure.allCases {
          let table = seeds.map { $0.compactMap(measure.value) }
          guard table.allSatisfy({ $0.count == questions.count }) else { continue }
          cell.measures[measure] = Self.estimate(table, isShare: measure != .length)
        }
        for name in Set(seeds.joined().compactMap(\.followed)) {
          cell.strategies[name] = Self.estimate(seeds.map { $0.map { $0.followed == name ? 1 : 0 } })
        }
        if arm != first, let other = base.first {
          guard other.map(\.row.id) == questions.map(\.row.id) else {
            throw TeachingError(
              "the arms \(first) and \(arm) were asked different questions of \(parts[0]), \(parts[1]); test both with the same file and limits"
            )
          }
          cell.difference = Self.difference(base, seeds, in: .accuracy)
          cell.followedDifference = Self.difference(base, seeds, in: .followed)
        }
        if cell.measures[.calculated] != nil {
          cell.calculatorGain = Self.estimate(
            seeds.map { $0.map { (Measure.calculated.value($0) ?? 0) - (Measure.accuracy.value($0) ?? 0) } },
            isShare: false)
        }
        cells.append(cell)
      }
      for number in 0..<3 {
        examples.append(groups.compactMap { $0.first.flatMap { $0.indices.contains(number) ? $0[number] : nil } })
      }
    }
    self.cells = cells
    self.examples = examples.filter { !$0.isEmpty }
    self.damage = damage
    self.cost = cost
    self.taught = try Self.forms(of: taught, strategies)
    curves =
      TeachingCurve.overLengths(cells, lengths: Self.lengths(answers)) + TeachingCurve.overQuestions(cells, training)
  }

  /// The forms of responses: a cell for each task.
  private static func forms(of rows: [TeachingRow], _ strategies: StrategyTable?) throws -> [Cell] {
    let answers = rows.filter { $0.dropped == nil && $0.response != nil }.map { row in
      var row = row
      (row.seed, row.strategy) = (nil, row.strategy ?? strategies?.cluster(of: row)?.strategy)
      var answer = StudentAnswer(row, arm: "what was taught", isEnded: true)
      answer.followed = strategies?.followed(by: row.response ?? "")
      return answer
    }
    return answers.isEmpty || strategies == nil ? [] : try TeachingReport([answers]).cells
  }

  private static func difference(
    _ one: [[StudentAnswer]], _ other: [[StudentAnswer]], in measure: Measure
  ) -> Estimate? {
    let tables = [one, other].map { $0.map { $0.compactMap(measure.value) } }
    guard let count = one.first?.count, tables.joined().allSatisfy({ $0.count == count }) else { return nil }
    return difference(tables[0], tables[1])
  }

  /// The length of a task's questions in a split, where rows tell it as `n` and it is the same for all.
  private static func lengths(_ answers: [StudentAnswer]) -> [[String]: Double] {
    Dictionary(grouping: answers) { [$0.row.task, $0.row.split] }.compactMapValues { rows in
      let lengths = Set(rows.map { $0.row.others["n"]?.number })
      return lengths.count == 1 ? lengths.first ?? nil : nil
    }
  }

  /// The answer with its arm's name without the seed at its end.
  static func named(_ answer: StudentAnswer) -> StudentAnswer {
    var answer = answer
    answer.arm = armName(answer.arm, seed: answer.row.seed)
    return answer
  }

  /// An arm's name without the seed at its end: `thoughts-seed-2` is the arm `thoughts` with the seed 2.
  static func armName(_ name: String, seed: Int?) -> String {
    for ending in seed.map({ ["-seed-\($0)", "-\($0)"] }) ?? [] where name.hasSuffix(ending) {
      return String(name.dropLast(ending.count))
    }
    return name
  }

  /// The answers of each seed, in the order of the questions.
  private static func seeds(_ answers: [StudentAnswer], _ arm: String) throws -> [[StudentAnswer]] {
    let groups = Dictionary(grouping: answers) { $0.row.seed ?? 0 }.sorted { $0.key < $1.key }.map(\.value)
    for group in groups where group.map(\.row.id) != groups[0].map(\.row.id) {
      throw TeachingError(
        "the seeds of the arm \(arm) were asked different questions; finish the tests that were ended early, or leave their files out"
      )
    }
    return groups
  }
}
