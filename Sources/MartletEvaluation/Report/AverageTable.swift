import Foundation

/// A published average with its members as a table: what was measured here, and published scores beside it.
public struct AverageTable: Sendable {
  /// The heading.
  public let head: [String]
  /// A line for each member, and below them the means.
  public let rows: [[String]]
  /// What must be said below the table, a sentence each.
  public let notes: [String]

  /// nil if no model has a score of any member.
  public init?(_ average: TableAverage, of results: EvaluationResults, published: [PublishedScores]) {
    let values = results.models.indices.map { average.value(results.tableScores(of: $0)) }
    guard let first = values.first, !first.present.isEmpty else { return nil }
    func percent(_ value: Double?) -> String { value.map { String(format: "%.1f", $0) } ?? "" }
    head = [average.name] + results.labels + published.map { "published: \($0.title)" }
    var rows = average.members.map { member in
      ["\(member.name) \(member.metric)"]
        + values.map { value in
          value.present.first { $0.member == member }.map { EvaluationNumber.percent($0.score) } ?? "-"
        } + published.map { percent($0.columns[member.column]) }
    }
    var notes: [String] = []
    if !first.isComplete {
      // Published scores have every member; beside a mean of some belongs the mean of the same.
      let columns = first.present.map(\.member.column)
      let means = published.map { scores in
        percent(columns.compactMap { scores.columns[$0] }.reduce(0, +) / Double(columns.count))
      }
      rows.append(
        ["mean of \(first.present.count) of \(average.members.count) members"]
          + values.map { EvaluationNumber.percent($0.mean) } + means)
      notes.append(
        "\(average.name) needs all \(average.members.count) members; missing: "
          + first.missing.map { results.title($0.name) }.joined(separator: ", ") + ".")
    }
    rows.append(
      [average.name] + values.map { $0.isComplete ? EvaluationNumber.percent($0.mean) : "-" }
        + published.map { percent($0.percent(average)) })
    if !published.isEmpty {
      let sources = Set(published.map(\.source)).sorted().joined(separator: " and ")
      notes.append(
        "Published columns: \(sources); of all rows, with another version of the harness, not measured here.")
    }
    self.rows = rows
    self.notes = notes
  }
}
