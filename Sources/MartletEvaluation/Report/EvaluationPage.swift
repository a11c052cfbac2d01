import Foundation
import MartletData

/// The results of an evaluation as a page: bars with intervals, tables, and what a reader may conclude.
public struct EvaluationPage: Sendable {
  /// What is shown.
  public var results: EvaluationResults
  /// Published scores that stand beside.
  public var published: [PublishedScores]
  /// How rows were put to the models and how many, in words, for the head of the page.
  public var conditions: [String]
  /// The tasks that could not run, each with the reason.
  public var missing: [(task: String, reason: String)]

  /// A page of results.
  public init(
    _ results: EvaluationResults, published: [PublishedScores] = [], conditions: [String] = [],
    missing: [(task: String, reason: String)] = []
  ) {
    self.results = results
    self.published = published
    self.conditions = conditions
    self.missing = missing
  }

  private static let colors = ["#1f5fbf", "#d2691e", "#2e8b57", "#8a4fbf", "#b8860b", "#c2185b"]

  /// The page, self-contained.
  public var html: String {
    let comparisons = results.comparisons()
    let parts =
      [conditions.map { "<p>\(escaped($0))</p>" }.joined(), chart.html, scoreTable]
      + TableAverage.all.map(averageTable)
      + [comparisonTable(comparisons), conclusions(comparisons), missingList]
    return LineChart.page(
      title: "Evaluation of \(results.labels.joined(separator: ", "))",
      parts.filter { !$0.isEmpty }.joined(separator: "\n"))
  }

  private func escaped(_ text: String) -> String { LineChart.escaped(text) }

  /// The main metric of every task that is a share of rows.
  private var chart: BarChart {
    let groups = results.tasks.compactMap { task -> BarChart.Group? in
      guard let metric = task.mainMetric, task.task.metrics.first(where: { $0.name == metric })?.kind != .perplexity
      else { return nil }
      let bars = results.models.indices.map { model -> BarChart.Bar? in
        let values = task.values(metric, model: model)
        guard !values.isEmpty else { return nil }
        return BarChart.Bar(
          100 * values.reduce(0, +) / Double(values.count),
          interval: results.interval(task, metric, model: model).map { (100 * $0.lower, 100 * $0.upper) })
      }
      return BarChart.Group("\(task.task.name) \(metric)", bars, mark: task.chance.map { 100 * $0 })
    }
    return BarChart(
      "Scores with intervals of 95 %; the dashed line is what guessing gives", groups,
      series: results.labels.enumerated().map { ($1, Self.colors[$0 % Self.colors.count]) }, over: "%")
  }

  private func table(_ head: [String], _ rows: [[String]]) -> String {
    guard !rows.isEmpty else { return "" }
    let lines = rows.map { row in "<tr>\(row.map { "<td>\(escaped($0))</td>" }.joined())</tr>" }
    return """
      <div class="table"><table class="numbers">
      <tr>\(head.map { "<th>\(escaped($0))</th>" }.joined())</tr>
      \(lines.joined(separator: "\n"))
      </table></div>
      """
  }

  private var scoreTable: String {
    let scores = results.models.indices.map(results.taskScores)
    let rows = results.tasks.flatMap { task in
      task.task.metrics.map { metric -> [String] in
        let values = scores.map { scores -> String in
          let value = scores.first { $0.name == task.task.name }?.values[metric.name]
          return value.map { EvaluationNumber.text($0, metric) } ?? ""
        }
        let chance = metric.kind == .perplexity ? nil : task.chance.map { EvaluationNumber.percent($0) }
        let count = task.results.first?.count { $0 != nil } ?? 0
        return [task.task.name, metric.name, "\(count)"] + values + [chance ?? ""]
      }
    }
    return "<h2>Scores</h2>\n<p>In percent, with standard errors; perplexities as they are.</p>\n"
      + table(["task", "metric", "rows"] + results.labels + ["guessing"], rows)
  }

  private func averageTable(_ average: TableAverage) -> String {
    guard let values = AverageTable(average, of: results, published: published) else { return "" }
    return "<h2>\(escaped(average.name))</h2>\n" + table(values.head, values.rows)
      + values.notes.map { "<p>\(escaped($0))</p>" }.joined()
  }

  private func comparisonTable(_ comparisons: [ModelComparison]) -> String {
    let corrected = comparisons.compactMap { $0.test?.pValue }.holmCorrected
    var next = corrected.makeIterator()
    let rows = comparisons.map { (comparison: ModelComparison) -> [String] in
      [
        comparison.task, comparison.metric, "\(comparison.count)",
        "\(comparison.second) − \(comparison.first)",
        EvaluationNumber.difference(comparison, results), EvaluationNumber.interval(comparison, results),
        comparison.test.map { "\($0.onlyFirst) / \($0.onlySecond)" } ?? "",
        comparison.test.map { EvaluationNumber.probability($0.pValue) } ?? "",
        comparison.test == nil ? "" : next.next().map(EvaluationNumber.probability) ?? "",
      ]
    }
    guard !rows.isEmpty else { return "" }
    return "<h2>Paired differences</h2>\n"
      + "<p>On the same rows; intervals of 95 % by resampling rows 2,000 times; McNemar's exact test, also corrected for the number of tests (Holm).</p>\n"
      + table(
        ["task", "metric", "rows", "models", "difference", "interval", "right alone", "p", "p corrected"], rows)
  }

  private func conclusions(_ comparisons: [ModelComparison]) -> String {
    let sentences = EvaluationConclusions(results, comparisons).sentences
    return "<h2>What may be concluded</h2>\n<ul>\(sentences.map { "<li>\(escaped($0))</li>" }.joined())</ul>"
  }

  private var missingList: String {
    guard !missing.isEmpty else { return "" }
    let items = missing.map { "<li>\(escaped($0.task)): \(escaped($0.reason))</li>" }
    return "<h2>Tasks that did not run</h2>\n<ul>\(items.joined())</ul>"
  }
}
