import ArgumentParser
import Foundation
import MartletEditing
import MartletEvaluation
import MartletModels

struct EditCalibrate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "calibrate",
    abstract: "Measures anew how near to an edit's question another must come to get its answer.",
    discussion: """
      The radius is the distance within which a small share of pairs of unrelated questions lie. Questions like those \
      your users ask make the best measure. The keys of all edits are computed anew; that is needed after a change of \
      kernels (another machine, MARTLET_SIMD).

      Example: martlet edit calibrate model.gguf --prompts questions.txt
      """)
  @OptionGroup var source: EditOptions
  @Option(help: "File of unrelated questions, one a line, or JSONL (default: 96 of Martlet's own).") var prompts:
    String?
  @Option(help: "Share of unrelated pairs within the radius.") var share: Double?
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
      print(String(format: "radius %.3f (was %.3f), %d keys made anew", result.after, result.before, result.keys))
    }
  }
}

struct EditExport: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Writes edits as JSON lines, with keys and values.",
    discussion: "Example: martlet edit export model.gguf > edits.jsonl")
  @OptionGroup var source: EditOptions
  @Flag(help: "Also those that are superseded or undone.") var all = false
  @Flag(help: "Changes nothing: edits are always written as JSON, one object a line.") var json = false

  func run() throws {
    try source.store().export(all: all) { line in StandardOutput.write(line + "\n") }
  }
}

struct EditImport: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Takes in edits that `export` wrote.",
    discussion: """
      Edits made for the same model, layer, format and kernels are taken as they are; others are learned anew. A \
      question that has a live edit already is left alone.

      Example: martlet edit import model.gguf edits.jsonl
      """)
  @OptionGroup var source: EditOptions
  @Argument(help: "JSONL file; - reads standard input.") var file: String
  @Flag(help: "Print one JSON object.") var json = false

  func run() async throws {
    let editor = try source.editor(.making)
    let progress = Progress("importing")
    let result = try await editor.importEdits(file) { progress.update($0, of: $1, unit: "edits", scale: 1) }
    progress.finish()
    if result.taken + result.learned + result.known + result.leftOut == 0, result.refused.isEmpty {
      throw EditError(
        "\(file == "-" ? "standard input" : file): it holds no edits; give a file that `martlet edit export` wrote")
    }
    if json {
      try Terminal.printJSON([
        "taken": result.taken, "learned": result.learned, "known": result.known, "left_out": result.leftOut,
        "refused": result.refused,
      ])
    } else {
      print("\(result.taken) taken, \(result.learned) learned anew, \(result.known) known already")
      if result.leftOut > 0 { print("\(result.leftOut) left out: they were undone or superseded where they come from") }
      for reason in result.refused { print("refused: \(reason)") }
    }
    if !result.refused.isEmpty { throw ExitCode(1) }
  }
}
