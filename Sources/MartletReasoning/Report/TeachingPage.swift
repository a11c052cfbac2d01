import Foundation
import MartletData
import MartletEvaluation

/// The page of a report: what may be concluded, accuracies with intervals, the curve over lengths, and answers to read. Whatever
/// students wrote is shown as text and never as markup.
public struct TeachingPage: Sendable {
  /// What is shown.
  public var report: TeachingReport
  /// The title.
  public var title: String

  /// A page.
  public init(_ report: TeachingReport, title: String = "Teaching") {
    self.report = report
    self.title = title
  }

  private static let colors = ["#888888", "#1f5fbf", "#d2691e", "#2e8b57", "#8a4fbf", "#b8860b", "#c2185b"]
  /// The most characters of an answer that are shown.
  private static let mostShown = 1200

  private func color(_ arm: String) -> String {
    Self.colors[(report.arms.firstIndex(of: arm) ?? 0) % Self.colors.count]
  }
  private func escaped(_ text: String) -> String { LineChart.escaped(text.printable) }

  /// The page, self-contained.
  public var html: String {
    let conclusions = report.conclusions.map { "<li>\(escaped($0))</li>" }.joined()
    return LineChart.page(
      title: title,
      ([conclusions.isEmpty ? "" : "<h2>What may be concluded</h2><ul>\(conclusions)</ul>", bars.html] + curves + [
        table, examples,
        "<p>Intervals hold 95 % of \(TeachingReport.draws) draws of seeds and of questions; differences are of the same questions. Every interval stands by itself: of twenty, one may be wrong by chance.</p>",
      ]).filter { !$0.isEmpty }.joined(separator: "\n"))
  }

  private func unique(_ texts: [String]) -> [String] {
    var seen: Set<String> = []
    return texts.filter { seen.insert($0).inserted }
  }

  private var bars: BarChart {
    BarChart(
      "Accuracy, %",
      unique(report.cells.map { "\($0.task), \($0.split)" }).map { name in
        BarChart.Group(
          name,
          report.arms.map { arm in
            report.cells.first { $0.arm == arm && "\($0.task), \($0.split)" == name }?.measures[.accuracy].map {
              BarChart.Bar(100 * $0.value, interval: (100 * $0.interval.lower, 100 * $0.interval.upper))
            }
          })
      }, series: report.arms.map { ($0, color($0)) }, over: "%")
  }

  /// Accuracy over the length of questions, where splits are named by it (`test_ood3`).
  private var curves: [String] {
    unique(report.cells.map(\.task)).compactMap { task in
      let lines = report.arms.compactMap { arm -> LineChart.Line? in
        let points = report.cells.compactMap { cell -> (x: Double, estimate: TeachingReport.Estimate)? in
          guard cell.arm == arm, cell.task == task, let length = Self.length(cell.split),
            let estimate = cell.measures[.accuracy]
          else { return nil }
          return (length, estimate)
        }.sorted { $0.x < $1.x }
        guard points.count > 1 else { return nil }
        return LineChart.Line(
          arm, points.map { ($0.x, 100 * $0.estimate.value) }, color: color(arm),
          intervals: points.map { ($0.x, 100 * $0.estimate.interval.lower, 100 * $0.estimate.interval.upper) })
      }
      return lines.isEmpty
        ? nil : LineChart("\(task): accuracy beyond the length taught, %", lines, over: "length").html
    }
  }

  private static func length(_ split: String) -> Double? {
    guard let range = split.range(of: "_ood") else { return nil }
    return Double(split[range.upperBound...])
  }

  private var table: String {
    let measures = TeachingReport.Measure.allCases.filter { measure in
      report.cells.contains { $0.measures[measure] != nil }
    }
    let head =
      ["task", "split", "arm", "questions"] + measures.map { $0 == .length ? "tokens" : "\($0.rawValue), %" }
      + ["each seed, %"]
    let rows = report.cells.map { cell in
      [cell.task, cell.split, cell.arm, "\(cell.questionCount)"]
        + measures.map { measure in
          cell.measures[measure].map { estimate in
            let scale = measure == .length ? 1.0 : 100
            return EvaluationFormat.tenths(scale * estimate.value) + " ("
              + EvaluationFormat.tenths(scale * estimate.interval.lower) + " to "
              + EvaluationFormat.tenths(scale * estimate.interval.upper) + ")"
          } ?? ""
        } + [cell.measures[.accuracy]?.seeds.map(TeachingReport.points).joined(separator: ", ") ?? ""]
    }
    func line(_ cells: [String], _ tag: String) -> String {
      "<tr>\(cells.map { "<\(tag)>\(escaped($0))</\(tag)>" }.joined())</tr>"
    }
    return
      "<h2>All numbers</h2><div class='table'><table class='numbers'>\(line(head, "th"))\(rows.map { line($0, "td") }.joined())</table></div>"
  }

  private var examples: String {
    let blocks = report.examples.map { answers in
      let question = answers.first?.row
      let texts = answers.map { answer in
        let text = answer.row.response ?? ""
        let shown = String(text.prefix(Self.mostShown)) + (text.count > Self.mostShown ? " …" : "")
        return
          "<p><b>\(escaped(answer.arm))</b> (\(answer.row.isCorrect == true ? "right" : "wrong"))</p><pre>\(escaped(shown))</pre>"
      }
      return
        "<h3>\(escaped(question?.task ?? "")), \(escaped(question?.split ?? ""))</h3><p>\(escaped(String((question?.questionWithChoices ?? "").prefix(Self.mostShown))))</p><p>Right: \(escaped(question?.answer ?? ""))</p>\(texts.joined())"
    }
    return blocks.isEmpty ? "" : "<h2>Answers to read</h2>\(blocks.joined())"
  }
}
