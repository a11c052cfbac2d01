import ArgumentParser
import Foundation
import MartletData
import MartletEditing
import MartletEngine
import MartletEvaluation
import MartletLaboratory
struct EditExperiment: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "experiment",
    abstract: "Runs the other two experiments of the GRACE paper: label updates and corrected passages.",
    discussion: """
      (The first, about factual questions, is `martlet edit bench`.) --data is the folder of the data sets: banking_*, \
      hallucination.jsonl.gz and wikitext2_paras.jsonl.gz.

      Example: martlet edit experiment label-shift model.gguf --data editing
      """,
    subcommands: [EditLabelShift.self, EditHallucination.self])
}

struct EditLabelShift: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "label-shift",
    abstract: "Edits a classifier on the model's embeddings while its labels change over time.",
    discussion: "Example: martlet edit experiment label-shift model.gguf --data editing")
  @OptionGroup var options: ModelOptions
  @Option(help: "Folder with banking_train, banking_stream and banking_labelshift.") var data: String
  @Option(help: "Initial radius (default: half the typical distance to the nearest query).") var radius: Float?
  @Option(help: "GRACE rules: paper, reference, easyedit or nearest.") var rules = CodebookRules.paper
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    if let radius, !(radius > 0 && radius.isFinite) { throw ValidationError("--radius must be above 0") }
  }

  func run() async throws {
    var experiment = try LabelShift(folder: data)
    experiment.radius = radius
    experiment.rules = rules
    let progress = Progress("reading queries")
    let report = try await experiment.run(Engine(options.load())) {
      progress.update($0, of: $1, unit: "queries", scale: 1)
    }
    progress.finish()
    if json {
      return StandardOutput.write(try JSONEncoder.snakeCase.encode(report) + Data("\n".utf8))
    }
    print(
      String(
        format: "%d edits, %d keys (%.2f edits a key), radius %.2f", report.edits, report.keys,
        Double(report.edits) / Double(max(1, report.keys)), report.radius))
    print(String(format: "edited queries      %.3f -> %.3f (ERR)", report.editsBefore, report.editsAfter))
    print(String(format: "intents that stayed %.3f -> %.3f (TRR)", report.retentionBefore, report.retentionAfter))
  }
}

struct EditHallucination: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hallucination",
    abstract: "Corrects passages sentence by sentence and measures the perplexity.",
    discussion: "Example: martlet edit experiment hallucination model.gguf --data editing --limit 100")
  @OptionGroup var options: ModelOptions
  @Option(help: "Folder with hallucination.jsonl.gz and wikitext2_paras.jsonl.gz.") var data: String
  @Option(help: "Number of sentences to edit.") var limit = 100
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws { if limit < 1 { throw ValidationError("--limit must be at least 1") } }

  func run() async throws {
    let all = try EditRow.read(data + "/hallucination.jsonl.gz")
    // What follows the edited rows is never edited.
    let rows = Array(all.prefix(limit)), others = all.dropFirst(limit).prefix(60).map(\.prompt)
    let texts = try EditRow.texts(data + "/wikitext2_paras.jsonl.gz").prefix(60)
    let path = NSTemporaryDirectory() + "martlet-experiment-\(UUID().uuidString).sqlite"
    defer { for ending in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + ending) } }
    let experiment = HallucinationCorrection(rows: rows, accurate: others, texts: Array(texts))
    let progress = Progress("sentences")
    let report = try await experiment.run(options.load(), store: path) {
      progress.update($0, of: $1, unit: "edits", scale: 1)
    }
    progress.finish()
    if json {
      return StandardOutput.write(try JSONEncoder.snakeCase.encode(report) + Data("\n".utf8))
    }
    print(
      "\(report.edits) sentences edited, \(report.refused) refused, "
        + String(format: "median %.2f s", report.medianSeconds))
    print(String(format: "perplexity of true sentences  %8.2f -> %.2f (ERR)", report.editsBefore, report.editsAfter))
    print(
      String(format: "of other passages             %8.2f -> %.2f (ARR)", report.accurateBefore, report.accurateAfter))
    print(String(format: "of other text                 %8.2f -> %.2f (TRR)", report.textBefore, report.textAfter))
  }
}
