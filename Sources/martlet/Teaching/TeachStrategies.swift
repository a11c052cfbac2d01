import ArgumentParser
import Foundation
import MartletData
import MartletEngine
import MartletEvaluation
import MartletReasoning

extension StrategySettings.Judge: ExpressibleByArgument {}

struct TeachStrategies: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "strategies",
    abstract: "Measures which way of answering suits each cluster of tasks.",
    discussion: """
      Each strategy is tried on questions of the validation split, by the student and, where one is named, by the \
      teacher. The table shows the share of right answers with Wilson's 95 % interval, and the output is a file of \
      strategies for `teach generate --prompt strategy`. With --find, questions are grouped by a model's hidden states \
      instead; the output then waits for you: name the clusters, give each a strategy, and set `confirmed` to true.

      Examples:
        martlet teach strategies questions.jsonl --student SmolLM2-135M-Instruct --output strategies.json
        martlet teach strategies questions.jsonl --find 6 --student SmolLM2-135M-Instruct --output clusters.json
      """)

  @Argument(help: "Files of questions. With --recipe, its questions are the default.") var questions: [String] = []
  @Option(name: .shortAndLong, help: "File for the strategies.") var output: String
  @Option(help: "Path or name of the model that is taught (default: the recipe's).") var student: String?
  @Option(help: "File of strategies and clusters (default: those of the package).") var strategies: String?
  @Option(help: "Strategies that are tried, separated by commas (default: all).") var tried: String?
  @Option(help: "Split on which they are measured (default: validation).") var split: String?
  @Option(help: "Largest number of questions of a cluster (default: 50).") var limit: Int?
  @Option(help: "Whose accuracy decides: student or teacher (default: student).") var judge: StrategySettings.Judge?
  @Option(help: "Maximum number of tokens of an answer.") var maxTokens = 256
  @Option(help: "Find this number of clusters by the student's hidden states, for you to confirm.") var find: Int?
  @Option(help: "File that keeps answers (default: OUTPUT with .answers behind).") var cache: String?
  @OptionGroup var teacher: TeacherOptions
  @OptionGroup var options: TeachingOptions
  @OptionGroup var loading: LoadingOptions

  func validate() throws {
    for (name, value) in [("--limit", limit), ("--max-tokens", maxTokens), ("--find", find)] {
      if let value, value < 1 { throw ValidationError("\(name) must be at least 1") }
    }
    if questions.isEmpty, options.recipe == nil {
      throw ValidationError("no questions were given; name a file, or a --recipe")
    }
  }

  func run() async throws {
    try OutputTarget.check(output, replaces: options.force)
    let recipe = try options.readRecipe(), reader = options.reader(recipe), seed = options.seed(recipe)
    let rows = try reader.rows(of: questions.isEmpty ? recipe?.questions ?? [] : questions.map { QuestionSource($0) })
    let table = try StrategyTable.chosen(strategies ?? recipe?.strategies?.file, reader)
    let name = student ?? recipe?.student.model
    if let find {
      guard let name else { throw ValidationError("--find reads questions with a model; name it with --student") }
      let engine = Engine(try loading.load(name))
      let found = try await TeachingOptions.follow("reading questions:", unit: "questions") { progress in
        try await ClusterSearch(count: find, seed: seed).run(
          rows, engine: engine, strategies: table, progress: progress)
      }
      try writeJSON(found)
      return try showClusters(found)
    }
    var settings = recipe?.strategies ?? StrategySettings()
    if let tried { settings.tried = tried.split(separator: ",").map { String($0).trimmed } }
    settings.split = split ?? settings.split
    settings.limit = limit ?? settings.limit
    settings.judge = judge ?? settings.judge
    var measurement = try StrategyMeasurement(table, settings: settings, seed: seed)
    var models: [(judge: StrategySettings.Judge, model: any Teacher)] = []
    if let name {
      var asked = TeacherSettings(model: name)
      asked.isChat = recipe?.student.isChat ?? !teacher.plain
      models.append((.student, try TeacherOptions.open(asked, loading)))
    }
    if let asked = try teacher.settings(recipe) { models.append((.teacher, try TeacherOptions.open(asked, loading))) }
    let answers = try AnswerCache(cache ?? output + ".answers")
    let asked = models
    measurement = try await TeachingOptions.follow("trying strategies:") { [measurement] progress in
      var measurement = measurement
      try await measurement.run(rows, models: asked, cache: answers, maxTokens: maxTokens, progress: progress)
      return measurement
    }
    try writeJSON(measurement.json)
    try show(measurement)
  }

  private func writeJSON(_ value: JSONValue) throws {
    try AtomicFile.write(Array(value.indentedText.utf8), to: output, replaces: options.force)
  }

  private func showClusters(_ found: JSONValue) throws {
    if options.json { return print(found.text) }
    for cluster in found["clusters"]?.array ?? [] {
      print("\(cluster["cluster"]?.string ?? ""): \(cluster["questions"]?.array?.count ?? 0) questions, such as")
      for example in cluster["examples"]?.array ?? [] {
        print("  \((example.string ?? "").prefix(100).description.printable)")
      }
    }
    print("Name the clusters in \(output), give each a strategy, and set `confirmed` to true.")
  }

  private func show(_ measurement: StrategyMeasurement) throws {
    if options.json { return print(measurement.json.text) }
    var rows = [["cluster", "strategy", "model", "right", "of", "%", "95 % interval", "found", ""]]
    for cell in measurement.cells {
      let choice = measurement.choices.first { $0.cluster == cell.cluster && $0.strategy == cell.strategy }
      rows.append([
        cell.cluster, cell.strategy, cell.judge.rawValue, "\(cell.correct)", "\(cell.count)",
        EvaluationNumber.percent(cell.accuracy),
        "\(EvaluationNumber.percent(cell.interval.lower)) to \(EvaluationNumber.percent(cell.interval.upper))",
        "\(cell.found)", choice.map { $0.isClear ? "chosen" : "chosen, others are as good within the intervals" } ?? "",
      ])
    }
    print(TextTable(rows, leading: 3).text)
    print("Strategies in \(output).")
  }
}
