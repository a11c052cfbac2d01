import Foundation
import MartletData
import MartletEvaluation

/// The page of an in-context-learning probe: the paper's curves with intervals, tables, and what a reader may conclude.
public struct InContextPage: Sendable {
  /// What is shown.
  public var summary: InContextSummary
  /// How it was measured, one sentence each.
  public var conditions: [String]
  /// Further charts, which come first.
  public var charts: [LineChart] = []

  /// A page of a summary.
  public init(_ summary: InContextSummary, conditions: [String] = []) {
    self.summary = summary
    self.conditions = conditions
  }

  private static let colors = ["#1f5fbf", "#d2691e", "#2e8b57", "#8a4fbf", "#b8860b", "#c2185b"]

  /// The page, self-contained.
  public var html: String {
    let name = models.compactMap(\.self).joined(separator: ", ")
    return LineChart.page(
      title: name.isEmpty ? "In-context learning" : "In-context learning: \(name)",
      ([conditions.map { "<p>\(escaped($0))</p>" }.joined(), conclusions] + charts.map(\.html) + flippedCharts + [
        symbolChart, table, explanation,
      ])
      .filter { !$0.isEmpty }.joined(separator: "\n"))
  }

  private func escaped(_ text: String) -> String { LineChart.escaped(text) }

  /// The models in their order; nil stands for rows that name none.
  private var models: [String?] {
    summary.cells.map(\.key.model).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  private func color(_ model: String?) -> String {
    Self.colors[(models.firstIndex(of: model) ?? 0) % Self.colors.count]
  }

  private var conclusions: String {
    let sentences = summary.conclusions
    if sentences.isEmpty { return "" }
    return "<h2>What may be concluded</h2><ul>\(sentences.map { "<li>\(escaped($0))</li>" }.joined())</ul>"
  }

  /// Accuracy and AUROC against the share of flipped labels, for each task and number of exemplars.
  private var flippedCharts: [String] {
    let groups = summary.slopes.map { "\($0.task), \($0.shots) exemplars a class" }
      .reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    return groups.flatMap { group in
      [
        (InContextMeasure.batchCalibratedAccuracy, "calibrated accuracy", 100.0),
        (.areaUnderCurve, "AUROC", 1), (.generatedAccuracy, "accuracy of generated answers", 100),
      ].compactMap { measure, name, scale in chart(group, measure, name, scale: scale) }
    }
  }

  private func chart(_ group: String, _ measure: InContextMeasure, _ name: String, scale: Double) -> String? {
    let lines = models.compactMap { model -> LineChart.Line? in
      let cells = summary.cells.filter {
        $0.key.model == model && "\($0.key.task), \($0.key.shots) exemplars a class" == group
          && $0.flippedShare != nil && $0.measures[measure] != nil
      }.sorted { ($0.flippedShare ?? 0) < ($1.flippedShare ?? 0) }
      guard cells.count > 1 else { return nil }
      let points = cells.compactMap { cell in
        cell.measures[measure].map { (x: 100 * (cell.flippedShare ?? 0), estimate: $0) }
      }
      return LineChart.Line(
        model ?? "model", points.map { (x: $0.x, y: scale * $0.estimate.value) }, color: color(model),
        intervals: points.map { ($0.x, scale * $0.estimate.interval.lower, scale * $0.estimate.interval.upper) })
    }
    guard !lines.isEmpty else { return nil }
    return LineChart("\(group): \(name)\(scale == 100 ? ", %" : "")", lines, over: "share of flipped labels, %").html
  }

  /// AUROC with symbols in place of labels, by task and number of exemplars: of both assignments together where both were measured.
  private var symbolChart: String {
    var order: [String] = [], values: [String: [String?: InContextEstimate]] = [:]
    func add(_ group: String, _ model: String?, _ estimate: InContextEstimate?) {
      guard let estimate, !estimate.value.isNaN else { return }
      if values[group] == nil { order.append(group) }
      values[group, default: [:]][model] = estimate
    }
    for cell in summary.cells {
      switch InContextSetting(cell.key.setting) {
      case .symbols(isSwapped: false), .linear(isSwapped: false): break
      default: continue
      }
      let both = summary.controls.first {
        $0.model == cell.key.model && $0.task == cell.key.task && $0.shots == cell.key.shots
      }
      add(
        "\(cell.key.task), k = \(cell.key.shots)", cell.key.model,
        both?.measures[.areaUnderCurve] ?? cell.measures[.areaUnderCurve])
    }
    if order.isEmpty { return "" }
    return BarChart(
      "Labels without meaning: AUROC; the dashed line is what guessing gives",
      order.map { group in
        BarChart.Group(
          group,
          models.map { model in
            values[group]?[model].map { estimate in
              BarChart.Bar(
                estimate.value,
                interval: estimate.interval.lower.isNaN ? nil : (estimate.interval.lower, estimate.interval.upper))
            }
          }, mark: 0.5)
      }, series: models.map { ($0 ?? "model", color($0)) }, over: "AUROC"
    ).html
  }

  private var table: String {
    // Columns that nothing fills are left out.
    let all = summary.tableRows
    let columns = (all.first ?? []).indices.filter { column in all.dropFirst().contains { !$0[column].isEmpty } }
    let rows = all.map { row in columns.map { row[$0] } }
    func line(_ cells: [String], _ tag: String) -> String {
      "<tr>\(cells.map { "<\(tag)>\(escaped($0))</\(tag)>" }.joined())</tr>"
    }
    return
      "<h2>All cells</h2><div class='table'><table class='numbers'>\(line(rows.first ?? [], "th"))\(rows.dropFirst().map { line($0, "td") }.joined())</table></div>"
  }

  private var explanation: String {
    """
    <h2>How to read this</h2>
    <p>Intervals hold 95 % of \(summary.draws) draws of contexts with their queries; differences are of the same contexts. Calibrated accuracy takes
    from each label what it gets on average over the queries of a context (Zhou et al., 2024). AUROC is the share of pairs of queries of a
    context that the scores order rightly: it knows no threshold and no bias; 0.5 is guessing. A model overrides what it knows only if, with
    all labels flipped, the upper end of the interval is below guessing (Wei et al., 2023). Anything less is following in part, or nothing. Every interval
    stands by itself: of twenty sentences of this kind, one may be wrong by chance.</p>
    """
  }
}
