import ArgumentParser
import Foundation
import MartletData
import MartletEvaluation
import MartletProbes
import MartletTensor

struct ProbeInContext: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "icl",
    abstract: "Measures in-context learning: flipped labels, labels without meaning, linear classification.",
    discussion: """
      Each context is a class-balanced set of exemplars behind which several queries are asked. Contexts, order and \
      queries are the same in all settings and for all models, and flips are nested, so every difference is paired. \
      Labels are ranked by their log-likelihoods; --score generation compares what the model writes, as the paper does, \
      and counts answers that are no label.

      --rows keeps one JSON line for each query, from which `martlet probe summary` computes everything again; --resume \
      goes on with it. Several models are compared with the first, e.g. a base model with its instruction-tuned one.

      Examples:
        martlet probe icl base.gguf instruct.gguf --data subj.jsonl.gz --shots 4,16 --rows rows.jsonl --html icl.html
        martlet probe icl model.gguf model.gguf+adapter --data mr.jsonl.gz --settings regular,flipped100,sul,sul-swapped
        martlet probe icl model.gguf --settings linear,linear-swapped --dimensions 2,16
      """)

  @OptionGroup var models: EvaluatedModelOptions
  @OptionGroup var options: ProbeOptions
  @Option(help: "File that keeps one JSON line for each query.") var rows: String?
  @Flag(help: "Go on with the file of --rows; without one, begin it.") var resume = false
  @Option(help: "File for a page with curves, intervals and conclusions.") var html: String?
  @Flag(help: OutputOptions.forceHelp) var force = false
  @Flag(help: "Print one JSON object with all statistics.") var json = false

  func validate() throws {
    if models.chatFormat != nil {
      throw ValidationError("--chat-format does not apply: exemplars are put as plain text; see --template")
    }
    if resume, rows == nil { throw ValidationError("--resume goes on with a file of rows; name it with --rows") }
    if resume, force { throw ValidationError("--resume goes on with a file and --force replaces it; give one") }
    try EvaluationOptions.checkFiles(rows: rows, html: html)
  }

  func run() async throws {
    try models.requireModel()
    let started = Date()
    for path in [html, resume ? nil : rows].compactMap(\.self) { try OutputTarget.check(path, replaces: force) }
    let tasks = try options.tasks(), design = try options.design(for: tasks)
    let probe = try InContextProbe(tasks, design: design)
    let subjects = try await models.load(chat: false).map(InContextSubject.init)
    for subject in subjects { try probe.checkLengths(subject) }
    let file = try rows.map {
      try InContextRowsFile($0, of: probe, by: subjects, resumes: resume, replaces: force)
    }
    let all = try await ask(probe, subjects, file)
    let summary = InContextSummary(all)
    let page = InContextPage(summary, conditions: probe.conditions + weights)
    if let html { try AtomicFile.write(page.html.utf8, to: html, replaces: force) }
    if json {
      var object = summary.json.object ?? JSONObject()
      object.append("rows", .integer(all.count))
      object.append("resumed_rows", .integer(file?.done.joined().count ?? 0))
      object.append("rows_file", rows.map { .string($0) } ?? .null)
      object.append("page", html.map { .string($0) } ?? .null)
      object.append("seconds", .number(Date().timeIntervalSince(started)))
      print(JSONValue.object(object).text)
    } else {
      ProbeView.show(summary)
      Terminal.note(String(format: "%d queries in %.0f s", all.count, Date().timeIntervalSince(started)))
    }
  }

  private var weights: [String] {
    models.loading.format.map { ["Weights rounded to \($0.rawValue)."] } ?? []
  }

  /// Asks all models; what an earlier run has asked is taken from the file.
  private func ask(
    _ probe: InContextProbe, _ subjects: [InContextSubject], _ file: InContextRowsFile?
  ) async throws -> [InContextRow] {
    struct Interrupted: Error {}
    Terminal.catchInterrupts(andTermination: true)
    let before = file?.done ?? subjects.map { _ in [] }
    let resumed = before.joined().count
    let total = probe.contextCount * probe.queriesPerContext * subjects.count
    let progress = Progress("asking")
    defer { progress.finish() }
    var all: [InContextRow] = []
    do {
      for (subject, done) in zip(subjects, before) {
        all += done
        try await probe.run(subject, after: done) { rows in
          try file?.append(rows)
          all += rows
          progress.update(all.count - resumed, of: total - resumed, unit: "queries", scale: 1)
          if Terminal.isInterrupted { throw Interrupted() }
        }
      }
      try file?.synchronize()
    } catch is Interrupted {
      progress.finish()
      Terminal.note(
        rows.map { "Interrupted after \(all.count) of \(total) queries; \($0) keeps them, go on with --resume." }
          ?? "Interrupted after \(all.count) of \(total) queries; nothing was kept, as no --rows FILE was given.")
      StandardOutput.finish(Terminal.interruptCode)
    }
    return all
  }
}
