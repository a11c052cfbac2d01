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

  /// A report of answers.
  /// - Parameters:
  ///   - files: the answers of each run, the first arm being the one that others are compared with.
  ///   - training: the results of the runs, for costs and curves over the number of questions.
  ///   - damage: what was damaged; nil where that was not measured.
  ///   - cost: what teaching has cost; nil where nobody tells it.
  /// - Throws: ``TeachingError`` where runs were not asked the same questions.
  public init(
    _ files: [[StudentAnswer]], training: [ArmTrainingResult] = [], damage: TeachingDamage? = nil,
    cost: TeachingCost? = nil
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
          cell.measures[measure] = Self.estimate(table)
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
          cell.difference = Self.difference(
            base.map { $0.compactMap(Measure.accuracy.value) }, seeds.map { $0.compactMap(Measure.accuracy.value) })
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
    curves =
      TeachingCurve.overLengths(cells, lengths: Self.lengths(answers)) + TeachingCurve.overQuestions(cells, training)
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

  /// What may be concluded of differences, one sentence each.
  public var conclusions: [String] {
    cells.compactMap { cell in
      guard let difference = cell.difference, let first = arms.first else { return nil }
      let place = "\(cell.task), \(cell.split)"
      let numbers =
        "\(Self.points(difference.value)) points (95 % from \(Self.points(difference.interval.lower)) to \(Self.points(difference.interval.upper)))"
      if difference.interval.lower > 0 { return "\(place): \(cell.arm) is better than \(first) by \(numbers)." }
      if difference.interval.upper < 0 { return "\(place): \(cell.arm) is worse than \(first): \(numbers)." }
      return "\(place): no difference between \(cell.arm) and \(first) is shown: \(numbers)."
    }
  }
}
