import Foundation
import MartletData
import MartletEngine
import MartletEvaluation
import MartletModels

/// A student put to the questions of tests: it answers with the likeliest tokens, and rules judge what it wrote.
///
/// Answers are kept in a file in the order of the questions. As an answer does not depend on which others are written beside it, a file
/// that is gone on with after any end becomes the same.
public struct StudentEvaluation: Sendable {
  /// The student with what it has learnt.
  public var loaded: LoadedModel
  /// The model as the recipe names it, and how it is asked.
  public var student: StudentSettings
  /// What it has learnt.
  public var arm: ArmSettings
  /// The seed of its run.
  public var seed: Int
  /// How it is measured.
  public var settings: EvaluationSettings
  /// What tells the run whose result is measured from others.
  public var digest: String
  /// The strategies whose forms answers are compared with; nil where none are taught.
  public var strategies: StrategyTable?
  /// Says whether an answer to a question is right, in place of the question's rule; nil where rules judge.
  public var judge: (@Sendable (_ question: TeachingRow, _ answer: String) -> Bool)?

  /// The evaluation of a run's result.
  /// - Parameters:
  ///   - loaded: the student with what it has learnt.
  ///   - student: the model as the recipe names it, and how it is asked.
  ///   - arm: what it has learnt.
  ///   - seed: the seed of its run.
  ///   - settings: how it is measured.
  ///   - digest: what tells the run whose result is measured from others.
  public init(
    _ loaded: LoadedModel, student: StudentSettings, arm: ArmSettings, seed: Int, settings: EvaluationSettings,
    digest: String = ""
  ) {
    self.loaded = loaded
    self.student = student
    self.arm = arm
    self.seed = seed
    self.settings = settings
    self.digest = digest
  }

  /// The questions that are asked: of each task in each split the first ones, each once.
  public static func questions(_ rows: [TeachingRow], _ settings: EvaluationSettings) -> [TeachingRow] {
    var counts: [[String]: Int] = [:]
    var seen: Set<[String]> = []
    return rows.filter { row in
      guard settings.splits.contains(row.split), seen.insert([row.split, row.id]).inserted,
        counts[[row.task, row.split], default: 0] < settings.limit ?? .max
      else { return false }
      counts[[row.task, row.split], default: 0] += 1
      return true
    }
  }

  /// Asks what has not been asked yet.
  ///
  /// - Parameters:
  ///   - questions: with right answers and rules.
  ///   - file: the file of answers; nil keeps none.
  ///   - progress: called after each answer with the number of answers so far; what it throws ends the evaluation, which can be resumed.
  /// - Returns: the answers in the order of the questions.
  /// - Throws: ``TeachingError`` where a question lacks what judging needs; `FileError` where the file holds other answers.
  public func run(
    _ questions: [TeachingRow], file: String?, progress: (_ done: Int) throws -> Void = { _ in }
  ) async throws -> [StudentAnswer] {
    let rules = try questions.map(rule)
    var (answers, kept) = try file.map { try read($0, questions) } ?? ([], 0)
    let start = answers.count
    guard start < questions.count else { return answers }
    if let folder = file?.parentFolder, !folder.isEmpty { try OutputTarget.makeFolder(folder) }
    let rows = try RowsFile(file, keeping: kept, next: start)
    var engineOptions = Engine.Options()
    engineOptions.maxSequences = 32
    let batch = EngineBatch(engine: Engine(loaded, options: engineOptions))
    let prompt = StudentPrompt(loaded, isChat: student.isChat)
    // With a calculator every question is asked a second time, beside the first.
    let times = settings.usesCalculator ? 2 : 1
    var plain: [Int: EngineBatch.Answer] = [:], calculated: [Int: EngineBatch.Answer] = [:]
    var finished: [Int: StudentAnswer] = [:]
    try await batch.answer((questions.count - start) * times) { number in
      var request = try request(questions[start + number / times], prompt)
      if number % times == 1 { request.calculator = Calculator() }
      return request
    } finished: { number, answer in
      let place = number / times, question = questions[start + place], rule = rules[start + place]
      if number % times == 1 { calculated[place] = answer } else { plain[place] = answer }
      guard let first = plain[place], times == 1 || calculated[place] != nil else { return }
      var judged = self.judged(question, first, rule)
      if let second = calculated[place] {
        judged.calculated = verdict(second.text, question, rule)
        judged.corrected = verdict(CalculatedText(first.text).text, question, rule)
      }
      (plain[place], calculated[place]) = (nil, nil)
      try rows.add(Array(line(judged).text.utf8), at: start + place)
      finished[place] = judged
      try progress(start + finished.count)
    }
    try rows.synchronize()
    answers += (0..<questions.count - start).compactMap { finished[$0] }
    return answers
  }

  /// The message that the student is given: never that of a strategy, as it shall choose by itself.
  private var system: String? { arm.erasure == .none ? nil : student.system }

  private func request(_ row: TeachingRow, _ prompt: StudentPrompt) throws -> Request {
    var request = Request(
      tokens: try prompt.tokens(asking: row, system: system, prefix: arm.method == .twoTask ? .label : .none))
    request.maxTokens = settings.maxTokens
    request.stops = prompt.stops
    return request
  }

  private func rule(_ row: TeachingRow) throws -> AnswerRule? {
    if judge != nil { return nil }
    guard row.answer != nil else {
      throw TeachingError(
        "question \(row.id) of \(row.task) has no \"answer\", so no answer to it can be judged; add one")
    }
    return try AnswerRule.named(row.rule ?? "exact")
  }

  private func judged(_ question: TeachingRow, _ answer: EngineBatch.Answer, _ rule: AnswerRule?) -> StudentAnswer {
    var row = question
    let verdict = verdict(answer.text, row, rule)
    row.response = verdict.response
    row.extracted = verdict.extracted
    row.isCorrect = verdict.isCorrect
    row.seed = seed
    row.promptTokens = answer.completion.promptTokens
    row.completionTokens = answer.completion.tokens.count
    if row.strategy == nil { row.strategy = strategies?.cluster(of: row)?.strategy }
    var judged = StudentAnswer(row, arm: arm.name, isEnded: answer.completion.reason == .stop)
    judged.followed = strategies?.followed(by: verdict.response)
    return judged
  }

  private func verdict(_ text: String, _ row: TeachingRow, _ rule: AnswerRule?) -> StudentAnswer.Verdict {
    let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
    guard let rule else {
      return StudentAnswer.Verdict(response: text, extracted: nil, isCorrect: judge?(row, text) ?? false)
    }
    let extracted = rule.extract(from: text, choices: row.choices)
    return StudentAnswer.Verdict(
      response: text, extracted: extracted,
      isCorrect: extracted.map { rule.accepts($0, answer: row.answer ?? "", choices: row.choices) } ?? false)
  }

  // MARK: The file

  private var mark: String { String(digest.prefix(16)) }

  private func line(_ answer: StudentAnswer) -> JSONValue {
    guard case .object(var object) = answer.json else { return answer.json }
    if !mark.isEmpty { object.append("run", .string(mark)) }
    return .object(object)
  }

  private func read(_ path: String, _ questions: [TeachingRow]) throws -> (answers: [StudentAnswer], byteCount: Int) {
    var answers: [StudentAnswer] = []
    var byteCount = 0
    for (number, line) in try RowsFile.lines(path).enumerated() {
      let place = "\(path), line \(number + 1)"
      guard number < questions.count, let value = try? JSONValue(parsing: line.bytes),
        var answer = try? StudentAnswer(JSONLines.Line(place: place, number: number + 1, value: value)),
        answer.row.id == questions[number].id, answer.row.question == questions[number].question,
        answer.arm == arm.name, answer.row.others["run"]?.string ?? "" == mark,
        (answer.calculated != nil) == settings.usesCalculator
      else {
        throw FileError(
          file: place, "it is no answer of this evaluation; remove the file, or give another one, to ask again")
      }
      answer.row.others["run"] = nil
      answers.append(answer)
      byteCount = line.end
    }
    return (answers, byteCount)
  }
}
