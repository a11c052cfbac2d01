import MartletData
import MartletModels

/// How an answer is taken out of a text that a model wrote, and when it is the right one. One set of rules serves the filter of a
/// teacher's texts, the reward of a policy, and evaluation.
///
///     let rule = try AnswerRule.named("gsm8k-strict")
///     rule.extract(from: "48 / 2 = 24\n#### 24")                       // "24"
///     rule.isCorrect(text: "It is 24.\n#### 24", answer: "#### 24")    // true
public struct AnswerRule: Sendable, Equatable, CustomStringConvertible {
  /// The name, such as `gsm8k-strict`.
  public let name: String
  /// What the rule does, in one sentence with its source.
  public let about: String
  private let extraction: @Sendable (_ text: String, _ choices: [String]) -> String?
  private let reading: @Sendable (_ answer: String, _ choices: [String]) -> [String]
  private let comparison: @Sendable (_ extracted: String, _ right: String, _ choices: [String]) -> Bool
  private let comparability: @Sendable (_ answer: String, _ choices: [String]) -> Bool

  /// - Parameters:
  ///   - name: the name.
  ///   - about: what the rule does.
  ///   - extraction: takes the answer out of a text.
  ///   - reading: the right answers that a given answer stands for, such as the number of a whole solution.
  ///   - comparison: whether an extracted answer is a right one.
  ///   - comparability: whether a right answer is of the kind that the rule compares.
  init(
    _ name: String, _ about: String,
    extraction: @escaping @Sendable (_ text: String, _ choices: [String]) -> String?,
    reading: @escaping @Sendable (_ answer: String, _ choices: [String]) -> [String] = { answer, _ in [answer] },
    comparison: @escaping @Sendable (_ extracted: String, _ right: String, _ choices: [String]) -> Bool,
    comparability: @escaping @Sendable (_ answer: String, _ choices: [String]) -> Bool = { _, _ in true }
  ) {
    self.name = name
    self.about = about
    self.extraction = extraction
    self.reading = reading
    self.comparison = comparison
    self.comparability = comparability
  }

  /// Every rule, in the order of help texts.
  public static let all: [AnswerRule] = [
    gsm8kStrict, gsm8kHarnessStrict, gsm8kFlexible, gsm8kChainOfThought, numberWithTolerance, numberStrict, choice,
    yesNo, exact,
    bbh, aliases, lastLetters,
  ]

  /// The rule with a name.
  /// - Throws: ``EvaluationError`` that names similar rules.
  public static func named(_ name: String) throws -> AnswerRule {
    if let rule = all.first(where: { $0.name == name }) { return rule }
    let names = all.map(\.name), question = NearestNames.question(name, among: names)
    throw EvaluationError(
      "there is no rule of answers `\(name)`"
        + (question.isEmpty ? "; known are \(names.joined(separator: ", "))" : question))
  }

  /// The answer that a text gives.
  /// - Parameters:
  ///   - text: what a model wrote.
  ///   - choices: the options of a question with choices.
  /// - Returns: the answer in the form in which it is compared; nil if the text gives none.
  public func extract(from text: String, choices: [String]? = nil) -> String? { extraction(text, choices ?? []) }

  /// Whether a right answer is of the kind that the rule compares: a number, one of the choices, yes or no. Otherwise no text could
  /// ever be right.
  /// - Parameters:
  ///   - answer: the right answer: a bare value, or a whole solution where the rule knows how these end.
  ///   - choices: the options of a question with choices.
  public func canCompare(answer: String, choices: [String]? = nil) -> Bool { comparability(answer, choices ?? []) }

  /// Whether an answer that ``extract(from:choices:)`` gave is right.
  /// - Parameters:
  ///   - extracted: the answer that was found.
  ///   - answer: the right answer: a bare value, or a whole solution where the rule knows how these end.
  ///   - choices: the options of a question with choices.
  public func accepts(_ extracted: String, answer: String, choices: [String]? = nil) -> Bool {
    let choices = choices ?? []
    return reading(answer, choices).contains { comparison(extracted, $0, choices) }
  }

  /// Whether the answer that a text gives is right. A text that gives none is not.
  /// - Parameters:
  ///   - text: what a model wrote.
  ///   - answer: the right answer: a bare value, or a whole solution where the rule knows how these end.
  ///   - choices: the options of a question with choices.
  public func isCorrect(text: String, answer: String, choices: [String]? = nil) -> Bool {
    extract(from: text, choices: choices).map { accepts($0, answer: answer, choices: choices) } ?? false
  }

  /// Whether the answer that a text gives is one of several right ones.
  /// - Parameters:
  ///   - text: what a model wrote.
  ///   - answers: the right answers, such as the names of one thing.
  ///   - choices: the options of a question with choices.
  public func isCorrect(text: String, answers: [String], choices: [String]? = nil) -> Bool {
    guard let extracted = extract(from: text, choices: choices) else { return false }
    return answers.contains { accepts(extracted, answer: $0, choices: choices) }
  }

  /// Rules are equal if their names are.
  public static func == (one: AnswerRule, other: AnswerRule) -> Bool { one.name == other.name }
  /// The name.
  public var description: String { name }
}
