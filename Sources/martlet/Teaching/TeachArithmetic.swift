import ArgumentParser
import MartletData
import MartletReasoning

struct TeachArithmetic: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "arithmetic",
    abstract: "Writes questions of one step of arithmetic, for training on rewards.",
    discussion: """
      Each question occurs once, so no held-out question is trained on. Rows have a question, the answer, the rule `number` \
      and a response to fine-tune with.

      Example: martlet teach arithmetic --split start=200 train=2000 test=400 --output arithmetic.jsonl
      """)

  @Option(parsing: .upToNextOption, help: "Names of splits and numbers of questions, e.g. train=1000 test=200.")
  var split: [String] = ["train=1000", "test=200"]
  @Option(help: "Calculations, of + - and *, without spaces.") var operations = "+-"
  @Option(help: "Largest number that is added or subtracted.") var largest = 99
  @Option(help: "Largest number that is multiplied.") var largestFactor = 12
  @Option(help: "Random seed; the same seed draws the same questions.") var seed: UInt64 = 1
  @Option(name: [.short, .long], help: "File to write (default: standard output).") var output: String?
  @Flag(help: "Replace the output if it exists.") var force = false
  @Flag(help: "Print the counts as one JSON object; with --output, as the questions take standard output otherwise.")
  var json = false

  /// The file to write; nil for standard output.
  private var file: String? { output == "-" ? nil : output }

  func run() throws {
    // Here, so that an unknown option is named first.
    if json, file == nil {
      throw ValidationError("--json needs --output, as the questions take standard output otherwise")
    }
    let operations = try operations.map { character in
      guard let operation = ArithmeticQuestions.Operation(rawValue: String(character)) else {
        throw ValidationError("--operations has \"\(character)\", but knows + - and *")
      }
      return operation
    }
    let splits = try split.map { text in
      let parts = text.split(separator: "=", omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty, let count = Int(parts[1]), count >= 0 else {
        throw ValidationError("--split takes NAME=COUNT, e.g. train=1000, not \"\(text)\"")
      }
      return (name: String(parts[0]), count: count)
    }
    let questions = try ArithmeticQuestions(
      operations: operations, largest: largest, largestFactor: largestFactor, seed: seed)
    let rows = try questions.rows(splits)
    let text = rows.map { $0.json.text + "\n" }.joined()
    if let file {
      try AtomicFile.write(Array(text.utf8), to: file, replaces: force)
      if json { try Terminal.printJSON(["questions": rows.count, "output": file]) }
    } else {
      print(text, terminator: "")
    }
  }
}
