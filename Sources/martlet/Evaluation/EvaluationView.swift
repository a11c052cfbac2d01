import Foundation
import MartletEvaluation

/// The results of an evaluation as a table for people, as JSON for programs, and as a page.
struct EvaluationView {
  let results: EvaluationResults
  let published: [PublishedScores]
  let conditions: [String]
  /// What did not run, and why.
  let missing: [(task: String, reason: String)]

  var page: String {
    EvaluationPage(results, published: published, conditions: conditions, missing: missing).html
  }

  // MARK: Text

  var text: String {
    let comparisons = results.comparisons()
    let averages = TableAverage.all.flatMap(average)
    let unused =
      averages.isEmpty && !published.isEmpty
      ? "No task is a member of \(TableAverage.all.map(\.name).joined(separator: " or ")), so no published scores stand beside."
      : ""
    let parts = [scores] + averages + [unused, differences(comparisons)]
    return parts.filter { !$0.isEmpty }.joined(separator: "\n\n")
  }

  /// Every metric of every task and group.
  private var scores: String {
    var rows = [["task", "rows", "metric"] + results.labels + ["guessing"]]
    let scores = results.models.indices.map(results.scores)
    func add(_ name: String, as title: String, _ metrics: [Metric], chance: Double?) {
      let count = scores.first?.first { $0.name == name }?.count ?? 0
      var isFirst = true
      for metric in metrics {
        let values = scores.map { $0.first { $0.name == name }?.values[metric.name] }
        guard values.contains(where: { $0 != nil }) else { continue }
        let written = values.map { value in value.map { EvaluationNumber.text($0, metric) } ?? "" }
        let guessing = metric.kind == .perplexity ? nil : chance.map { EvaluationNumber.percent($0) }
        rows.append((isFirst ? [title, "\(count)"] : ["", ""]) + [metric.name] + written + [guessing ?? ""])
        isFirst = false
      }
    }
    for task in results.tasks { add(task.task.name, as: task.task.name, task.task.metrics, chance: task.chance) }
    for group in results.groups {
      let metrics = results.tasks.first { group.members.contains($0.task.name) }?.task.metrics ?? []
      add(group.name, as: group.title, metrics, chance: nil)
    }
    return TextTable(rows, leading: 3).text
  }

  private func average(_ average: TableAverage) -> [String] {
    guard let table = AverageTable(average, of: results, published: published) else { return [] }
    return [([TextTable([table.head] + table.rows, leading: 1).text] + table.notes).joined(separator: "\n")]
  }

  private func differences(_ comparisons: [ModelComparison]) -> String {
    guard !comparisons.isEmpty else { return "" }
    let rows =
      [["task", "metric", "models", "rows", "difference", "95 % interval", "right alone", "p (McNemar)"]]
      + comparisons.map { comparison in
        [
          comparison.task, comparison.metric, "\(comparison.second) - \(comparison.first)", "\(comparison.count)",
          EvaluationNumber.difference(comparison, results), EvaluationNumber.interval(comparison, results),
          comparison.test.map { "\($0.onlyFirst) / \($0.onlySecond)" } ?? "",
          comparison.test.map { EvaluationNumber.probability($0.pValue) } ?? "",
        ]
      }
    return "Paired differences on the same rows (points; bootstrap of 2,000 repeats)\n"
      + TextTable(rows, leading: 3).text
  }

  // MARK: JSON

  var json: [String: Any] {
    [
      "models": results.models, "conditions": conditions,
      "tasks": results.models.indices.flatMap(tasks), "groups": results.models.indices.flatMap(groups),
      "averages": results.models.indices.flatMap { model in TableAverage.all.map { object($0, model: model) } },
      "comparisons": results.comparisons().map(object),
      "published": published.map { scores in
        [
          "name": scores.name, "model": scores.title, "source": scores.source,
          "note": "of all rows, with another version of the harness, not measured here",
          "percent": scores.columns,
        ] as [String: Any]
      },
      "missing": missing.map { ["task": $0.task, "reason": $0.reason] },
    ]
  }

  private func tasks(of model: Int) -> [[String: Any]] {
    let scores = results.taskScores(of: model)
    return results.tasks.compactMap { task in
      guard let score = scores.first(where: { $0.name == task.task.name }) else { return nil }
      var metrics: [String: Any] = [:]
      for (name, estimate) in score.values {
        var metric = object(estimate)
        if let interval = results.interval(task, name, model: model) {
          metric["interval"] = [interval.lower, interval.upper]
        }
        metrics[name] = metric
      }
      return [
        "model": results.models[model], "task": score.name, "groups": task.task.groups, "rows": score.count,
        "main_metric": task.mainMetric ?? NSNull(), "guessing": task.chance ?? NSNull(), "metrics": metrics,
      ]
    }
  }

  private func groups(of model: Int) -> [[String: Any]] {
    let groups = results.groups
    return results.groupScores(of: model).map { score in
      let group = groups.first { $0.name == score.name }
      return [
        "model": results.models[model], "group": score.name, "rows": score.count,
        "tasks": group?.members.count ?? 0, "tasks_of_group": group?.total ?? NSNull(),
        "metrics": score.values.mapValues(object),
      ]
    }
  }

  private func object(_ estimate: MeanEstimate) -> [String: Any] {
    ["value": estimate.value, "standard_error": estimate.standardError]
  }

  private func object(_ average: TableAverage, model: Int) -> [String: Any] {
    let value = average.value(results.tableScores(of: model))
    return [
      "model": results.models[model], "average": average.name, "is_complete": value.isComplete,
      // The average's name belongs to the mean of all members alone.
      "percent": value.isComplete ? 100 * value.mean.value : NSNull(),
      "percent_of_present": value.present.isEmpty ? NSNull() : 100 * value.mean.value,
      "standard_error": value.present.isEmpty ? NSNull() : 100 * value.mean.standardError,
      "present": value.present.map(\.member.name), "missing": value.missing.map(\.name),
    ]
  }

  private func object(_ comparison: ModelComparison) -> [String: Any] {
    [
      "task": comparison.task, "metric": comparison.metric, "first": comparison.first, "second": comparison.second,
      "rows": comparison.count, "difference": comparison.difference,
      "interval": [comparison.interval.lower, comparison.interval.upper],
      "only_first": comparison.test?.onlyFirst ?? NSNull(), "only_second": comparison.test?.onlySecond ?? NSNull(),
      "p_value": comparison.test?.pValue ?? NSNull(),
    ]
  }
}
