import Foundation
import MartletData
import MartletEvaluation

/// The page of a report: what may be concluded, accuracies with intervals, curves over lengths and sizes, what was damaged, which
/// strategies students chose, what it all cost, and answers to read. Whatever students wrote is shown as text and never as markup.
public struct TeachingPage: Sendable {
  /// What is shown.
  public var report: TeachingReport
  /// The title.
  public var title: String
  /// What was done, in a sentence or two; empty for nothing.
  public var about: String

  /// A page.
  /// - Parameters:
  ///   - report: what is shown.
  ///   - title: the title.
  ///   - about: what was done, in a sentence or two.
  public init(_ report: TeachingReport, title: String = "Teaching", about: String = "") {
    self.report = report
    self.title = title
    self.about = about
  }

  private static let colors = ["#888888", "#1f5fbf", "#d2691e", "#2e8b57", "#8a4fbf", "#b8860b", "#c2185b"]

  func color(_ arm: String) -> String {
    let names = report.arms + Self.unique(report.damage?.cells.map(\.arm) ?? []).filter { !report.arms.contains($0) }
    return Self.colors[(names.firstIndex(of: arm) ?? 0) % Self.colors.count]
  }
  static func escaped(_ text: String) -> String { LineChart.escaped(text.printable) }
  static func unique(_ texts: [String]) -> [String] {
    var seen: Set<String> = []
    return texts.filter { seen.insert($0).inserted }
  }
  static func list(_ sentences: [String]) -> String {
    sentences.isEmpty ? "" : "<ul>\(sentences.map { "<li>\(escaped($0))</li>" }.joined())</ul>"
  }
  /// A table whose first row is the head.
  static func table(_ rows: [[String]]) -> String {
    let lines = rows.enumerated().map { number, cells in
      let tag = number == 0 ? "th" : "td"
      return "<tr>\(cells.map { "<\(tag)>\(escaped($0))</\(tag)>" }.joined())</tr>"
    }
    return "<div class='table'><table class='numbers' style='white-space: nowrap'>\(lines.joined())</table></div>"
  }
  /// An estimate with its interval, in percent or, of a length, in its unit.
  static func text(_ estimate: TeachingReport.Estimate, scale: Double = 100) -> String {
    EvaluationFormat.tenths(scale * estimate.value) + " ("
      + EvaluationFormat.tenths(scale * estimate.interval.lower) + " to "
      + EvaluationFormat.tenths(scale * estimate.interval.upper) + ")"
  }

  /// The page, self-contained.
  public var html: String {
    let parts = [
      about.isEmpty ? "" : "<p>\(Self.escaped(about))</p>", conclusions,
      bars(report.cells, "Right answers, %"), curves, table, strategies, damage, cost, TeachingExamples(report).html,
      "<h2>How to read the intervals</h2><p>Intervals hold 95 % of \(TeachingReport.draws) draws of seeds and of questions; differences are of the same questions. Shares that are 0 or 100 % throughout have Wilson's interval over the questions, and differences between such shares Newcombe's. Every interval stands by itself: of twenty, one may be wrong by chance.</p>",
    ]
    return LineChart.page(title: title, parts.filter { !$0.isEmpty }.joined(separator: "\n"))
  }

  private var conclusions: String {
    report.conclusions.isEmpty ? "" : "<h2>What may be concluded</h2>\(Self.list(report.conclusions))"
  }

  /// Bars of accuracies, a group for each task and split.
  private func bars(_ cells: [TeachingReport.Cell], _ title: String, names: (TeachingReport.Cell) -> String) -> String {
    let arms = Self.unique(cells.map(\.arm))
    return BarChart(
      title,
      Self.unique(cells.map(names)).map { name in
        BarChart.Group(
          name,
          arms.map { arm in
            cells.first { $0.arm == arm && names($0) == name }?.measures[.accuracy].map {
              BarChart.Bar(100 * $0.value, interval: (100 * $0.interval.lower, 100 * $0.interval.upper))
            }
          })
      }, series: arms.map { ($0, color($0)) }, over: "%"
    ).html
  }
  private func bars(_ cells: [TeachingReport.Cell], _ title: String) -> String {
    bars(cells, title) { "\($0.task), \($0.split)" }
  }

  private var curves: String {
    report.curves.map { curve in
      let lines = curve.lines.map { line in
        LineChart.Line(
          line.name, line.points.map { ($0.x, 100 * $0.accuracy.value) }, color: color(line.name),
          intervals: line.points.map { ($0.x, 100 * $0.accuracy.interval.lower, 100 * $0.accuracy.interval.upper) })
      }
      let place = curve.split.map { "\(curve.task), \($0)" } ?? curve.task
      return LineChart(
        "\(place): right answers, %", lines, over: curve.axis.name, isLogarithmicX: curve.axis == .questions
      ).html
    }.joined(separator: "\n")
  }

  private var table: String {
    let measures = TeachingReport.Measure.allCases.filter { measure in
      report.cells.contains { $0.measures[measure] != nil }
    }
    let head = ["task", "split", "arm", "questions"] + measures.map(\.title) + ["each seed, %"]
    let rows = report.cells.map { cell in
      var row = [cell.task, cell.split, cell.arm, "\(cell.questionCount)"]
      for measure in measures {
        row.append(cell.measures[measure].map { Self.text($0, scale: measure == .length ? 1 : 100) } ?? "")
      }
      row.append(cell.measures[.accuracy]?.seeds.map(TeachingReport.points).joined(separator: ", ") ?? "")
      return row
    }
    return "<h2>All numbers</h2>\(Self.table([head] + rows))"
  }

  /// The strategies whose forms answers have: a row for each arm and task.
  private var strategies: String {
    let cells = (report.taught + report.cells).filter { !$0.strategies.isEmpty || $0.measures[.followed] != nil }
    let names = Self.unique(cells.flatMap { $0.strategies.keys.sorted() }).sorted()
    guard !names.isEmpty else { return "" }
    let rows = cells.map { cell in
      let rest = 1 - cell.strategies.values.reduce(0) { $0 + $1.value }
      return [cell.arm, cell.task, cell.split, cell.measures[.followed].map { Self.text($0) } ?? ""]
        + names.map { cell.strategies[$0].map { Self.text($0) } ?? "0.0" } + [TeachingReport.points(max(0, rest))]
    }
    let head =
      ["arm", "task", "split", TeachingReport.Measure.followed.title]
      + names.map { "\($0.replacing("_", with: " ")), %" } + ["none, %"]
    return
      "<h2>The strategy that students chose</h2><p>Nobody told them one. The form of an answer decides: marks that the strategies' messages ask for, which a text can also have by chance.</p>\(Self.table([head] + rows))"
  }

  private var damage: String {
    guard let damage = report.damage else { return "" }
    let measured = Self.unique(damage.cells.map(\.arm))
    return
      "<h2>What was damaged</h2><p>The same rows are put to the untouched student (\(Self.escaped(damage.untouched))) and to what became of it. <code>\(Self.escaped(InstructionCheck.task))</code> is the share of instructions whose fulfilment shows in the form of the answer.</p>"
      + bars(damage.cells, "Right or fulfilled, %") { $0.task }
      + (measured.count > 1 ? Self.list(damage.conclusions) : "")
  }

  private var cost: String {
    guard let cost = report.cost, !(cost.arms.isEmpty && cost.teachers.isEmpty) else { return "" }
    let arms = cost.arms.map { arm in
      [
        arm.name, "\(arm.runs)", "\(arm.questions)", "\(arm.steps)", "\(arm.tokens)", "\(arm.countedTokens)",
        arm.processorSeconds.map { EvaluationFormat.tenths($0 / 60) } ?? "not measured",
      ]
    }
    let teachers = cost.teachers.map { teacher in
      [
        teacher.model, "\(teacher.responses)",
        teacher.countedResponses > 0 ? "\(teacher.promptTokens)" : "not told",
        teacher.countedResponses > 0 ? "\(teacher.completionTokens)" : "not told",
        teacher.money.map { String(format: "%.4g", $0) } ?? "no price told",
      ]
    }
    return "<h2>What it cost</h2>"
      + (arms.isEmpty
        ? ""
        : "<p>Training, all seeds together.</p>"
          + Self.table(
            [["arm", "runs", "questions", "steps", "tokens read", "tokens learnt", "CPU minutes"]] + arms))
      + (teachers.isEmpty
        ? ""
        : "<p>The teacher. Tokens are those that it told; responses that came with the questions have none.</p>"
          + Self.table([["teacher", "responses", "tokens read", "tokens written", "price"]] + teachers))
  }
}
