import ArgumentParser
import MartletData
import MartletEvaluation
import MartletReasoning

struct TeachCheck: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Compares the answers of responses with the right ones.",
    discussion: """
      Each row gets `extracted`, the answer that its rule finds in the response, and `correct`. Rules: \
      \(AnswerRule.all.map(\.name).joined(separator: ", ")).

      Example:
        martlet teach check generated.jsonl --output checked.jsonl
      """)

  @Argument(help: "File of rows with responses, in any shape that `teach generate` reads.") var rows: String
  @Option(name: .shortAndLong, help: "File for the checked rows; - is standard output.") var output: String
  @Option(help: "Rule of rows that name none.") var rule: String?
  @Flag(help: "Use --rule for all rows, whatever rule they name.") var replaceRules = false
  @OptionGroup var options: TeachingOptions

  func validate() throws {
    if replaceRules, rule == nil { throw ValidationError("--replace-rules needs --rule") }
  }

  func run() throws {
    try options.checkOutput(output)
    if let rule { _ = try AnswerRule.named(rule) }
    var source = QuestionSource(rows)
    if replaceRules { source.rule = rule }
    let read = try options.reader(options.readRecipe()).rows(of: source)
    let checked = try AnswerCheck(rule: rule, replacesRules: replaceRules).checked(read)
    try options.write(checked, to: output)
    let judged = checked.filter { $0.isCorrect != nil }
    let right = judged.count { $0.isCorrect == true }, found = judged.count { $0.extracted != nil }
    let interval = ConfidenceInterval.wilson(right, of: judged.count)
    if options.json {
      try Terminal.printJSON([
        "output": output, "rows": checked.count, "judged": judged.count, "found": found, "correct": right,
        "interval": [interval.lower, interval.upper],
      ])
      return
    }
    options.say(
      "\(checked.count) rows in \(output); \(judged.count) have an answer to compare, and in \(found) one was found.",
      output: output)
    guard !judged.isEmpty else { return }
    options.say(
      "Right: \(right) (\(EvaluationNumber.percent(Double(right) / Double(judged.count))) %, 95 % interval "
        + "\(EvaluationNumber.percent(interval.lower)) to \(EvaluationNumber.percent(interval.upper)) %)",
      output: output)
  }
}
