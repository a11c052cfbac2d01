import ArgumentParser
import MartletData
import MartletReasoning

extension SelectionSettings.Duplicates: ExpressibleByArgument {}

struct TeachSelect: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "select",
    abstract: "Decides which responses are learnt from.",
    discussion: """
      The rows stay in the file; those that are not learnt from say why in `dropped`. Two responses are the same by \
      their `path` if they make the same calculations in the same order (RFT; Yuan et al., 2023).

      Example:
        martlet teach select checked.jsonl --per-question 4 --mix conversations.jsonl=0.2 --output selected.jsonl
      """)

  @Argument(help: "File of checked rows.") var rows: String
  @Option(name: .shortAndLong, help: "File for the rows; - is standard output.") var output: String
  @Flag(help: "Keep wrong responses too.") var keepWrong = false
  @Option(
    help:
      "What makes two responses to a question the same: \(SelectionSettings.Duplicates.allCases.map(\.rawValue).joined(separator: ", ")), where `kept` is nothing (default: path)."
  )
  var duplicates: SelectionSettings.Duplicates?
  @Option(help: "Largest number of responses to a question.") var perQuestion: Int?
  @Option(help: "Smallest number of characters of a response.") var minimumLength: Int?
  @Option(help: "Largest number of characters of a response.") var maximumLength: Int?
  @Option(help: "FILE=SHARE: other rows with responses that make up this share of all; may be repeated.")
  var mix: [String] = []
  @OptionGroup var options: TeachingOptions

  func validate() throws {
    for (name, value, least) in [
      ("--per-question", perQuestion, 1), ("--minimum-length", minimumLength, 0),
      ("--maximum-length", maximumLength, 1),
    ] {
      if let value, value < least { throw ValidationError("\(name) must be at least \(least)") }
    }
    if try mixtures.reduce(0, { $0 + $1.share }) >= 1 {
      throw ValidationError("the shares of --mix must add up to less than 1")
    }
  }

  private var mixtures: [SelectionSettings.Mixture] {
    get throws {
      try mix.map { text in
        guard let mark = text.lastIndex(of: "="), let share = Double(text[text.index(after: mark)...]), share > 0,
          share < 1, mark != text.startIndex
        else { throw ValidationError("--mix \(text) must be FILE=SHARE with a share between 0 and 1") }
        return SelectionSettings.Mixture(source: QuestionSource(String(text[..<mark])), share: share)
      }
    }
  }

  func run() throws {
    try options.checkOutput(output)
    let recipe = try options.readRecipe(), reader = options.reader(recipe)
    var settings = recipe?.selection ?? SelectionSettings()
    if keepWrong { settings.onlyCorrect = false }
    settings.duplicates = duplicates ?? settings.duplicates
    settings.perQuestion = perQuestion ?? settings.perQuestion
    settings.minimumLength = minimumLength ?? settings.minimumLength
    settings.maximumLength = maximumLength ?? settings.maximumLength
    if !mix.isEmpty { settings.mixture = try mixtures }
    let (selected, summary) = try Selection(settings, seed: options.seed(recipe)).run(
      reader.rows(of: QuestionSource(rows)), mixtures: settings.mixture.map { try reader.rows(of: $0.source) })
    try options.write(selected, to: output)
    if options.json {
      try Terminal.printJSON([
        "output": output, "rows": summary.count, "selected": summary.selected, "mixed_in": summary.mixed,
        "unchecked": summary.unchecked, "dropped": summary.reasons,
      ])
      return
    }
    options.say(
      "\(summary.selected) of \(summary.count) rows are learnt from, and \(summary.mixed) are mixed in: \(output)",
      output: output)
    if summary.unchecked > 0 {
      options.say("\(summary.unchecked) of them were not compared with a right answer.", output: output)
    }
    for (reason, count) in summary.reasons.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }).prefix(20) {
      options.say("  \(count) dropped: \(reason.printable)", output: output)
    }
  }
}
