/// The value of every metric of a task over its rows, or of a group over its tasks.
public struct TaskScore: Sendable, Equatable {
  /// The task's or group's name.
  public let name: String
  /// How many rows there are.
  public let count: Int
  /// The metrics' values by their names: means over rows, or a perplexity.
  public let values: [String: MeanEstimate]

  /// Scores that were computed elsewhere, of as many rows as the largest of their counts.
  init(name: String, values: [String: MeanEstimate]) {
    self.name = name
    self.values = values
    count = values.values.map(\.count).max() ?? 0
  }

  /// Means over the rows of a task.
  public init(_ task: EvaluationTask, _ results: [RowResult]) {
    name = task.name
    count = results.count
    var values: [String: MeanEstimate] = [:]
    for metric in task.metrics {
      let mean = MeanEstimate(of: results.compactMap { $0.values[metric.name] })
      guard mean.count > 0 else { continue }
      values[metric.name] = metric.kind == .perplexity ? mean.perplexity : mean
    }
    self.values = values
  }

  /// A group's means over its tasks' means, weighted by their rows; errors are pooled. A metric that not every task has is left out.
  public init(group name: String, _ scores: [TaskScore]) {
    self.name = name
    count = scores.reduce(0) { $0 + $1.count }
    var values: [String: MeanEstimate] = [:]
    for metric in Set(scores.flatMap(\.values.keys)) {
      let parts = scores.compactMap { $0.values[metric] }
      if parts.count == scores.count { values[metric] = .weighted(parts) }
    }
    self.values = values
  }
}
