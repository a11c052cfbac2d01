import ArgumentParser
import Foundation
import MartletData
import MartletEditing

extension Edit.Status: ExpressibleByArgument {}

struct EditList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Lists the edits of a model.",
    discussion: """
      Marks: ! no longer verified, ~ superseded by a newer edit of the same question, - undone.

      Example: martlet edit list model.gguf --status live
      """)
  @OptionGroup var source: EditOptions
  @Option(help: "List only edits with this status: live, superseded or undone.") var status: Edit.Status?
  @Flag(help: "Print one JSON object for each edit.") var json = false

  func run() throws {
    let records = try source.store().records(status: status)
    for record in records {
      if json { try Terminal.printJSON(record.json.members) } else { print(record.line) }
    }
    if !json, records.isEmpty { print("there are no edits") }
  }
}

struct EditShow: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Shows one edit and its history.",
    discussion: "Example: martlet edit show model.gguf 12")
  @OptionGroup var source: EditOptions
  @Argument(help: "Number of the edit.") var id: Int
  @Flag(help: "Print one JSON object.") var json = false

  func run() throws {
    let store = try source.store()
    guard let record = try store.record(id) else {
      throw EditError("there is no edit \(id); `martlet edit list` shows them")
    }
    let events = try store.events(of: id), questions = try store.questions(of: id)
    if json {
      return try Terminal.printJSON(
        record.json.members.merging([
          "questions": questions,
          "events": events.map { ["time": $0.time.ISO8601Format(), "what": $0.what, "detail": $0.detail] },
        ]) { $1 })
    }
    print("edit \(id), \(record.status.rawValue)")
    for question in questions { print("  question: \(question.printable)") }
    print(
      "  answer:   \(record.answer.printable)\n  before:   \(record.before.printable)\n  now:      \(record.after.printable)"
    )
    print(
      String(
        format: "  value of %d rows, %d steps, loss %.4f, %.2f s, radius %.3f (%@)", record.rows, record.iterations,
        record.loss, record.seconds, record.radius, record.action.printable))
    for event in events { print("  \(event.time.ISO8601Format())  \(event.what.printable) \(event.detail.printable)") }
  }
}
