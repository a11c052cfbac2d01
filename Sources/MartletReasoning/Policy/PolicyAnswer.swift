import MartletData
import MartletEvaluation

/// An answer that the policy wrote, with its reward.
public struct PolicyAnswer: Sendable, Equatable {
  /// The tokens of the prompt, and of the answer with the token that ends it.
  public var prompt, completion: [Int]
  /// The text of the answer.
  public var text: String
  /// The answer that was found in the text.
  public var extracted: String?
  /// Whether the extracted answer is right.
  public var isCorrect = false
  /// Whether the answer ended of itself, and not at the largest number of tokens.
  public var isComplete: Bool
  /// The reward, from 0 to 1.
  public var reward = 0.0
}

/// Rewards answers by the rule of their question.
public struct AnswerReward: Sendable {
  /// The rule of questions that name none.
  public let rule: AnswerRule?
  /// The reward of a wrong answer that the rule can find.
  public let formReward: Double

  /// A reward.
  /// - Parameters:
  ///   - rule: the rule of questions that name none.
  ///   - formReward: the reward of a wrong answer that the rule can find.
  public init(rule: AnswerRule? = nil, formReward: Double = 0) {
    self.rule = rule
    self.formReward = formReward
  }

  /// Checks that the answers to a question can be rewarded.
  /// - Throws: ``TeachingError`` that names the question.
  public func check(_ row: TeachingRow) throws {
    _ = try found(row)
    guard row.answer != nil else {
      throw TeachingError(
        "question \(row.id) has no \"answer\", so nothing can be rewarded; add it, or leave the row out")
    }
  }

  private func found(_ row: TeachingRow) throws -> AnswerRule {
    if let name = row.rule { return try AnswerRule.named(name) }
    guard let rule else {
      throw TeachingError("question \(row.id) names no \"rule\" of answers; add it to the row, or give --rule")
    }
    return rule
  }

  /// Fills in what a text is worth.
  public func judge(_ answer: inout PolicyAnswer, to row: TeachingRow) throws {
    let rule = try found(row)
    answer.extracted = rule.extract(from: answer.text, choices: row.choices)
    answer.isCorrect =
      row.answer.map { rule.isCorrect(text: answer.text, answer: $0, choices: row.choices) } ?? false
    answer.reward = answer.isCorrect ? 1 : answer.extracted == nil ? 0 : formReward
  }
}
