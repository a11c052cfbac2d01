import ArgumentParser
import MartletData
import MartletReasoning

extension SymbolicQuestions.Task: ExpressibleByArgument {}

struct TeachSymbolic: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "symbolic",
    abstract: "Writes questions of coin flips or last letters, which can be longer than those that are trained on.",
    discussion: """
      Each question occurs once, so no test question is trained on. Rows have a question, the answer, its rule, and a response \
      that says the question again step by step.

      Example: martlet teach symbolic coin_flip --split train:2=600 test:2=100 test_ood3:3=100 test_ood4:4=100 --output coins.jsonl
      """)

  @Argument(help: "Task: coin_flip or last_letter.") var task: SymbolicQuestions.Task
  @Option(
    parsing: .upToNextOption,
    help: "Names of splits, numbers of names in a question, and numbers of questions, e.g. train:2=600 test_ood3:3=100."
  )
  var split: [String] = ["train:2=600", "test:2=100", "test_ood3:3=100", "test_ood4:4=100"]
  @Option(help: "Random seed; the same seed draws the same questions.") var seed: UInt64 = 1
  @Option(name: [.short, .long], help: "File to write (default: standard output).") var output: String?
  @Flag(help: "Replace the output if it exists.") var force = false
  @Flag(help: "Print the counts as one JSON object; with --output, as the questions take standard output otherwise.")
  var json = false

  func run() throws {
    // Here, so that an unknown option is named first.
    if json, output == nil {
      throw ValidationError("--json needs --output, as the questions take standard output otherwise")
    }
    let splits = try split.map { text in
      guard let match = text.wholeMatch(of: /([^:=]+):(\d+)=(\d+)/), let names = Int(match.2), let count = Int(match.3)
      else { throw ValidationError("--split takes NAME:NAMES=COUNT, e.g. train:2=600, not \"\(text)\"") }
      return (name: String(match.1), names: names, count: count)
    }
    let rows = try SymbolicQuestions(task, seed: seed).rows(splits)
    guard let output else { return print(rows.map { $0.json.text + "\n" }.joined(), terminator: "") }
    try rows.write(to: output, replaces: force)
    if json { try Terminal.printJSON(["questions": rows.count, "output": output]) }
  }
}
