import Foundation

/// The value of every metric of a task over its rows, or of a group over its tasks.
public struct TaskScore: Sendable, Equatable {
  /// A metric's value.
  public struct Value: Sendable, Equatable {
    /// The value: a mean over rows, or a perplexity.
    public let value: Double
    /// The standard error of the mean (sample deviation by `n - 1`, divided by the root of `n`), of a perplexity by the delta method;
    /// nil for fewer than two rows.
    public let standardError: Double?
  }

  /// The task's or group's name.
  public let name: String
  /// How many rows there are.
  public let count: Int
  /// The values by the metrics' names.
  public let values: [String: Value]

  /// Means over the rows of a task.
  public init(_ task: EvaluationTask, _ results: [RowResult]) {
    name = task.name
    count = results.count
    var values: [String: Value] = [:]
    for metric in task.metrics {
      let rows = results.compactMap { $0.values[metric.name] }
      guard !rows.isEmpty else { continue }
      values[metric.name] = Self.value(of: metric, rows)
    }
    self.values = values
  }

  /// A group's means over its tasks' means, weighted by their rows; errors are combined accordingly. A metric that not every task has
  /// is left out.
  public init(group name: String, _ scores: [TaskScore]) {
    self.name = name
    count = scores.reduce(0) { $0 + $1.count }
    var values: [String: Value] = [:]
    for metric in Set(scores.flatMap(\.values.keys)) {
      let parts = scores.compactMap { score in score.values[metric].map { (value: $0, weight: Double(score.count)) } }
      guard parts.count == scores.count, count > 0 else { continue }
      let total = Double(count)
      let mean = parts.reduce(0) { $0 + $1.value.value * $1.weight } / total
      let errors = parts.compactMap { part in part.value.standardError.map { ($0 * part.weight / total) } }
      let error = errors.count == parts.count ? errors.reduce(0) { $0 + $1 * $1 }.squareRoot() : nil
      values[metric] = Value(value: mean, standardError: error)
    }
    self.values = values
  }

  private static func value(of metric: Metric, _ rows: [Double]) -> Value {
    let count = Double(rows.count)
    let mean = rows.reduce(0, +) / count
    let squares = rows.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let error = rows.count > 1 ? (squares / (count - 1) / count).squareRoot() : nil
    guard metric.kind == .perplexity else { return Value(value: mean, standardError: error) }
    let perplexity = exp(-mean)
    return Value(value: perplexity, standardError: error.map { $0 * perplexity })
  }
}
