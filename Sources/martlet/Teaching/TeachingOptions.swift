import ArgumentParser
import Foundation
import MartletData
import MartletReasoning

/// Options of the stages of teaching.
struct TeachingOptions: ParsableArguments {
  @Option(help: "Recipe whose settings are used; options given besides take precedence.") var recipe: String?
  @Option(help: "Folder in which files with relative names are looked for (default: $MARTLET_DATA/reasoning).")
  var data: String?
  @Option(help: "Random seed (default: the recipe's, else 1).") var seed: Int?
  @Flag(help: OutputOptions.forceHelp) var force = false
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    if let seed, !(0...Int(UInt32.max)).contains(seed) { throw ValidationError("--seed must be from 0 to 4294967295") }
  }

  /// Checks before any work whether rows can be written to a file, or to standard output for `-`.
  func checkOutput(_ output: String) throws {
    guard output == "-" else { return try OutputTarget.check(output, replaces: force) }
    if json { throw ValidationError("--json and --output - both print to standard output; choose one") }
  }

  /// Writes the rows of a stage.
  func write(_ rows: [TeachingRow], to output: String) throws {
    guard output == "-" else { return try rows.write(to: output, replaces: force) }
    print(rows.map { $0.json.text + "\n" }.joined(), terminator: "")
  }

  /// Says what a stage has done: on standard output, unless the rows are there.
  func say(_ text: String, output: String) {
    if output == "-" { Terminal.note(text) } else { print(text) }
  }

  func readRecipe() throws -> Recipe? { try recipe.map { try Recipe.read($0) } }

  func reader(_ recipe: Recipe?) -> QuestionReader {
    QuestionReader(folders: folders, seed: seed(recipe))
  }

  func seed(_ recipe: Recipe?) -> Int { seed ?? recipe?.seed ?? 1 }

  /// The folders in which files with relative names are looked for.
  var folders: [String] {
    let beside = recipe.map { ($0 as NSString).deletingLastPathComponent }.map { $0.isEmpty ? "." : $0 }
    return [data, beside].compactMap { $0 } + Self.dataFolders
  }

  /// The folder of the supplied data, where there is one.
  static var dataFolders: [String] {
    ProcessInfo.processInfo.environment["MARTLET_DATA"].flatMap { $0.isEmpty ? nil : [$0 + "/reasoning"] } ?? []
  }

  private struct Interrupted: Error {}

  /// Shows how far a stage is, and ends it in order at Ctrl-C.
  static func follow<Result>(
    _ label: String, unit: String = "answers",
    _ work: ((_ done: Int, _ total: Int) throws -> Void) async throws -> Result
  ) async throws -> Result {
    Terminal.catchInterrupts(andTermination: true)
    let progress = Progress(label)
    defer { progress.finish() }
    do {
      return try await work { done, total in
        progress.update(done, of: total, unit: unit, scale: 1)
        if Terminal.isInterrupted { throw Interrupted() }
      }
    } catch is Interrupted {
      progress.finish()
      Terminal.note("Interrupted; what was answered is kept, give the same command to go on.")
      StandardOutput.finish(Terminal.interruptCode)
    }
  }
}

extension StrategyTable {
  /// The strategies of a file, or those of the package.
  static func chosen(_ path: String?, _ reader: QuestionReader) throws -> StrategyTable {
    try path.map { try read(reader.path(of: $0)) } ?? shipped
  }
}
