import ArgumentParser
import Foundation
import MartletData
import MartletEditing
import MartletEvaluation
import MartletLaboratory
struct EditScale: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scale",
    abstract: "Measures a store with a large number of edits: lookup, insertion, memory and start-up.",
    discussion: """
      The store is filled with questions from --data and then with invented facts; its vectors are random and nothing is \
      trained. The edits of the model are not changed.

      Example: martlet edit scale model.gguf --count 100000 --data counterfact.jsonl.gz --unrelated nq_open_dev.jsonl.gz
      """)
  @OptionGroup var options: ModelOptions
  @Option(help: "Number of edits.") var count = 100_000
  @Option(help: "JSONL file of edits with the questions to use.") var data: String?
  @Option(help: "File of questions to ask.") var unrelated: String?
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    if !(1000...100_000_000).contains(count) { throw ValidationError("--count must be from 1000 to 100000000") }
  }

  func run() throws {
    let loaded = try options.load()
    let path = NSTemporaryDirectory() + "martlet-scale-\(UUID().uuidString).sqlite"
    defer { for ending in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + ending) } }
    let progress = Progress("filling")
    let report = try StoreBenchmark.run(
      loaded, count: count, rows: data.map(EditRow.read) ?? [], questions: unrelated.map(EditRow.questions) ?? [],
      path: path
    ) { progress.update($0, of: $1, unit: "edits", scale: 1) }
    progress.finish()
    if json {
      return StandardOutput.write(try JSONEncoder.snakeCase.encode(report) + Data("\n".utf8))
    }
    print("\(report.edits) edits: \(report.fileBytes >> 20) MB on disk, \(report.residentBytes >> 20) MB in memory")
    print(String(format: "start               %8.2f s", report.startSeconds))
    print(
      String(
        format: "lookup, one core    %8.3f ms median, %.3f ms p99 (%.2f %% of a 100-token prefill of %.1f ms)",
        report.lookupMedian, report.lookup99, 100 * report.lookupMedian / report.prefill, report.prefill))
    print(
      String(
        format: "  key pass          %8.3f ms, for %.1f %% of questions", report.keyPass, 100 * report.keyPassShare))
    print(
      String(
        format: "exact nearest key   %8.3f ms median, %.3f ms p99, %.0f rows measured in full", report.nearestMedian,
        report.nearest99, report.nearestMeasured))
    print(
      String(format: "insertion           %8.3f ms median, %.3f ms p99", report.insertMedian, report.insert99))
  }
}
