import MartletData
import MartletEngine
import MartletModels
import MartletTensor

/// How a question is put to a teacher.
public struct TeacherPrompt: Sendable {
  /// The form of the request, and what belongs to it.
  public var settings: GenerationSettings
  /// Worked examples, for prompts that show some.
  public var examples: WorkedExamples?
  /// Strategies and the clusters that they are for; also the messages that ask for explanations.
  public var strategies: StrategyTable
  /// Decides which message asks for an explanation.
  public var seed: Int

  /// Prompts of a form.
  /// - Throws: ``TeachingError`` where the form needs worked examples and there are none.
  public init(
    _ settings: GenerationSettings, examples: WorkedExamples? = nil, strategies: StrategyTable, seed: Int = 1
  ) throws {
    guard settings.prompt != .fewShot || examples != nil else {
      throw TeachingError(
        "the prompt few_shot needs a file of worked examples; name it, or choose plain, step_by_step, strategy or explanation"
      )
    }
    self.settings = settings
    self.examples = examples
    self.strategies = strategies
    self.seed = seed
  }

  /// The conversation that asks a question, and the row with what the teacher was told on record.
  /// - Throws: `FileError` where the task has no worked examples; ``TeachingError`` where it has no strategy.
  public func request(_ row: TeachingRow) throws -> (request: TeacherRequest, row: TeachingRow) {
    var row = row
    var messages: [ChatMessage] = []
    var question = asked(row.questionWithChoices, answer: row.answer)
    switch settings.prompt {
    case .plain: break
    case .fewShot:
      for example in try examples?.examples(of: row.task).prefix(settings.shots) ?? [] {
        messages.append(ChatMessage(.user, asked(example.question, answer: Self.answer(of: example.target))))
        messages.append(ChatMessage(.assistant, example.target))
      }
    case .stepByStep:
      question += "\n\nThink step by step. " + strategies.answerLine
    case .strategy:
      let strategy = try strategies.strategy(for: row)
      row.strategy = strategy.id
      row.system = strategies.system(strategy, endsWithAnswer: row.rule != nil)
    case .explanation:
      guard !strategies.explanations.isEmpty else { break }
      let random = RandomSource(seed: UInt64(max(0, seed))).stream("explanation").stream(row.id)
      let place = random.integer(0, below: strategies.explanations.count)
      row.strategy = "explanation-\(place)"
      let message = strategies.explanations[place]
      row.system = row.rule == nil ? message : message + (message.isEmpty ? "" : "\n") + strategies.answerLine
    }
    messages += try row.history()
    if let system = row.system, !system.isEmpty { messages.insert(ChatMessage(.system, system), at: 0) }
    messages.append(ChatMessage(.user, question))
    var request = TeacherRequest(messages)
    request.maxTokens = settings.maxTokens
    request.stops = settings.stops
    request.sampling.temperature = Float(settings.temperature)
    request.sampling.topP = Float(settings.topP)
    return (request, row)
  }

  /// The question with its answer as a hint, where hints are given, right behind it (Magister et al., 2023).
  private func asked(_ question: String, answer: String?) -> String {
    guard settings.givesAnswer, let answer else { return question }
    return "\(question)\nHint: the correct answer is \(answer). Do not mention this hint; reason towards the answer."
  }

  /// The answer at the end of a worked example.
  private static func answer(of target: String) -> String? {
    target.matches(of: /[Tt]he answer is (.+?)\.?\s*$/).last.map { String($0.1) }
  }
}
