import ArgumentParser
import Foundation
import MartletData
import MartletEvaluation
import MartletTensor

struct Evaluate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Measures models on benchmark tasks, row by row as EleutherAI's evaluation harness does.",
    discussion: """
      Tasks are read from JSON lines in --data. `english` and `multilingual` are the tasks of RWKV's avg% and xavg%; \
      --list lists all. Tasks whose data are missing are named and the others run. The name of a model may be \
      followed by +FOLDER of an adapter or +FILE.sqlite of edits.

      --rows keeps one JSON line for each row; --resume goes on with it after any end, also that of `kill -9`, and gives \
      the same file as a run that was never ended.

      Examples:
        martlet evaluate model.gguf --tasks english --data eval --rows rows.jsonl
        martlet evaluate base.gguf base.gguf+adapter --tasks arc_easy,piqa --limit 200 --html page.html
        martlet evaluate model.gguf --tasks english,multilingual --compare rwkv-5-world,rwkv-4-world
        martlet evaluate small --endpoint http://127.0.0.1:8080/v1 --tasks gsm8k
      """)

  @OptionGroup var models: EvaluatedModelOptions
  @OptionGroup var options: EvaluationOptions
  @Flag(help: "Overwrite existing outputs; with --resume, the page alone.") var force = false
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    if options.listsTasks { return }
    try options.validate(chatFormat: models.chatFormat != nil)
  }

  func run() async throws {
    if options.listsTasks { return try listTasks() }
    try models.requireModel()
    let started = Date()
    let tasks = try options.readTasks(), published = try options.publishedScores()
    try options.checkOutputs(replaces: force)
    let folder = try options.dataFolder()
    let missing = tasks.compactMap { task in
      task.missingData(in: folder, shots: options.shots).map { (task: task, data: $0) }
    }
    let present = tasks.filter { task in !missing.contains { $0.task.name == task.name } }
    for (_, data) in missing { Terminal.note("Left out: \(data.message)") }
    guard !present.isEmpty else {
      throw EvaluationError("the data of no task are in \(folder); give the folder that holds them with --data")
    }
    let evaluated = try await models.load(chat: options.chatTemplate)
    let run = try EvaluationRun(present, models: evaluated, data: folder, options: options.runOptions(replaces: force))
    if run.resumed > 0 { Terminal.note("\(run.resumed) of \(run.total) rows were there already.") }
    let seconds = try await answer(run)
    if run.truncated > 0 {
      Terminal.note(
        "In \(run.truncated) of \(run.total - run.resumed) rows the context was longer than the model reads; its beginning was left out."
      )
    }
    if run.wordsOnly > 0 {
      Terminal.note(
        "In \(run.wordsOnly) of \(run.total - run.resumed) rows an edit could act in a way that no score expresses, such as by its words alone: they have the scores of the model without it."
      )
    }
    let view = EvaluationView(
      results: run.results, published: published, conditions: conditions(evaluated),
      missing: missing.map { ($0.task.name, $0.data.message) })
    if let html = options.html { try AtomicFile.write(view.page.utf8, to: html, replaces: force) }
    if json {
      var object = view.json
      object["fingerprints"] = Dictionary(evaluated.map { ($0.name, $0.fingerprint) }) { first, _ in first }
      object["seconds"] = Date().timeIntervalSince(started)
      object["rows_per_second"] = Double(run.total - run.resumed) / max(seconds, 1e-9)
      object["resumed_rows"] = run.resumed
      object["truncated_rows"] = run.truncated
      object["words_only_rows"] = run.wordsOnly
      object["rows_file"] = options.rows ?? NSNull()
      object["page"] = options.html ?? NSNull()
      try Terminal.printJSON(object)
    } else {
      print(view.text)
      Terminal.note(
        String(
          format: "%d rows in %.1f s, %.1f rows/s", run.total - run.resumed, seconds,
          Double(run.total - run.resumed) / max(seconds, 1e-9)))
    }
  }

  /// Answers every row that is open.
  /// - Returns: how long that took, in seconds.
  private func answer(_ run: EvaluationRun) async throws -> Double {
    struct Interrupted: Error {}
    Terminal.catchInterrupts(andTermination: true)
    let progress = Progress("evaluating:")
    let started = Date()
    var done = run.resumed
    do {
      try await run.run { now, _ in
        done = now
        progress.update(now - run.resumed, of: run.total - run.resumed, unit: "rows", scale: 1)
        if Terminal.isInterrupted { throw Interrupted() }
      }
    } catch is Interrupted {
      progress.finish()
      Terminal.note(
        options.rows.map { "Interrupted after \(done) of \(run.total) rows; \($0) keeps them, go on with --resume." }
          ?? "Interrupted after \(done) of \(run.total) rows; nothing was kept, as no --rows FILE was given.")
      StandardOutput.finish(Terminal.interruptCode)
    } catch {
      progress.finish()
      throw error
    }
    progress.finish()
    return Date().timeIntervalSince(started)
  }

  /// What a reader must know of how rows were put to the models.
  private func conditions(_ evaluated: [EvaluatedModel]) -> [String] {
    var sentences = [
      options.shots.map { "\($0) examples before each question." } ?? "As many examples as each task asks for."
    ]
    sentences.append(
      options.limit.map { "Only the first \($0) rows of each task: these are no benchmark scores." }
        ?? "All rows of each task.")
    sentences.append(
      options.chatTemplate
        ? "Rows are put as conversations\(options.examplesAreTurns ? ", examples as turns" : ", examples and question as one turn")."
        : "Rows are put as plain text.")
    if models.calculator {
      sentences.append("In answers a calculator writes the values of expressions such as <<48/2=.")
    }
    if let system = options.system { sentences.append("System message: \(system)") }
    if let format = models.loading.format { sentences.append("Weights rounded to \(format.rawValue).") }
    return sentences
  }

  private func listTasks() throws {
    let folder = try? options.dataFolder()
    let rows = try EvaluationTask.names.map { name in
      (
        name: name,
        isHere: try folder.map { folder in
          try EvaluationTask.named(name).allSatisfy { $0.missingData(in: folder) == nil }
        }
      )
    }
    if json {
      try Terminal.printJSON([
        "tasks": rows.map { ["name": $0.name, "has_data": $0.isHere ?? NSNull()] as [String: Any] },
        "sets": ["english", "multilingual"],
      ])
    } else {
      for row in rows { print(row.isHere == false ? "\(row.name) (data not here)" : row.name) }
    }
  }
}
