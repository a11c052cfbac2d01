import Foundation

extension TeachingRow {
  /// The question, followed by its choices where it has any: `Answer choices: (a) park (b) garden center`.
  public var questionWithChoices: String {
    guard let choices, !choices.isEmpty else { return question }
    let list = zip(choices.indices, choices).map { "(\(Self.letter($0))) \($1)" }
    return "\(question)\nAnswer choices: \(list.joined(separator: " "))"
  }

  /// The letter of a choice: a to z, and numbers from 27 on.
  static func letter(_ index: Int) -> String {
    index < 26 ? String(UnicodeScalar(UInt8(ascii: "a") + UInt8(index))) : "\(index + 1)"
  }

  /// The answer alone, as a sentence from which the row's rule takes it: `The answer is no.`, or `#### 24` where the rule looks for that.
  /// nil where no answer is known.
  public var answerSentence: String? {
    guard let answer else { return nil }
    let value = bareAnswer(answer)
    return rule.map { $0.hasPrefix("gsm8k") && $0 != "gsm8k-cot" } ?? false
      ? "#### \(value)" : "The answer is \(value)."
  }

  /// What stands behind `####` of a whole solution; else the answer itself.
  private func bareAnswer(_ answer: String) -> String {
    guard let mark = answer.range(of: "####", options: .backwards) else { return answer }
    return answer[mark.upperBound...].trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// The response without the sentence that gives the answer at its end; nil where there is no response, or nothing in front of that
  /// sentence.
  public var rationale: String? {
    guard let response else { return nil }
    let marks = ["####", "So the answer is", "Therefore, the answer is", "The answer is", "the answer is"]
    let cut = marks.compactMap { response.range(of: $0, options: .backwards)?.lowerBound }.min()
    let text = response[..<(cut ?? response.endIndex)].trimmingCharacters(in: .whitespacesAndNewlines)
    return text.isEmpty ? nil : text
  }
}
