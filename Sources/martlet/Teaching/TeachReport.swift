import ArgumentParser
import Foundation
import MartletData
import MartletEvaluation
import MartletReasoning

struct TeachReport: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Compares what students answered, arm beside arm, with intervals over seeds and questions.",
    discussion: """
      The files are those that `martlet teach test` writes, one for each arm and seed. Others are compared with the arm of \
      the first file, on the same questions. An interval holds 95 % of draws of seeds and of questions.

      Example: martlet teach report answers-1.jsonl answers-2.jsonl thoughts-1.jsonl thoughts-2.jsonl --html page.html
      """)

  @Argument(help: "Files of answers.") var files: [String]
  @Option(help: "Write a page with charts, all numbers and answers to read to this file.") var html: String?
  @Option(help: "The title of the page.") var title = "Teaching"
  @Flag(help: "Overwrite the page if it exists.") var force = false
  @Flag(help: "Print one JSON object.") var json = false

  func run() throws {
    if let html { try OutputTarget.check(html, replaces: force) }
    let report = try TeachingReport(try files.map { try JSONLines.read($0).map { try StudentAnswer($0) } })
    if let html { try AtomicFile.write(TeachingPage(report, title: title).html.utf8, to: html, replaces: force) }
    if json { return print(report.json.text) }
    print(TextTable(rows(report), leading: 3).text)
    if !report.conclusions.isEmpty { print("\n" + report.conclusions.map(\.printable).joined(separator: "\n")) }
  }

  private func rows(_ report: TeachingReport) -> [[String]] {
    [["task", "split", "arm", "questions", "accuracy", "95 % interval", "form", "tokens"]]
      + report.cells.map { cell in
        func text(_ measure: TeachingReport.Measure, _ scale: Double) -> String {
          cell.measures[measure].map { String(format: "%.1f", scale * $0.value) } ?? ""
        }
        let interval = cell.measures[.accuracy].map {
          String(format: "%.1f to %.1f", 100 * $0.interval.lower, 100 * $0.interval.upper)
        }
        return [
          cell.task.printable, cell.split.printable, cell.arm.printable, "\(cell.questionCount)", text(.accuracy, 100),
          interval ?? "", text(.form, 100), text(.length, 1),
        ]
      }
  }
}
