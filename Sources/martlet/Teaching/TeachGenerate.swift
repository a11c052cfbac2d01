import ArgumentParser
import Foundation
import MartletData
import MartletReasoning

extension GenerationSettings.Prompt: ExpressibleByArgument {}
extension QuestionShape: ExpressibleByArgument {}

struct TeachGenerate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Asks a teacher for responses to questions.",
    discussion: """
      Questions are JSON lines, or one JSON list, in a shape that people have: \
      \(QuestionShape.allCases.map(\.rawValue).joined(separator: ", ")). The shape is told by the rows. Those that come \
      with a response keep it. The teacher is a model here, or one behind an OpenAI-compatible endpoint; its answers \
      are kept in the cache as they come, so that the same command goes on after any end, also that of `kill -9`, and \
      asks nothing twice.

      Examples:
        martlet teach generate svamp.jsonl --teacher SmolLM2-1.7B-Instruct --exemplars few_shot.json --output generated.jsonl
        martlet teach generate train.jsonl --endpoint http://127.0.0.1:8080/v1 --teacher big --prompt strategy --output generated.jsonl
        martlet teach generate --recipe recipe.json --output generated.jsonl
      """)

  @Argument(help: "Files of questions; - is standard input. With --recipe, its questions are the default.")
  var questions: [String] = []
  @Option(name: .shortAndLong, help: "File for the rows with responses.") var output: String
  @Option(help: "File that keeps the teacher's answers (default: OUTPUT with .answers behind).") var cache: String?
  @Option(help: "Shape of the files (default: told by the rows).") var shape: QuestionShape?
  @Option(help: "Name of the task of rows that name none.") var task: String?
  @Option(help: "Rule by which answers are compared (default: that of the shape).") var rule: String?
  @Option(help: "Split whose questions are asked; `all` for all.") var split = "train"
  @Option(help: "Largest number of questions of each task and split, drawn by the seed.") var limit: Int?
  @Flag(help: "Ask the teacher even where rows come with a response.") var replaceResponses = false
  @Option(
    help:
      "Form of the request: \(GenerationSettings.Prompt.allCases.map(\.rawValue).joined(separator: ", ")) (default: few_shot)."
  )
  var prompt: GenerationSettings.Prompt?
  @Option(help: "File of worked examples by task, {\"task\": [{\"question\", \"target\"}]}.") var exemplars: String?
  @Option(help: "Largest number of worked examples (default: 8).") var shots: Int?
  @Flag(help: "Tell the teacher the right answer as a hint (Magister et al., 2023).") var giveAnswer = false
  @Option(help: "File of strategies for --prompt strategy (default: those of the package).") var strategies: String?
  @Option(help: "Number of responses to each question (default: 1).") var samples: Int?
  @Option(help: "Temperature; 0 takes the likeliest tokens (default: 0).") var temperature: Double?
  @Option(help: "Nucleus sampling: share of the likeliest tokens (default: 1).") var topP: Double?
  @Option(help: "Maximum number of tokens of a response (default: 256).") var maxTokens: Int?
  @Option(help: "Text that ends a response; may be repeated.") var stop: [String] = []
  @OptionGroup var teacher: TeacherOptions
  @OptionGroup var options: TeachingOptions
  @OptionGroup var loading: LoadingOptions

  func validate() throws {
    for (name, value, range) in [
      ("--limit", limit, 1...Int.max), ("--shots", shots, 1...100), ("--samples", samples, 1...1000),
      ("--max-tokens", maxTokens, 1...1_000_000),
    ] {
      if let value, !range.contains(value) {
        throw ValidationError(
          "\(name) must be at least 1\(range.upperBound == .max ? "" : " and at most \(range.upperBound)")")
      }
    }
    if let temperature, !(0...10).contains(temperature) { throw ValidationError("--temperature must be from 0 to 10") }
    if let topP, !(topP > 0 && topP <= 1) { throw ValidationError("--top-p must be above 0 and at most 1") }
    if questions.isEmpty, options.recipe == nil {
      throw ValidationError("no questions were given; name a file, or a --recipe")
    }
  }

  func run() async throws {
    let recipe = try options.readRecipe(), reader = options.reader(recipe), seed = options.seed(recipe)
    try OutputTarget.check(output, replaces: options.force)
    var rows = try readQuestions(recipe, reader)
    let all = rows.count, splits = Set(rows.map(\.split)).sorted().map(\.printable).joined(separator: ", ")
    if split != "all" { rows = rows.filter { $0.split == split } }
    if rows.count < all, !rows.isEmpty {
      Terminal.note("\(all - rows.count) of \(all) questions are of other splits than \(split) and are left out.")
    }
    guard !rows.isEmpty else {
      throw TeachingError("no question is of the split \(split); name another with --split (\(splits)), or `all`")
    }
    let settings = try generation(recipe)
    let path = settings.exemplars ?? "cot_exemplars/wei_fewshot_cot.json"
    let isOpen = rows.contains { $0.response == nil }
    let prompt = try TeacherPrompt(
      settings,
      examples: isOpen && settings.prompt == .fewShot ? WorkedExamples(reader.path(of: path)) : WorkedExamples(),
      strategies: StrategyTable.chosen(strategies ?? recipe?.strategies?.file, reader), seed: seed)
    let done: (rows: [TeachingRow], summary: Generation.Summary)
    let asked = try teacher.settings(recipe)
    if isOpen {
      guard let asked else {
        throw TeachingError(
          "\(rows.count { $0.response == nil }) questions have no response; name who answers with --teacher, or a --recipe with a teacher"
        )
      }
      let model = try TeacherOptions.open(asked, loading)
      let answers = try AnswerCache(cache ?? output + ".answers")
      let questions = rows
      done = try await TeachingOptions.follow("asking the teacher:") { progress in
        try await Generation(prompt, seed: seed).run(questions, teacher: model, cache: answers, progress: progress)
      }
    } else {
      done = try await Generation(prompt, seed: seed).run(rows, teacher: NoTeacher(), cache: AnswerCache(nil))
    }
    try done.rows.write(to: output, replaces: options.force)
    try show(done.summary, rows: done.rows.count, asked)
  }

  private func readQuestions(_ recipe: Recipe?, _ reader: QuestionReader) throws -> [TeachingRow] {
    var sources = recipe?.questions ?? []
    if !questions.isEmpty { sources = questions.map { QuestionSource($0) } }
    for place in sources.indices {
      if let shape { sources[place].shape = shape }
      if let task { sources[place].task = task }
      if let rule { sources[place].rule = rule }
      if replaceResponses { sources[place].keepsResponses = false }
    }
    var rows = try reader.rows(of: sources)
    if let limit { rows = reader.limited(rows, to: limit) }
    return rows
  }

  private func generation(_ recipe: Recipe?) throws -> GenerationSettings {
    var settings = recipe?.generation ?? GenerationSettings()
    settings.prompt = prompt ?? settings.prompt
    settings.exemplars = exemplars ?? settings.exemplars
    settings.shots = shots ?? settings.shots
    if giveAnswer { settings.givesAnswer = true }
    settings.samples = samples ?? settings.samples
    settings.temperature = temperature ?? settings.temperature
    settings.topP = topP ?? settings.topP
    settings.maxTokens = maxTokens ?? settings.maxTokens
    if !stop.isEmpty { settings.stops = stop }
    if settings.samples > 1, settings.temperature == 0 {
      throw ValidationError("at temperature 0 all samples of a question are the same; set --temperature above 0")
    }
    return settings
  }

  private func show(_ summary: Generation.Summary, rows: Int, _ asked: TeacherSettings?) throws {
    let price = asked?.price(prompt: summary.promptTokens, completion: summary.completionTokens)
    if options.json {
      try Terminal.printJSON([
        "output": output, "rows": rows, "asked": summary.asked, "kept": summary.kept, "given": summary.given,
        "refused": summary.refused, "prompt_tokens": summary.promptTokens,
        "completion_tokens": summary.completionTokens, "price": price ?? NSNull(),
      ])
      return
    }
    print(
      "\(rows) rows in \(output): \(summary.asked) asked now, \(summary.kept) kept from before, \(summary.given) came with a response, \(summary.refused) without a usable text."
    )
    print(
      "The teacher read \(summary.promptTokens) and wrote \(summary.completionTokens) tokens"
        + (price.map { String(format: ", which cost %.4f.", $0) } ?? "."))
  }
}
