import ArgumentParser
import Foundation
import MartletData
import MartletReasoning
import MartletTensor

struct TeachRun: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Carries out a whole recipe: questions, teacher, checks, training of all arms and seeds, tests, report.",
    discussion: """
      RECIPE is a JSON file, or the name of a recipe that `martlet teach recipes` lists. Everything is kept in the folder \
      --out: the files of all stages, a run for each arm and seed, report.json and report.html. The same command goes on \
      after any end, also that of `kill -9`, repeats nothing that is done, and comes to the same report; Ctrl-C saves.

      Examples:
        martlet teach run stepbystep-svamp --out svamp
        martlet teach recipes stepbystep-svamp > mine.json; martlet teach run mine.json --out mine
      """)

  @Argument(help: "Recipe: a JSON file, or the name of one that is part of Martlet.") var recipe: String
  @Option(help: "Folder of all files (default: the recipe's name).") var out: String?
  @Option(help: "Model that is taught in place of the recipe's; `box` is the built-in model.") var student: String?
  @Option(
    help: "Folder in which files of questions with relative names are looked for (default: $MARTLET_DATA/reasoning).")
  var data: String?
  @Option(help: "Folder of the data of the tasks that show damage (default: $MARTLET_DATA/eval).")
  var evaluationData: String?
  @Option(name: [.customShort("t"), .long], help: "Number of threads (default: all processors).") var threads: Int?
  @Flag(help: "Print the report as one JSON object.") var json = false

  func validate() throws {
    if let threads, !(1...64).contains(threads) { throw ValidationError("--threads must be from 1 to 64") }
  }

  func run() async throws {
    // A folder of that name is where the recipe of the package was carried out before.
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: recipe, isDirectory: &isFolder)
    let isFile = recipe == "-" || exists && !isFolder.boolValue || recipe.contains("/") || recipe.hasSuffix(".json")
    let read = try isFile ? Recipe.read(recipe).taught(to: student) : Recipe.shipped(recipe, student: student)
    let beside = isFile ? (recipe as NSString).deletingLastPathComponent : "."
    guard let folder = out ?? read.name.wholeMatch(of: /[\p{L}\p{N}][\p{L}\p{N}_. -]*/).map({ String($0.0) }) else {
      throw ValidationError("the recipe's name \"\(read.name.printable)\" cannot be a folder's name; give --out")
    }
    try await Self.carryOut(
      read, out: folder, folders: [data, beside.isEmpty ? "." : beside].compactMap(\.self),
      evaluationData: evaluationData, threads: threads, json: json, again: "the same command")
  }

  /// Carries out a recipe, and shows what happens and what came out.
  static func carryOut(
    _ recipe: Recipe, out: String, folders: [String], evaluationData: String?, threads: Int?, json: Bool,
    again: String
  ) async throws {
    if let threads { Parallel.width = threads }
    // Models are loaded as their files have them, the student as the teacher.
    let loading = try LoadingOptions.parse([])
    var run = TeachingRun(recipe, folder: out) { try TeacherOptions.open($0, loading) }
    run.dataFolders = folders + TeachingOptions.dataFolders
    run.evaluationData =
      evaluationData
      ?? ProcessInfo.processInfo.environment["MARTLET_DATA"].flatMap { $0.isEmpty ? nil : $0 + "/eval" }
    Terminal.catchInterrupts(andTermination: true)
    StandardOutput.endInOrder()
    let view = TeachingView()
    let report = try await run.run(isInterrupted: { Terminal.isInterrupted }, report: view.show)
    view.finish()
    guard let report else {
      Terminal.note("Interrupted; what was done is saved. Give \(again) to go on.")
      throw ExitCode(Terminal.interruptCode)
    }
    if json { return print(report.json.text) }
    TeachReport.show(report)
    print("\n\(run.folder.page)")
  }
}
