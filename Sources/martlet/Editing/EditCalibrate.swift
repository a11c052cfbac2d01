import ArgumentParser
import Foundation
import MartletEditing
import MartletEvaluation
import MartletModels

struct EditCalibrate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "calibrate",
    abstract:
      "Measures again within which distance of an edit's question another question gets its answer (the radius).",
    discussion: """
      The radius is the distance within which only a small share of the pairs of unrelated questions lie. Questions \
      like those of your users give the best measurement. The keys of all edits are computed again; this is needed \
      after a change of kernels (another machine, MARTLET_SIMD).

      Example: martlet edit calibrate model.gguf --prompts questions.txt
      """)
  @OptionGroup var source: EditOptions
  @Option(help: "File of unrelated questions, one a line, or JSONL (default: 96 built-in questions).") var prompts:
    String?
  @Option(help: "Share of the pairs of unrelated questions that lie within the radius.") var share: Double?
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    if let share, !(0...0.5).contains(share) { throw ValidationError("--share must be from 0 to 0.5") }
  }

  func run() async throws {
    _ = try source.store()
    let store = try EditStore(path: source.path())
    let loaded = try source.options.load()
    let result = try EditBook.recalibrate(
      loaded, store: store, questions: try prompts.map(EditRow.questions), share: share)
    if json {
      try Terminal.printJSON(["before": Double(result.before), "radius": Double(result.after), "keys": result.keys])
    } else {
      print(String(format: "radius %.3f (was %.3f), %d keys computed again", result.after, result.before, result.keys))
    }
  }
}

struct EditExport: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Writes edits as JSON lines, with keys and values.",
    discussion: "Example: martlet edit export model.gguf > edits.jsonl")
  @OptionGroup var source: EditOptions
  @Flag(help: "Include edits that are superseded or undone.") var all = false
  @Flag(help: "Has no effect: edits are always written as JSON, one object on each line.") var json = false

  func run() throws {
    try source.store().export(all: all) { line in StandardOutput.write(line + "\n") }
  }
}

struct EditImport: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Imports edits that `martlet edit export` wrote.",
    discussion: """
      Edits made for the same model, layer, prompt format and kernels are imported unchanged; others are trained \
      again. A question that already has a live edit is skipped.

      Example: martlet edit import model.gguf edits.jsonl
      """)
  @OptionGroup var source: EditOptions
  @Argument(help: "JSONL file; - is standard input.") var file: String
  @Flag(help: "Print one JSON object.") var json = false

  func run() async throws {
    let editor = try source.editor(.making)
    let progress = Progress("importing")
    let result = try await editor.importEdits(file) { progress.update($0, of: $1, unit: "edits", scale: 1) }
    progress.finish()
    if result.taken + result.learned + result.known + result.leftOut == 0, result.refused.isEmpty {
      throw EditError(
        "\(file == "-" ? "standard input" : file): it contains no edits; give a file that `martlet edit export` wrote")
    }
    if json {
      try Terminal.printJSON([
        "taken": result.taken, "learned": result.learned, "known": result.known, "left_out": result.leftOut,
        "refused": result.refused,
      ])
    } else {
      print("\(result.taken) imported, \(result.learned) trained again, \(result.known) already present")
      if result.leftOut > 0 {
        print("\(result.leftOut) skipped: they were undone or superseded in their original store")
      }
      for reason in result.refused { print("refused: \(reason)") }
    }
    if !result.refused.isEmpty { throw ExitCode(1) }
  }
}
