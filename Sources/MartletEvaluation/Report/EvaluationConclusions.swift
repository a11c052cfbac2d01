import Foundation

/// What the results of an evaluation support, in sentences, and what they do not.
struct EvaluationConclusions {
  let sentences: [String]

  init(_ results: EvaluationResults, _ comparisons: [ModelComparison]) {
    var sentences: [String] = []
    for (model, name) in results.labels.enumerated() {
      let scored = results.tasks.compactMap { task -> (name: String, chance: Double, interval: ConfidenceInterval)? in
        guard let chance = task.chance, let metric = task.mainMetric,
          let interval = results.interval(task, metric, model: model)
        else { return nil }
        return (task.task.name, chance, interval)
      }
      let above = scored.filter { $0.interval.lower > $0.chance }.map(\.name)
      let atChance = scored.filter { $0.interval.contains($0.chance) }.map(\.name)
      let below = scored.filter { $0.interval.upper < $0.chance }.map(\.name)
      if !above.isEmpty { sentences.append("\(name) is better than guessing on \(above.listed).") }
      if !atChance.isEmpty {
        sentences.append("On \(atChance.listed), \(name) cannot be told from guessing with so many rows.")
      }
      if !below.isEmpty {
        sentences.append(
          "\(name) is worse than guessing on \(below.listed): it prefers wrong answers for some reason, such as their length."
        )
      }
    }
    let tests = comparisons.compactMap { comparison in comparison.test.map { (comparison, $0.pValue) } }
    let corrected = tests.map(\.1).holmCorrected
    for (first, second) in Set(comparisons.map { [$0.first, $0.second] }).sorted(by: { $0[1] < $1[1] }).map({
      ($0[0], $0[1])
    }) {
      let pairs = zip(tests, corrected).filter { $0.0.0.first == first && $0.0.0.second == second }
      let better = pairs.filter { $0.1 < 0.05 && $0.0.0.difference > 0 }.map(\.0.0.task)
      let worse = pairs.filter { $0.1 < 0.05 && $0.0.0.difference < 0 }.map(\.0.0.task)
      if !better.isEmpty { sentences.append("\(second) is better than \(first) on \(better.listed).") }
      if !worse.isEmpty { sentences.append("\(second) is worse than \(first) on \(worse.listed).") }
      if better.isEmpty, worse.isEmpty, !pairs.isEmpty {
        sentences.append("No task tells \(second) from \(first), once the number of tests is allowed for.")
      }
    }
    let fewest = results.tasks.map { task in task.results.first?.count { $0 != nil } ?? 0 }.min() ?? 0
    if fewest > 0, fewest < 500 {
      sentences.append(
        String(
          format: "A score of %d rows has a standard error of up to %.1f points: smaller differences say nothing.",
          fewest,
          50 / Double(fewest).squareRoot()))
    }
    sentences.append(
      "Intervals are about other rows of the same kind; they do not tell whether rows were in the models' training data."
    )
    self.sentences = sentences
  }
}

extension [String] {
  /// `a, b and c`.
  fileprivate var listed: String {
    count < 2 ? first ?? "" : dropLast().joined(separator: ", ") + " and " + self[count - 1]
  }
}
