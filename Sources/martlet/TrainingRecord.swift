import ArgumentParser
import Foundation
import MartletData
import MartletModels
import MartletTraining

/// A command that begins runs of training and goes on with them.
protocol TrainingCommand: ParsableCommand {
  var options: TrainingOptions { get }
  /// The names of the files that it leaves in the run's folder, beside those of every run.
  var results: [String] { get }
}

/// What `run.json` says of a run: everything it was asked for, and digests of what it was done with.
struct TrainingRecord {
  let folder: String
  let command: String
  /// The command line, without the run's folder and what says that it is resumed.
  private(set) var arguments: [String]
  /// The folder in which it was given.
  let directory: String
  /// Every option by name.
  let options: [String: String]
  let settings: TrainingSettings
  /// Digests of the examples and of the model.
  let data, validation, model: String

  /// Options that do not change what was done so far.
  private static let free: Set<String> = [
    "steps", "epochs", "json", "threads", "out", "validate-every", "checkpoint-every", "keep", "patience", "data",
    "validation-data", "accept-changed-data", "skip-bad-lines", "show-batch", "resume", "model",
  ]

  /// Reads the record of a run.
  /// - Throws: ``TrainingError`` naming the file.
  init(folder: String) throws {
    let path = folder + "/run.json"
    guard let data = FileManager.default.contents(atPath: path) else {
      throw TrainingError("\(folder) contains no run to resume (no run.json); leave --resume out to start one")
    }
    guard let object = (try? JSONSerialization.jsonObject(with: data)) as? [String: Any] else {
      throw TrainingError("\(path): it is damaged; start a new run in another folder")
    }
    guard let arguments = object["arguments"] as? [String], let options = object["options"] as? [String: String],
      let settings = object["settings"], let command = object["command"] as? String,
      let decoded = try? JSONDecoder.snakeCase.decode(
        TrainingSettings.self, from: JSONSerialization.data(withJSONObject: settings)),
      let fingerprints = object["fingerprints"] as? [String: String]
    else {
      throw TrainingError(
        "\(path): it lacks what is needed to resume (an earlier version may have written it); start a new run in another folder"
      )
    }
    self.folder = folder
    self.command = command
    self.arguments = arguments
    directory = object["directory"] as? String ?? ""
    self.options = Dictionary(options.map { ($0.replacing("_", with: "-"), $1) }) { first, _ in first }
    self.settings = decoded
    self.data = fingerprints["data"] ?? ""
    validation = fingerprints["validation"] ?? ""
    model = fingerprints["model"] ?? ""
  }

  /// The command line behind the command's name.
  private static var given: [String] { Array(CommandLine.arguments.dropFirst(2)) }

  /// The arguments that say what a run does: without its folder, and without what is said when it is resumed.
  private static func lasting(_ arguments: [String], resumed folder: String?) -> [String] {
    var rest: [String] = []
    var arguments = arguments[...]
    while let argument = arguments.popFirst() {
      switch argument {
      case "--resume": if let folder, !folder.isEmpty, arguments.first == folder { arguments.removeFirst() }
      case "--out": arguments = arguments.dropFirst()
      case "--accept-changed-data": break
      case _ where argument.hasPrefix("--resume=") || argument.hasPrefix("--out="): break
      default: rest.append(argument)
      }
    }
    return rest
  }

  /// The command to run, and the record of the run that it goes on with: nil for a new one.
  ///
  /// `--resume DIR` alone takes everything from the run; options beside it that would change what was done are refused.
  /// `--resume` without a value goes on with the run in `--out`: for a command line that is repeated as it was, and
  /// without `--data` as `--resume DIR` does.
  /// - Throws: ``TrainingError`` naming the option that differs.
  static func resolve<Command: TrainingCommand>(_ command: Command) throws -> (Command, TrainingRecord?) {
    let options = command.options
    guard var resume = options.resume else {
      if !options.showBatch, let out = options.out, FileManager.default.fileExists(atPath: out + "/run.json") {
        throw TrainingError(
          "\(out) contains a run already; resume it with --resume \(out), or choose another --out")
      }
      if !options.showBatch, let out = options.out {
        for name in command.results + ["metrics.jsonl", "report.html", "checkpoints"] {
          let path = (out as NSString).appendingPathComponent(name)
          guard FileManager.default.fileExists(atPath: path) else { continue }
          throw TrainingError(
            "\(path) exists already without a run.json, so it is not part of a known run; choose another --out, or move it away"
          )
        }
      }
      return (command, nil)
    }
    if !resume.isEmpty, let out = options.out, out != resume,
      !FileManager.default.fileExists(atPath: resume + "/run.json")
    {
      // The flag stands before something that is no folder of a run, e.g. the model.
      return try resolve(parse(given.filter { $0 != "--resume" } + ["--resume"]))
    }
    if !resume.isEmpty, let out = options.out, !isSame(out, resume) {
      throw TrainingError(
        "--resume \(resume) writes to that folder, but --out is another (\(out)); leave --out out, or copy the folder to \(out) and give --resume \(out)"
      )
    }
    if options.goesOnAsBegun { resume = options.folder }
    var record = try TrainingRecord(folder: resume.isEmpty ? options.folder : resume)
    let name = Command._commandName
    guard record.command == name else {
      throw TrainingError(
        "\(record.folder) was started by martlet \(record.command); resume it with: martlet \(record.command) --resume \(record.folder)"
      )
    }
    if resume.isEmpty {
      try record.compare(command)
      record.arguments = lasting(given, resumed: nil)
      return (command, record)
    }
    // Paths in the command line are meant from where it was given.
    var folder = resume
    let files = FileManager.default
    if !record.directory.isEmpty, record.directory != files.currentDirectoryPath {
      folder = URL(fileURLWithPath: resume).path
      _ = files.changeCurrentDirectoryPath(record.directory)
    }
    var more = lasting(given, resumed: resume)
    // The model may be named again.
    if let first = more.first, !first.hasPrefix("-"), record.arguments.contains(first) { more.removeFirst() }
    record.arguments += more
    let merged =
      record.arguments + ["--out", folder] + (options.acceptChangedData ? ["--accept-changed-data"] : [])
    let again: Command = try parse(merged)
    try record.compare(again)
    return (again, record)
  }

  /// Whether two paths are one folder's.
  private static func isSame(_ path: String, _ other: String) -> Bool {
    func whole(_ path: String) -> String {
      URL(fileURLWithPath: path).standardizedFileURL.resolvingSymlinksInPath().path
    }
    return whole(path) == whole(other)
  }

  private static func parse<Command: TrainingCommand>(_ arguments: [String]) throws -> Command {
    try Command.parse(Array(ArgumentHabits([Command._commandName] + arguments).arguments.dropFirst()))
  }

  private func compare(_ command: some TrainingCommand) throws {
    let now = RecordedOptions.of(command)
    for name in Set(now.keys).union(options.keys).sorted() where !Self.free.contains(name) {
      let (before, after) = (options[name], now[name])
      guard before != after else { continue }
      throw TrainingError(
        "\(folder) was started \(RecordedOptions.written(name, before, beside: after)) and would continue \(RecordedOptions.written(name, after, beside: before)); resume it with its own options: martlet \(self.command) --resume \(folder)"
      )
    }
  }

  /// - Throws: ``TrainingError`` where the examples are no longer those that the run was begun with.
  func check(training: TrainingData, validation: TrainingData, accepts: Bool, path: String) throws {
    guard training.fingerprint != data || validation.fingerprint != self.validation else { return }
    let count = "\(training.examples.count) examples to train on and \(validation.examples.count) to validate now"
    if accepts {
      Terminal.note(
        "Note: the data has changed since the run was started (\(count)); the run continues with the new data")
      return
    }
    throw TrainingError(
      "\(path): the data has changed since the run in \(folder) was started (\(count)); restore the old data, or continue with the new data with --accept-changed-data"
    )
  }

  /// - Throws: ``TrainingError`` where the model is another.
  func check(model now: any TrainableModel, path: String) throws {
    guard !model.isEmpty, now.description.fingerprint != model else { return }
    throw TrainingError(
      "\(path): it is no longer the model with which the run in \(folder) was started; restore that model, or start a new run"
    )
  }

  /// What ``init(folder:)`` reads.
  static func object(
    _ command: some TrainingCommand, after earlier: TrainingRecord?, settings: TrainingSettings, training: TrainingData,
    validation: TrainingData, model: String
  ) throws -> [String: Any] {
    let arguments = earlier?.arguments ?? lasting(given, resumed: nil)
    var options = RecordedOptions.of(command)
    options["resume"] = nil
    // Keys of JSON are written in one style.
    options = Dictionary(options.map { ($0.replacing("-", with: "_"), $1) }) { first, _ in first }
    return [
      "command": type(of: command)._commandName, "arguments": arguments,
      "directory": FileManager.default.currentDirectoryPath, "options": options,
      "settings": try JSONSerialization.jsonObject(with: JSONEncoder.snakeCase.encode(settings)),
      "fingerprints": ["data": training.fingerprint, "validation": validation.fingerprint, "model": model],
    ]
  }
}
