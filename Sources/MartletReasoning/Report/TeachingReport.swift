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
    /// The number of tokens of the answer.
    case length

    /// The value of an answer; nil where it was not measured.
    func value(_ answer: StudentAnswer) -> Double? {
      func number(_ flag: Bool?) -> Double? { flag.map { $0 ? 1 : 0 } }
      return switch self {
      case .accuracy: number(answer.row.isCorrect)
      case .calculated: number(answer.calculated?.isCorrect)
      case .corrected: number(answer.corrected?.isCorrect)
      case .form: number(answer.hasAnswer)
      case .ended: number(answer.isEnded)
      case .length: answer.row.completionTokens.map(Double.init)
      }
    }
  }

  /// A mean over seeds and questions.
  public struct Estimate: Sendable, Equatable {
    /// The mean.
    public var value: Double
    /// An interval of 95 % over draws of seeds and of questions.
    public var interval: ConfidenceInterval
    /// The mean of each seed.
    public var seeds: [Double]
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
    /// The share of answers in the form of each strategy.
    public var strategies: [String: Double]
  }

  /// The arms in their order.
  public let arms: [String]
  /// Every arm on every split, tasks and splits in the order in which they first occur.
  public let cells: [Cell]
  /// Answers to read: the first questions of each split, with what every arm wrote with its first seed.
  public let examples: [[StudentAnswer]]

  /// Draws behind each interval.
  public static let draws = 2000

  /// A report of answers.
  /// - Parameter files: the answers of each run, the first arm being the one that others are compared with.
  /// - Throws: ``TeachingError`` where runs were not asked the same questions.
  public init(_ files: [[StudentAnswer]]) throws {
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
        let followed = seeds.flatMap { $0 }
        for name in Set(followed.compactMap(\.followed)) {
          cell.strategies[name] = Double(followed.count { $0.followed == name }) / Double(followed.count)
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
  }

  /// The answer with its arm's name without the seed at its end: `thoughts-seed-2` is the arm `thoughts` with the seed 2.
  private static func named(_ answer: StudentAnswer) -> StudentAnswer {
    var answer = answer
    for ending in answer.row.seed.map({ ["-seed-\($0)", "-\($0)"] }) ?? [] where answer.arm.hasSuffix(ending) {
      answer.arm.removeLast(ending.count)
      break
    }
    return answer
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

  // MARK: Intervals

  /// The means of `table`, `[seed][question]`, over all draws of questions and of seeds; `seed` is that of the draws of seeds.
  private static func means(_ table: [[Double]], seed: UInt64) -> [Double] {
    let questions = Bootstrap(repeats: draws, seed: 1), seeds = Bootstrap(repeats: draws, seed: seed)
    let count = table.first?.count ?? 0
    return (0..<draws).map { repetition in
      // The questions drawn are those of every arm; seeds of different arms have nothing in common.
      let drawn = questions.draw(repetition, of: count)
      let chosen = seeds.draw(repetition, of: table.count)
      let sum = chosen.reduce(0.0) { sum, seed in sum + drawn.reduce(0.0) { $0 + table[seed][$1] } }
      return sum / Double(max(1, count * table.count))
    }
  }

  private static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(max(1, values.count)) }

  private static func estimate(_ table: [[Double]]) -> Estimate {
    let seeds = table.map(mean)
    return Estimate(
      value: mean(seeds), interval: Bootstrap(repeats: draws).interval(ofValues: means(table, seed: 2)),
      seeds: seeds)
  }

  private static func difference(_ one: [[Double]], _ other: [[Double]]) -> Estimate {
    let values = zip(means(other, seed: 3), means(one, seed: 2)).map { $0 - $1 }
    return Estimate(
      value: mean(other.map(mean)) - mean(one.map(mean)),
      interval: Bootstrap(repeats: draws).interval(ofValues: values),
      seeds: [])
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

  /// A share in points with one decimal.
  static func points(_ share: Double) -> String { EvaluationFormat.tenths(100 * share) }
}

/// Numbers with one decimal.
enum EvaluationFormat {
  static func tenths(_ value: Double) -> String {
    guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
    let tenths = Int((value * 10).rounded())
    return "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
  }
}
