import ArgumentParser
import MartletModels
import MartletReasoning

struct TeachDemo: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Shows in minutes what teaching to reason does: coin flips with more people than were trained.",
    discussion: """
      Carries out the recipe `demo`: one student learns the answers alone, the other the reasoning with the answer; both \
      are asked about two, three and four people. SmolLM2-135M-Instruct is taught if it is installed, else the model in \
      the box. Needs no data. The same command goes on after any end.

      Example: martlet teach demo --out demo
      """)

  @Option(help: "Folder of all files.") var out = "teach-demo"
  @Option(help: "Model that is taught; `box` is the built-in model.") var student: String?
  @Option(name: [.customShort("t"), .long], help: "Number of threads (default: all processors).") var threads: Int?
  @Flag(help: "Print the report as one JSON object.") var json = false

  func validate() throws {
    if let threads, !(1...64).contains(threads) { throw ValidationError("--threads must be from 1 to 64") }
  }

  func run() async throws {
    var recipe = try Recipe.shipped("demo", student: student)
    if student == nil, (try? ModelLibrary().open(recipe.student.model)) == nil {
      Terminal.note(
        "\(recipe.student.model) is not installed, so the model in the box is taught, which is too small to learn much here; "
          + "`martlet models pull SmolLM2-135M-Instruct` brings the other.")
      recipe = try recipe.taught(to: "box")
    }
    try await TeachRun.carryOut(
      recipe, out: out, folders: [], evaluationData: nil, threads: threads, json: json, again: "`martlet teach demo`")
  }
}
