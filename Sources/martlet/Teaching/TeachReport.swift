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
      the first file, on the same questions. An interval holds 95 % of draws of seeds and of questions. --runs adds what \
      training cost, and curves over the number of questions of arms that differ in --share alone; --damage adds what \
      `martlet teach damage` measured; --responses adds the teacher's tokens.

      Example:
        martlet teach report answers-seed-1.jsonl thoughts-seed-1.jsonl --runs runs/answers-seed-1 runs/thoughts-seed-1 \
      --damage untouched.jsonl damage-thoughts-seed-1.jsonl --responses generated.jsonl --html page.html
      """)

  @Argument(help: "Files of answers.") var files: [String]
  @Option(parsing: .upToNextOption, help: "Folders of the runs of `martlet teach train`.") var runs: [String] = []
  @Option(parsing: .upToNextOption, help: "Files that `martlet teach damage` has written.") var damage: [String] = []
  @Option(help: "The name of the untouched student in --damage (default: untrained, else that of the first file).")
  var untouched: String?
  @Option(parsing: .upToNextOption, help: "Files of the teacher's responses, for the tokens that they cost.")
  var responses: [String] = []
  @Option(help: "File of strategies with whose forms the responses are compared (default: those of the package).")
  var strategies: String?
  @Option(help: "Price of a million tokens that the teacher reads.") var promptPrice: Double?
  @Option(help: "Price of a million tokens that the teacher writes.") var completionPrice: Double?
  @Option(name: .shortAndLong, help: "Write all numbers as one JSON object to this file.") var output: String?
  @Option(help: "Write a page with charts, all numbers and answers to read to this file.") var html: String?
  @Option(help: "The title of the page.") var title = "Teaching"
  @Flag(help: OutputOptions.forceHelp) var force = false
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    if (promptPrice == nil) != (completionPrice == nil) {
      throw ValidationError("--prompt-price and --completion-price belong together; give both")
    }
    if promptPrice != nil, responses.isEmpty { throw ValidationError("--prompt-price needs --responses") }
    if [promptPrice, completionPrice].compactMap(\.self).contains(where: { !($0 >= 0 && $0.isFinite) }) {
      throw ValidationError("prices must be 0 or more")
    }
    if untouched != nil, damage.isEmpty { throw ValidationError("--untouched needs --damage") }
  }

  func run() throws {
    for path in [html, output].compactMap(\.self) { try OutputTarget.check(path, replaces: force) }
    let report = try report()
    if let html { try AtomicFile.write(TeachingPage(report, title: title).html.utf8, to: html, replaces: force) }
    if let output { try AtomicFile.write(Array((report.json.text + "\n").utf8), to: output, replaces: force) }
    if json { return print(report.json.text) }
    Self.show(report)
  }

  /// Prints the table and what may be concluded.
  static func show(_ report: TeachingReport) {
    print(TextTable(rows(report), leading: 3).text)
    let sentences = report.conclusions + (report.damage?.conclusions ?? [])
    if !sentences.isEmpty { print("\n" + sentences.map(\.printable).joined(separator: "\n")) }
  }

  private func report() throws -> TeachingReport {
    let training = try runs.map { folder in
      guard let found = try ArmTrainingResult.read(folder) else {
        throw TeachingError("\(folder) holds no complete run; train with `martlet teach train` first")
      }
      return found
    }
    let teacher = try responses.flatMap { try JSONLines.read($0).map { try TeachingRow($0) } }
    let price = promptPrice.flatMap { prompt in completionPrice.map { (prompt: prompt, completion: $0) } }
    return try TeachingReport(
      try files.map(Self.answers), training: training,
      damage: damage.isEmpty ? nil : TeachingDamage(try damage.map(Self.answers), untouched: untouched),
      cost: runs.isEmpty && responses.isEmpty
        ? nil : TeachingCost(training: training, responses: teacher, price: price),
      taught: teacher, strategies: try strategies.map { try StrategyTable.read($0) } ?? .shipped)
  }

  private static func answers(_ path: String) throws -> [StudentAnswer] {
    try JSONLines.read(path).map { try StudentAnswer($0) }
  }

  private static func rows(_ report: TeachingReport) -> [[String]] {
    [["task", "split", "arm", "questions", "right, %", "95 % interval", "with an answer, %", "tokens"]]
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
