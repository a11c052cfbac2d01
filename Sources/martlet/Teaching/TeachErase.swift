import ArgumentParser
import MartletData
import MartletReasoning

extension ArmSettings.Erasure: ExpressibleByArgument {}

struct TeachErase: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "erase",
    abstract: "Replaces what the teacher was told by what the student is told.",
    discussion: """
      `erased` writes one generic message in place of the strategy's (prompt erasure of Orca 2), `kept` leaves it, \
      `wrong` writes that of another strategy, and `none` leaves it out. What the teacher was told stays on record as \
      `teacher_system`.

      Example:
        martlet teach erase selected.jsonl --kind erased --output examples.jsonl
      """)

  @Argument(help: "File of selected rows.") var rows: String
  @Option(name: .shortAndLong, help: "File for the rows; - is standard output.") var output: String
  @Option(help: "What the student is told: \(ArmSettings.Erasure.allCases.map(\.rawValue).joined(separator: ", ")).")
  var kind = ArmSettings.Erasure.erased
  @Option(help: "The generic message (default: the recipe's student's, else one of the package).") var message: String?
  @Option(help: "File of strategies (default: those of the package).") var strategies: String?
  @OptionGroup var options: TeachingOptions

  func validate() throws {
    if message != nil, kind != .erased { throw ValidationError("--message is of --kind erased alone") }
  }

  func run() throws {
    try options.checkOutput(output)
    let recipe = try options.readRecipe(), reader = options.reader(recipe)
    let own = message ?? (recipe.map { $0.student.system ?? "" } ?? StudentSettings.carefulMessage)
    let erased = try PromptErasure(
      kind, message: own.isEmpty ? nil : own,
      strategies: StrategyTable.chosen(strategies ?? recipe?.strategies?.file, reader), seed: options.seed(recipe)
    ).run(reader.rows(of: QuestionSource(rows)))
    try options.write(erased, to: output)
    if options.json {
      try Terminal.printJSON(["output": output, "rows": erased.count, "kind": kind.rawValue])
    } else {
      options.say(
        "\(erased.count) rows in \(output), with system messages of the kind \(kind.rawValue).", output: output)
    }
  }
}
