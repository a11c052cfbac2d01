import ArgumentParser
import Foundation
import MartletTraining

/// A command that begins runs in folders of their own and goes on with them.
protocol RunCommand: ParsableCommand {
  /// The folder of the run (`--out`).
  var out: String? { get }
  /// `--resume`: the folder of the run that goes on; empty for that in `--out`, nil for a new run.
  var resume: String? { get }
  /// Whether nothing is written, as only something is shown.
  var isShowing: Bool { get }
  /// Whether `--resume` and `--out` name a run that says everything else.
  var goesOnAsBegun: Bool { get }
  /// The names of the files that it leaves in the run's folder, beside those of every run.
  var results: [String] { get }
  /// Flags that hold for this time only, as they were given.
  var momentaryFlags: [String] { get }
  /// Options that do not change what was done so far.
  static var freeOptions: Set<String> { get }
  /// The names by which it is called: its own, behind those of the commands that it is part of.
  static var path: [String] { get }
}

extension RunCommand {
  static var path: [String] { [_commandName] }
  /// ``path`` as it is typed.
  fileprivate static var name: String { path.joined(separator: " ") }
  /// The command line of this process behind the command's name.
  fileprivate static var given: [String] { Array(CommandLine.arguments.dropFirst(1 + path.count)) }

  /// Checks that a run has a folder, and, where it does not go on with one that says everything, what else it cannot do without.
  /// - Parameter needed: each argument as the help writes it, and whether it was given.
  func checkNeeds(_ needed: KeyValuePairs<String, Bool>) throws {
    guard resume?.isEmpty ?? true else { return }
    if resume != nil, out == nil {
      throw ValidationError("--resume needs the folder of the run: give --resume DIR, or --out DIR with it")
    }
    guard !goesOnAsBegun else { return }
    for (argument, isGiven) in needed where !isGiven {
      throw ValidationError("Missing expected argument '\(argument)'")
    }
  }
}

/// What `run.json` says of a run of any command: the command line and every option.
struct RunRecord {
  let folder: String
  let command: String
  /// The command line, without the run's folder and what says that it is resumed.
  private(set) var arguments: [String]
  /// The folder in which it was given.
  let directory: String
  /// Every option by name.
  let options: [String: String]
  /// All of `run.json`.
  let object: [String: Any]

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
      let command = object["command"] as? String
    else { throw Self.incomplete(path) }
    self.folder = folder
    self.command = command
    self.arguments = arguments
    self.object = object
    directory = object["directory"] as? String ?? ""
    self.options = Dictionary(options.map { ($0.replacing("_", with: "-"), $1) }) { first, _ in first }
  }

  /// An error that says that a `run.json` does not say enough.
  static func incomplete(_ path: String) -> TrainingError {
    TrainingError(
      "\(path): it lacks what is needed to resume (an earlier version may have written it); start a new run in another folder"
    )
  }

  /// The arguments that say what a run does: without its folder, and without what is said when it is resumed.
  private static func lasting(_ arguments: [String], resumed folder: String?, without flags: [String]) -> [String] {
    var rest: [String] = []
    var arguments = arguments[...]
    while let argument = arguments.popFirst() {
      switch argument {
      case "--resume": if let folder, !folder.isEmpty, arguments.first == folder { arguments.removeFirst() }
      case "--out": arguments = arguments.dropFirst()
      case _ where flags.contains(argument): break
      case _ where argument.hasPrefix("--resume=") || argument.hasPrefix("--out="): break
      default: rest.append(argument)
      }
    }
    return rest
  }

  /// The command to run, and the record of the run that it goes on with: nil for a new one.
  ///
  /// `--resume DIR` alone takes everything from the run; options beside it that would change what was done are refused.
  /// `--resume` without a value goes on with the run in `--out`: for a command line that is repeated as it was, and where
  /// it says nothing else as `--resume DIR` does.
  /// - Throws: ``TrainingError`` naming the option that differs.
  static func resolve<Command: RunCommand>(_ command: Command) throws -> (Command, RunRecord?) {
    guard var resume = command.resume else {
      if !command.isShowing, let out = command.out { try checkIsFree(out, for: command) }
      return (command, nil)
    }
    let out = command.out
    if !resume.isEmpty, let out, out != resume, !FileManager.default.fileExists(atPath: resume + "/run.json") {
      // The flag stands before something that is no folder of a run, e.g. the model.
      return try resolve(parse(Command.given.filter { $0 != "--resume" } + ["--resume"]))
    }
    if !resume.isEmpty, let out, !isSame(out, resume) {
      throw TrainingError(
        "--resume \(resume) writes to that folder, but --out is another (\(out)); leave --out out, or copy the folder to \(out) and give --resume \(out)"
      )
    }
    if command.goesOnAsBegun { resume = out ?? "" }
    var record = try RunRecord(folder: resume.isEmpty ? out ?? "" : resume)
    let name = Command.name
    guard record.command == name else {
      throw TrainingError(
        "\(record.folder) was started by martlet \(record.command); resume it with: martlet \(record.command) --resume \(record.folder)"
      )
    }
    if resume.isEmpty {
      try record.compare(command)
      record.arguments = lasting(Command.given, resumed: nil, without: command.momentaryFlags)
      return (command, record)
    }
    // Paths in the command line are meant from where it was given.
    var folder = resume
    let files = FileManager.default
    if !record.directory.isEmpty, record.directory != files.currentDirectoryPath {
      folder = URL(fileURLWithPath: resume).path
      _ = files.changeCurrentDirectoryPath(record.directory)
    }
    var more = lasting(Command.given, resumed: resume, without: command.momentaryFlags)
    // The model may be named again.
    if let first = more.first, !first.hasPrefix("-"), record.arguments.contains(first) { more.removeFirst() }
    record.arguments += more
    let again: Command = try parse(record.arguments + ["--out", folder] + command.momentaryFlags)
    try record.compare(again)
    return (again, record)
  }

  /// - Throws: ``TrainingError`` where the folder of a new run holds a run, or what a run would overwrite.
  private static func checkIsFree(_ out: String, for command: some RunCommand) throws {
    if FileManager.default.fileExists(atPath: out + "/run.json") {
      throw TrainingError("\(out) contains a run already; resume it with --resume \(out), or choose another --out")
    }
    for name in command.results + ["metrics.jsonl", "report.html", "checkpoints"] {
      let path = (out as NSString).appendingPathComponent(name)
      guard FileManager.default.fileExists(atPath: path) else { continue }
      throw TrainingError(
        "\(path) exists already without a run.json, so it is not part of a known run; choose another --out, or move it away"
      )
    }
  }

  /// Whether two paths are one folder's.
  private static func isSame(_ path: String, _ other: String) -> Bool {
    func whole(_ path: String) -> String {
      URL(fileURLWithPath: path).standardizedFileURL.resolvingSymlinksInPath().path
    }
    return whole(path) == whole(other)
  }

  private static func parse<Command: RunCommand>(_ arguments: [String]) throws -> Command {
    try Command.parse(Array(ArgumentHabits(Command.path + arguments).arguments.dropFirst(Command.path.count)))
  }

  private func compare<Command: RunCommand>(_ command: Command) throws {
    let now = RecordedOptions.of(command)
    for name in Set(now.keys).union(options.keys).sorted() where !Command.freeOptions.contains(name) {
      let (before, after) = (options[name], now[name])
      guard before != after else { continue }
      throw TrainingError(
        "\(folder) was started \(RecordedOptions.written(name, before, beside: after)) and would continue \(RecordedOptions.written(name, after, beside: before)); resume it with its own options: martlet \(self.command) --resume \(folder)"
      )
    }
  }

  /// What ``init(folder:)`` reads.
  ///
  /// - Parameter arguments: the command line of the run; nil for that of this process.
  static func object<Command: RunCommand>(
    _ command: Command, after earlier: RunRecord?, arguments: [String]? = nil
  ) -> [String: Any] {
    var options = RecordedOptions.of(command)
    options["resume"] = nil
    // Keys of JSON are written in one style.
    options = Dictionary(options.map { ($0.replacing("-", with: "_"), $1) }) { first, _ in first }
    return [
      "command": Command.name,
      "arguments": arguments ?? earlier?.arguments
        ?? lasting(Command.given, resumed: nil, without: command.momentaryFlags),
      "directory": FileManager.default.currentDirectoryPath, "options": options,
    ]
  }
}
