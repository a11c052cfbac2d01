import ArgumentParser
import Foundation
import MartletData
import MartletEditing

struct EditExplain: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Shows which edit would apply to a question, at what distance, and why.",
    discussion: """
      Distances between normalised keys run from 0 to 2; an edit applies within its radius.

      Example: martlet edit explain model.gguf "Which person founded the Dingle bakery?"
      """)
  @OptionGroup var source: EditOptions
  @Argument(help: "The question; - is standard input.") var question: String
  @Flag(help: "Also generate the answers with and without edits.") var answer = false
  @Flag(help: "Print one JSON object.") var json = false

  func run() async throws {
    let question = try Terminal.text(question, what: "question")
    let editor = try source.editor(.reading)
    let explanation = try await editor.explain(question)
    let answers = answer ? try await editor.answers(question) : nil
    if json {
      var object: [String: Any] = [
        "fires": explanation.fired ?? NSNull(), "reason": explanation.reason,
        "matches": explanation.matches.map {
          [
            "edit": $0.edit, "distance": Double($0.distance), "radius": Double($0.radius), "question": $0.question,
            "answer": $0.answer,
          ]
        },
      ]
      if let answers { object["with_edits"] = answers.with; object["without_edits"] = answers.without }
      return try Terminal.printJSON(object)
    }
    print(explanation.fired.map { "edit \($0) fires: " } ?? "no edit fires: ", terminator: "")
    print(explanation.reason)
    for match in explanation.matches.prefix(5) {
      print(
        String(format: "  edit %4d  distance %.3f, radius %.3f  ", match.edit, match.distance, match.radius)
          + "\(match.question.printable)  →  \(match.answer.printable)")
    }
    if let answers { print("with edits:    \(answers.with)\nwithout edits: \(answers.without)") }
  }
}

struct EditUndo: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "undo",
    abstract: "Undoes edits; the model then answers as if they had never been made.",
    discussion: """
      An older edit of the same question applies again. The edit stays in the history. If several numbers are given, \
      either all of these edits are undone or none. A running server applies the change within half a second.

      Example: martlet edit undo model.gguf 12
      """)
  @OptionGroup var source: EditOptions
  @Argument(help: "Numbers of the edits.") var ids: [Int]
  @Flag(help: "Print one JSON object for each edit.") var json = false

  func run() async throws {
    let editor = try source.editor(.reading)
    for record in try await editor.undo(ids) {
      if json {
        try Terminal.printJSON(record.json.members)
      } else {
        print("edit \(record.id ?? 0) is undone: \(record.prompt.printable)")
      }
    }
  }
}

struct EditTest: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test",
    abstract: "Asks the model the question of every edit again, with all edits applied.",
    discussion: """
      Exit code 1: at least one answer is not as edited.

      Example: martlet edit test model.gguf
      """)
  @OptionGroup var source: EditOptions
  @Flag(help: "Print one JSON object.") var json = false

  func run() async throws {
    let editor = try source.editor(.reading)
    let progress = Progress("testing")
    let (passed, failed) = try await editor.verifyAll {
      progress.update($0, of: $1, unit: "edits", scale: 1)
    }
    progress.finish()
    if json {
      try Terminal.printJSON(["passed": passed, "failed": failed.map(\.json.foundation)])
    } else {
      print("\(passed) of \(passed + failed.count) edits give their answers")
      for record in failed {
        print("  edit \(record.id ?? 0): \(record.prompt.printable)\n    answer: \(record.after.printable)")
      }
    }
    if !failed.isEmpty { throw ExitCode(1) }
  }
}
