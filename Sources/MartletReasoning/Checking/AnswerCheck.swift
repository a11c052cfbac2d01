import MartletData
import MartletEvaluation

/// Takes the answer out of each response and compares it with the right one, by the rule of the row.
public struct AnswerCheck: Sendable {
  /// The rule of rows that name none; nil leaves these unchecked.
  public var rule: String?
  /// Whether the rule above holds for all rows, whatever they name.
  public var replacesRules: Bool

  /// A check by the rules of the rows.
  /// - Parameters:
  ///   - rule: the rule of rows that name none.
  ///   - replacesRules: whether that rule holds for all rows.
  public init(rule: String? = nil, replacesRules: Bool = false) {
    self.rule = rule
    self.replacesRules = replacesRules
  }

  /// The rows with what was found in each response, and whether it is right. Rows without a response, an answer or a rule have no verdict.
  /// - Throws: `EvaluationError` where a rule is not known.
  public func checked(_ rows: [TeachingRow]) throws -> [TeachingRow] {
    var rules: [String: AnswerRule] = [:]
    return try rows.map { row in
      var row = row
      let name = replacesRules ? rule ?? row.rule : row.rule ?? rule
      (row.rule, row.extracted, row.isCorrect) = (name, nil, nil)
      guard let name, let response = row.response, row.dropped == nil else { return row }
      let rule = try rules[name] ?? AnswerRule.named(name)
      rules[name] = rule
      row.extracted = rule.extract(from: response, choices: row.choices)
      if let answer = row.answer {
        row.isCorrect = row.extracted.map { rule.accepts($0, answer: answer, choices: row.choices) } ?? false
      }
      return row
    }
  }
}
