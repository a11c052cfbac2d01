import ArgumentParser
import Foundation
import MartletData
import MartletEvaluation
import MartletReasoning
import MartletTensor

struct TeachTest: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test",
    abstract: "Puts questions to a student, and judges its answers by the rule of each question.",
    discussion: """
      The student answers with the likeliest tokens. --run names the folder of `martlet teach train`; without it the model \
      is asked as it is. Shares have Wilson intervals of 95 %. --output keeps each answer with the verdict; the same \
      command goes on with the file.

      Example:
        martlet teach test symbolic.jsonl.gz --student SmolLM2-135M-Instruct.Q4_1 --run thoughts --task coin_flip \
      --split test,test_ood3,test_ood4 --limit 100 --output answers.jsonl
      """)

  @Argument(help: "File of questions with answers, in any form that the stages of teaching read.") var rows: String
  @Option(help: "Path or name of the model that is asked; `box` is the built-in model.") var student: String
  @Option(help: "Folder of a run of `martlet teach train` whose result is asked.") var run: String?
  @Option(help: "How the run was trained: two-task asks for the [label] (default: what the run says).")
  var method: ArmSettings.Method?
  @Option(help: "Task whose questions are asked; may be repeated (default: all).") var task: [String] = []
  @Option(help: "Splits that are asked, separated by commas.") var split = "test"
  @Option(help: "Rule of answers for questions that name none, e.g. number or yes-no.") var rule: String?
  @Option(help: "Largest number of questions of a task in a split.") var limit: Int?
  @Option(help: "Maximum number of tokens of an answer.") var maxTokens = 192
  @Flag(
    help:
      "Ask a second time with a calculator that writes the values of expressions such as <<48/2=, and correct the arithmetic of the first answers afterwards; all three shares are told."
  )
  var calculator = false
  @Option(help: "File of strategies whose forms answers are compared with (default: those of the package).")
  var strategies: String?
  @Flag(help: "Put questions as plain text (Q: … A:) instead of messages of the model's chat template.")
  var plain = false
  @Option(help: "System message that each question is asked with (default: none).") var system: String?
  @Option(name: .shortAndLong, help: "File for the answers.") var output: String?
  @Option(name: [.customShort("t"), .long], help: "Number of threads (default: all processors).") var threads: Int?
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    for (name, value, range) in [
      ("--limit", limit ?? 1, 1...Int.max), ("--max-tokens", maxTokens, 1...1_048_576),
      ("--threads", threads ?? 1, 1...64),
    ] where !range.contains(value) {
      throw ValidationError("\(name) must be from \(range.lowerBound) to \(range.upperBound)")
    }
  }

  func run() async throws {
    if let output { try AppendedFile.check(output) }
    if let threads { Parallel.width = threads }
    var source = QuestionSource(rows)
    source.splits = split.split(separator: ",").map { String($0) }
    source.tasks = task
    source.rule = rule
    var settings = EvaluationSettings()
    settings.splits = source.splits
    settings.limit = limit
    settings.maxTokens = maxTokens
    settings.usesCalculator = calculator
    let questions = StudentEvaluation.questions(
      try QuestionReader(folders: TeachingOptions.dataFolders, seed: 1).rows(of: source), settings)
    guard !questions.isEmpty else {
      throw TeachingError("\(rows) has no question of the split \(split); name others with --split")
    }
    let asked = StudentSettings(model: student, isChat: !plain, system: system)
    let trained = try run.map { folder in
      guard let found = try ArmTrainingResult.read(folder) else {
        throw TeachingError("\(folder) holds no complete run; train with `martlet teach train` first")
      }
      return found
    }
    if let method, let own = trained?.method, (method == .twoTask) != (own == .twoTask) {
      throw TeachingError(
        "the run was trained with --method \(own.rawValue), so it is not asked as \(method.rawValue); leave --method out"
      )
    }
    var arm = ArmSettings(
      name: run.map { ($0 as NSString).lastPathComponent } ?? "untrained", method: method ?? trained?.method ?? .cot)
    arm.erasure = system == nil ? .none : .erased
    var evaluation = StudentEvaluation(
      try StudentFiles.load(asked, trainedIn: run), student: asked, arm: arm, seed: trained?.seed ?? 0,
      settings: settings, digest: trained?.digest ?? "")
    evaluation.strategies = try strategies.map { try StrategyTable.read($0) } ?? .shipped
    let asking = evaluation
    let answers = try await TeachingOptions.follow("asking the student:") { progress in
      try await asking.run(questions, file: output) { try progress($0, questions.count) }
    }
    let groups = Dictionary(grouping: answers) { [$0.row.task, $0.row.split] }.sorted {
      $0.key.lexicographicallyPrecedes($1.key)
    }
    let results = groups.map { key, answers -> [String: Any] in
      let right = answers.count { $0.row.isCorrect == true }
      let interval = ConfidenceInterval.wilson(right, of: answers.count)
      var result: [String: Any] = [
        "task": key[0], "split": key[1], "questions": answers.count, "correct": right,
        "accuracy": Double(right) / Double(answers.count), "lower": interval.lower, "upper": interval.upper,
        "with_answer": answers.count { $0.hasAnswer }, "ended": answers.count { $0.isEnded },
        "mean_tokens": Double(answers.reduce(0) { $0 + ($1.row.completionTokens ?? 0) }) / Double(answers.count),
      ]
      if calculator {
        result["correct_calculator_in_loop"] = answers.count { $0.calculated?.isCorrect == true }
        result["correct_calculator_after"] = answers.count { $0.corrected?.isCorrect == true }
      }
      return result
    }
    if json { return try Terminal.printJSON(["student": student, "run": run ?? "", "results": results]) }
    for result in results {
      guard let task = result["task"] as? String, let split = result["split"] as? String,
        let count = result["questions"] as? Int, let accuracy = result["accuracy"] as? Double,
        let lower = result["lower"] as? Double, let upper = result["upper"] as? Double,
        let found = result["with_answer"] as? Int, let tokens = result["mean_tokens"] as? Double
      else { continue }
      var calculated = ""
      if let inLoop = result["correct_calculator_in_loop"] as? Int,
        let after = result["correct_calculator_after"] as? Int
      {
        calculated = String(
          format: "; %.1f %% right with the calculator in the loop, %.1f %% after the fact",
          100 * Double(inLoop) / Double(count), 100 * Double(after) / Double(count))
      }
      print(
        "\(task) \(split)".printable
          + String(
            format:
              ": %.1f %% right [%.1f, %.1f] of %d, %.0f %% with an answer in the form of the rule, %.0f tokens each",
            100 * accuracy, 100 * lower, 100 * upper, count, 100 * Double(found) / Double(count), tokens)
          + calculated)
    }
  }
}
