import ArgumentParser
import Foundation
import MartletData
import MartletEvaluation
import MartletProbes

/// The report of symbol tuning: the model before and after, on what it was not tuned on, and what the tuning cost.
struct SymbolTuningReport {
  let command: ProbeTune

  /// What is asked before and after.
  func probe() throws -> InContextProbe {
    // The protocol's options, as `martlet probe icl` understands them.
    var arguments = ["--shots", command.reportShots, "--seeds", "\(command.reportSeeds)", "--domain-texts", "0"]
    if command.evaluate.isEmpty {
      arguments += ["--settings", "linear,linear-swapped", "--dimensions", "2,4,8"]
    } else {
      arguments += ["--data"] + command.evaluate
    }
    let options = try ProbeOptions.parse(arguments)
    let tasks = try options.tasks()
    return try InContextProbe(tasks, design: options.design(for: tasks))
  }

  /// The tasks that tell the cost; nil where none is asked for or their data are not here, which is said.
  func costOptions() throws -> EvaluationOptions? {
    guard !ProbeOptions.list(command.costTasks).isEmpty else { return nil }
    let options = try EvaluationOptions.parse(
      [
        "--tasks", command.costTasks, "--limit", "\(command.costLimit)", "--rows", command.folder + "/cost_rows.jsonl",
        "--resume",
      ]
        + (command.costData.map { ["--data", $0] } ?? []))
    _ = try options.readTasks()
    guard let folder = try? options.dataFolder() else {
      if command.costData != nil { _ = try options.dataFolder() }
      Terminal.note(
        "Note: the cost on \(command.costTasks) is not measured: neither --cost-data nor MARTLET_DATA names a folder")
      return nil
    }
    for task in try options.readTasks() {
      if let missing = task.missingData(in: folder) {
        Terminal.note("Note: the cost on \(task.name) is not measured: \(missing.message)")
      }
    }
    return options
  }

  /// Asks both models everything and writes the pages.
  func write(
    _ probe: InContextProbe, before: InContextSubject, after: InContextSubject, cost: EvaluationOptions?,
    log: SymbolTuningLog
  ) async throws {
    let subjects = [before, after]
    let file = try InContextRowsFile(
      command.folder + "/icl_rows.jsonl", of: probe, by: subjects, resumes: true, replaces: false)
    let resumed = file.done.joined().count
    let total = probe.contextCount * probe.queriesPerContext * subjects.count
    var rows: [InContextRow] = []
    let progress = Progress("before and after")
    for (subject, done) in zip(subjects, file.done) {
      rows += done
      try await probe.run(subject, after: done) { new in
        try file.append(new)
        rows += new
        progress.update(rows.count - resumed, of: total - resumed, unit: "queries", scale: 1)
        stopWhereInterrupted(progress)
      }
    }
    progress.finish()
    let summary = InContextSummary(rows)
    var page = InContextPage(summary, conditions: probe.conditions)
    page.charts = [log.chart]
    try AtomicFile.write(page.html.utf8, to: command.folder + "/icl.html")
    let evaluation = try await evaluate(subjects, cost)
    if command.json {
      var object = summary.json.object ?? JSONObject()
      object.append("event", "report")
      object.append("best_step", log.best.map { .integer($0.step) } ?? .null)
      if let evaluation { object.append("cost", .array(evaluation.comparisons().map(Self.json))) }
      print(JSONValue.object(object).text)
    } else {
      ProbeView.show(summary)
      for difference in evaluation?.comparisons() ?? [] {
        print(
          String(
            format: "%@ %@: %+.1f [%+.1f, %+.1f] points after tuning (%d rows)", difference.task, difference.metric,
            100 * difference.difference, 100 * difference.interval.lower, 100 * difference.interval.upper,
            difference.count))
      }
      print("\(command.folder)/icl.html" + (evaluation == nil ? "" : "\n\(command.folder)/cost.html"))
    }
  }

  /// Everything asked so far is in the files of rows.
  private func stopWhereInterrupted(_ progress: Progress) {
    guard Terminal.isInterrupted else { return }
    progress.finish()
    Terminal.note("Interrupted in the report; what was asked is kept. Resume with the same options and --resume")
    StandardOutput.finish(Terminal.interruptCode)
  }

  private func evaluate(_ subjects: [InContextSubject], _ cost: EvaluationOptions?) async throws -> EvaluationResults? {
    guard let cost else { return nil }
    let folder = try cost.dataFolder()
    let tasks = try cost.readTasks().filter { $0.missingData(in: folder) == nil }
    if tasks.isEmpty { return nil }
    let run = try EvaluationRun(
      tasks, models: subjects.map(\.model), data: folder, options: cost.runOptions(replaces: false))
    let progress = Progress("cost")
    try await run.run { done, _ in
      progress.update(done - run.resumed, of: run.total - run.resumed, unit: "rows", scale: 1)
      stopWhereInterrupted(progress)
    }
    progress.finish()
    let page = EvaluationPage(
      run.results, conditions: ["The first \(command.costLimit) rows of each task, before and after symbol tuning."])
    try AtomicFile.write(page.html.utf8, to: command.folder + "/cost.html")
    return run.results
  }

  private static func json(_ difference: ModelComparison) -> JSONValue {
    [
      "task": .string(difference.task), "metric": .string(difference.metric), "rows": .integer(difference.count),
      "difference": .number(difference.difference),
      "difference_interval": [.number(difference.interval.lower), .number(difference.interval.upper)],
    ]
  }
}
