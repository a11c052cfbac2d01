import ArgumentParser
import Foundation
import MartletData
import MartletEvaluation

/// Which tasks are put to models, how, and what is kept.
struct EvaluationOptions: ParsableArguments {
  @Option(
    name: [.long, .customLong("task")],
    help: "Tasks, groups, `english`, `multilingual` or files of tasks of your own, separated by commas.")

  var tasks = "english"
  @Flag(help: "List the tasks instead, and say of which the data are here.") var list = false
  @Option(help: "Folder of the tasks' data (default: $MARTLET_DATA/eval).") var data: String?
  @Option(help: "Number of rows of each task, from the first (default: all).") var limit: Int?
  @Option(
    name: [.long, .customLong("num-fewshot"), .customLong("num_fewshot")],
    help: "Number of solved examples before each question (default: what the task says).")
  var shots: Int?
  @Flag(
    name: [.long, .customLong("apply-chat-template"), .customLong("apply_chat_template")],
    help: "Put rows as conversations, with the prompt template of the model.")
  var chatTemplate = false
  @Flag(
    name: [.long, .customLong("fewshot_as_multiturn")], inversion: .prefixedNo,
    help:
      "With --chat-template, make each example a turn of the conversation (default: so, as lm-evaluation-harness does)."
  )
  var fewshotAsMultiturn: Bool?
  @Option(
    name: [.long, .customLong("system-instruction"), .customLong("system_instruction")],
    help: "System message, or the beginning of a plain text.")
  var system: String?
  @Option(help: "File that keeps one JSON line for each row.") var rows: String?
  @Flag(help: "Go on with the file of --rows; without one, begin it.") var resume = false
  @Option(help: "File for a page with bars, intervals and conclusions.") var html: String?
  @Option(
    help: "Published scores to show beside, separated by commas: rwkv-5-world, rwkv-4-world, … or all.")
  var compare: String?

  /// `--tasks list` is the habit of other programs.
  var listsTasks: Bool { list || tasks == "list" }

  func validate(chatFormat: Bool) throws {
    if let limit, limit < 1 { throw ValidationError("--limit must be at least 1") }
    if let shots, !(0...1000).contains(shots) { throw ValidationError("--shots must be from 0 to 1000") }
    if resume, rows == nil { throw ValidationError("--resume goes on with a file of rows; name it with --rows") }
    if fewshotAsMultiturn == true, !chatTemplate {
      throw ValidationError("--fewshot-as-multiturn needs --chat-template")
    }
    if chatFormat, !chatTemplate { throw ValidationError("--chat-format needs --chat-template") }
    try Self.checkFiles(rows: rows, html: html)
  }

  /// Checks the names of a file of rows and of a page.
  static func checkFiles(rows: String?, html: String?) throws {
    guard let rows else { return }
    if rows == "-" { throw ValidationError("--rows needs the name of a file, with which a run that was ended goes on") }
    func place(_ path: String) -> URL { URL(fileURLWithPath: path).standardizedFileURL.resolvingSymlinksInPath() }
    if let html, place(html) == place(rows) { throw ValidationError("--rows and --html name the same file") }
  }

  private static func names(_ text: String) -> [String] {
    text.split(separator: ",").map { String($0).trimmed }.filter { !$0.isEmpty }
  }

  /// The tasks that are asked for, each once, in the order asked.
  func readTasks() throws -> [EvaluationTask] {
    var found: [EvaluationTask] = [], origins: [String: String] = [:]
    for name in Self.names(tasks) {
      let isFile = name.hasSuffix(".json")
      let read: [EvaluationTask]
      switch name {
      case "english": read = try TableAverage.english.members.flatMap { try EvaluationTask.named($0.name) }
      case "multilingual": read = try TableAverage.multilingual.members.flatMap { try EvaluationTask.named($0.name) }
      case _ where isFile: read = try EvaluationTask.read(name)
      default: read = try EvaluationTask.named(name)
      }
      for task in read {
        let origin = isFile ? name : "the shipped tasks"
        if let other = origins.updateValue(origin, forKey: task.name) {
          guard other == origin else {
            throw ValidationError("two tasks are called \(task.name): one of \(other), one of \(origin); rename yours")
          }
        } else {
          found.append(task)
        }
      }
    }
    guard !found.isEmpty else {
      throw ValidationError("--tasks is empty; `martlet evaluate --list` lists what there is")
    }
    return found
  }

  func publishedScores() throws -> [PublishedScores] {
    guard let compare else { return [] }
    return compare == "all" ? PublishedScores.all : try Self.names(compare).map(PublishedScores.named)
  }

  /// Checks before a long computation whether its outputs can be written afterwards.
  func checkOutputs(replaces: Bool) throws {
    if let html { try OutputTarget.check(html, replaces: replaces) }
    try runOptions(replaces: replaces).checkFile()
  }

  func dataFolder() throws -> String {
    let shared = ProcessInfo.processInfo.environment["MARTLET_DATA"].flatMap { $0.isEmpty ? nil : $0 + "/eval" }
    guard let folder = data ?? shared else {
      throw EvaluationError("there is no folder of data; give --data DIR, or set MARTLET_DATA to the folder above it")
    }
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
      throw FileError(file: folder, "there is no such folder; give the folder of the tasks' data with --data")
    }
    return folder
  }

  /// Whether each example is a turn of the conversation.
  var examplesAreTurns: Bool { chatTemplate && fewshotAsMultiturn ?? true }

  func runOptions(replaces: Bool) -> EvaluationRun.Options {
    EvaluationRun.Options(
      limit: limit,
      presentation: RowPresentation(shots: shots, system: system, examplesAreTurns: examplesAreTurns),
      file: rows, resumes: resume, replaces: replaces)
  }
}
