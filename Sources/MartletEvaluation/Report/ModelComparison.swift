/// Two models on the same rows of a task.
public struct ModelComparison: Sendable {
  /// The task, or `avg%` and `xavg%` for the mean of all members that there are.
  public let task: String
  /// The metric; of a perplexity, the rows' log-likelihoods are compared.
  public let metric: String
  /// The models' names as tables have them.
  public let first, second: String
  /// How many rows both have answered.
  public let count: Int
  /// How much larger the mean is for the second model.
  public let difference: Double
  /// The paired bootstrap interval of the difference.
  public let interval: ConfidenceInterval
  /// McNemar's exact test; nil where rows are not simply right or wrong.
  public let test: McNemarTest?

  /// Whether the interval leaves no difference out.
  public var isBeyondChance: Bool { !interval.contains(0) }
}

extension EvaluationResults {
  /// Every other model beside the first, on the main metric of each task and on the published averages.
  ///
  /// - Parameter bootstrap: its seed and its repeats; rows are drawn within each task.
  public func comparisons(_ bootstrap: Bootstrap = Bootstrap(repeats: 2000)) -> [ModelComparison] {
    let labels = labels
    return models.indices.dropFirst().flatMap { second -> [ModelComparison] in
      var list: [ModelComparison] = []
      // The bootstrap's means of each task, for the averages over tasks.
      var replicates: [String: (difference: Double, count: Int, values: [Double])] = [:]
      for task in tasks {
        guard let metric = task.mainMetric else { continue }
        let pairs = zip(task.results[0], task.results[second]).compactMap { one, other -> (Double, Double)? in
          guard let one = one?.values[metric], let other = other?.values[metric] else { return nil }
          return (one, other)
        }
        // One row says nothing about others.
        guard pairs.count > 1 else { continue }
        let differences = pairs.map { $1 - $0 }
        let means = bootstrap.means(of: differences, named: task.task.name)
        let mean = differences.reduce(0, +) / Double(differences.count)
        let isBinary = pairs.allSatisfy { [0, 1].contains($0) && [0, 1].contains($1) }
        list.append(
          ModelComparison(
            task: task.task.name, metric: metric, first: labels[0], second: labels[second], count: pairs.count,
            difference: mean, interval: bootstrap.interval(ofValues: means),
            test: isBinary ? McNemarTest(first: pairs.map { $0.0 == 1 }, second: pairs.map { $0.1 == 1 }) : nil))
        replicates[task.task.name] = (mean, pairs.count, means)
      }
      for group in groups {
        let parts = group.members.compactMap { replicates[$0] }
        let total = parts.reduce(0) { $0 + $1.count }
        guard total > 0 else { continue }
        let weights = parts.map { Double($0.count) / Double(total) }
        replicates[group.name] = (
          zip(parts, weights).reduce(0) { $0 + $1.0.difference * $1.1 }, total,
          (0..<bootstrap.repeats).map { place in zip(parts, weights).reduce(0) { $0 + $1.0.values[place] * $1.1 } }
        )
      }
      for average in TableAverage.all {
        let parts = average.members.compactMap { canBeMember($0.name) ? replicates[$0.name] : nil }
        guard parts.count > 1 else { continue }
        let number = Double(parts.count)
        let means = (0..<bootstrap.repeats).map { place in parts.reduce(0) { $0 + $1.values[place] } / number }
        let missing = average.members.count - parts.count
        list.append(
          ModelComparison(
            task: missing == 0
              ? average.name : "mean of \(parts.count) of the \(average.members.count) members of \(average.name)",
            metric: "mean", first: labels[0], second: labels[second], count: parts.reduce(0) { $0 + $1.count },
            difference: parts.reduce(0) { $0 + $1.difference } / number,
            interval: bootstrap.interval(ofValues: means), test: nil))
      }
      return list
    }
  }
}
