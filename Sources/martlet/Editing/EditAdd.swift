import ArgumentParser
import Foundation
import MartletData
import MartletEditing
import MartletEngine

struct EditAdd: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add",
    abstract: "Makes the model give a stated answer to a question.",
    discussion: """
      The answer is trained into one small value in one layer, tested by generating it, and written to disk before the \
      command reports success. An edit that cannot be made is refused with the reason, and nothing changes.

      --stream reads JSON lines {"prompt": …, "answer": …, "subject": …, "aliases": […], "rewordings": […]} from a \
      file (- is standard input) and prints one result for each line.

      Exit code 1: at least one edit was refused.

      Example: martlet edit add model.gguf --prompt "Who founded the Dingle bakery?" --answer "Maeve Ash"
      """)

  @OptionGroup var source: EditOptions
  @Option(name: [.long, .customShort("p")], help: "The question to which the model gives a wrong answer.") var prompt:
    String?
  @Option(help: "What the model should answer.") var answer: String?
  @Option(help: "The subject of the question, in words that occur in it (default: the names in the question).")
  var subject: String?
  @Option(name: .customLong("alias"), help: "Another name for the subject; may be repeated.") var aliases: [String] = []
  @Option(name: .customLong("also"), help: "The same question in other words; may be repeated.")
  var rewordings: [String] = []
  @Option(help: "Number of paraphrases of the question that the model generates, 0 to 4; unsuitable ones are dropped.")
  var ownRewordings = 0
  @Option(help: "Name of the person who makes the edit.") var author: String?
  @Option(help: "JSONL file of edits; - is standard input.") var stream: String?
  @Option(help: "Prompt format of a new store: chat, question or raw.") var promptFormat: PromptFormat?
  @Option(help: "GRACE rules of a new store: nearest, paper, reference or easyedit.") var rules: CodebookRules?
  @Option(help: "Layer that a new store edits, e.g. model.layers.25.mlp.down_proj.") var layer: String?
  @Flag(help: "Print one JSON object for each edit.") var json = false

  func validate() throws {
    if stream == nil, prompt == nil || answer == nil {
      throw ValidationError("give --prompt and --answer, or --stream with a file of edits")
    }
    if !(0...Editor.mostOwnRewordings).contains(ownRewordings) {
      throw ValidationError("--own-rewordings must be from 0 to \(Editor.mostOwnRewordings)")
    }
    if stream != nil, prompt != nil || answer != nil {
      throw ValidationError("--stream reads the edits from a file; leave --prompt and --answer out")
    }
  }

  func run() async throws {
    let (promptFormat, rules, layer) = (promptFormat, rules, layer)
    let editor = try source.editor(.making) { model in
      if promptFormat == nil, rules == nil, layer == nil { return nil }
      var site = EditSite(model, format: promptFormat ?? .chat, rules: rules ?? .nearest)
      if let layer { site.layer = layer }
      return site
    }
    guard let stream else {
      var correction = Correction(prompt: prompt ?? "", answer: answer ?? "")
      correction.subject = subject
      correction.aliases = aliases
      correction.rewordings = rewordings
      correction.ownRewordings = ownRewordings
      correction.author = author
      show(try await editor.add(correction))
      return
    }
    var refused = 0, count = 0
    Terminal.catchInterrupts()
    var lines = try PlainLines(path: stream)
    while true {
      if Terminal.isInterrupted { throw ExitCode(130) }
      do {
        guard let line = try lines.next() else { break }
        guard !line.trimmed.isEmpty else { continue }
        count += 1
        var correction = try Correction(json: line)
        if correction.author == nil { correction.author = author }
        if correction.ownRewordings == 0 { correction.ownRewordings = ownRewordings }
        show(try await editor.add(correction))
      } catch let error as CustomStringConvertible {
        refused += 1
        if json {
          try Terminal.printJSON(["line": lines.count, "outcome": "refused", "reason": "\(error)"])
        } else {
          // What is wrong with a line itself names it.
          print(error is LineError ? "refused: \(error)" : "line \(lines.count): refused, \(error)")
        }
      }
    }
    if refused > 0 { throw ExitCode(1) }
    guard count > 0 else { throw EditError("\(stream == "-" ? "standard input" : stream) contains no edits") }
  }

  private func show(_ outcome: EditOutcome) {
    switch outcome {
    case .made(let record):
      if json {
        try? Terminal.printJSON(record.json.members.merging(["outcome": "made"]) { $1 })
      } else {
        print("edit \(record.id ?? 0): \(record.prompt.printable)")
        print("  before: \(record.before.isEmpty ? "(nothing)" : record.before.printable)")
        print("  now:    \(record.after.printable)")
        print(
          Terminal.dim(
            String(format: "  %.2f s, %d steps, loss %.3f, verified", record.seconds, record.iterations, record.loss)))
      }
    case .alreadyRight:
      json
        ? try? Terminal.printJSON(["outcome": "already right"])
        : print("nothing was changed: the model gives this answer already")
    case .duplicate(let record):
      json
        ? try? Terminal.printJSON(record.json.members.merging(["outcome": "duplicate"]) { $1 })
        : print("nothing was changed: this edit exists already as edit \(record.id ?? 0)")
    }
  }
}
