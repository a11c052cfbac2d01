import Foundation
import MartletData

/// Rules for questions whose answers are numbers.
extension AnswerRule {
  private static let solution = AnswerFilter(
    name: "gsm8k-strict", finding: ["#### (\\-?[0-9\\.\\,]+)", "(?m)^A: (\\-?[0-9\\.\\,]+)"])

  /// The number that a solution of GSM8K ends with, without commas; nil where it ends without one.
  private static func numberOfSolution(_ text: String) -> String? {
    let found = solution.answer(in: text)
    return found.isFound ? found.text.withoutCommas : nil
  }

  /// OpenAI's rule of GSM8K.
  static let gsm8kStrict = AnswerRule(
    "gsm8k-strict",
    "the number behind the first ####, or behind A: in OpenAI's released solutions; the same digits without commas (Cobbe et al. 2021)",
    extraction: { text, _ in numberOfSolution(text) },
    reading: { answer, _ in [numberOfSolution(answer) ?? answer.strippedOfSpace.withoutCommas] },
    comparison: { extracted, right, _ in extracted == right }, comparability: { answer, _ in hasNumber(answer) })

  /// A rule of lm-evaluation-harness: what an expression finds, compared without commas, dollar signs, what stands before #### and
  /// a point at the end.
  private static func harness(_ name: String, _ about: String, _ expression: String, place: Int = 0) -> AnswerRule {
    let filter = AnswerFilter(name: name, finding: [expression], place: place)
    @Sendable func normalized(_ text: String) -> String {
      var text = text
      if let mark = text.range(of: "#### ", options: .backwards) { text = String(text[mark.upperBound...]) }
      text.removeAll { $0 == "," || $0 == "$" }
      if text.hasSuffix(".\n") { text.remove(at: text.index(text.endIndex, offsetBy: -2)) }
      if text.hasSuffix(".") { text.removeLast() }
      return text.lowercased()
    }
    return AnswerRule(
      name, about,
      extraction: { text, _ in
        let found = filter.answer(in: text)
        return found.isFound ? normalized(found.text) : nil
      }, reading: { answer, _ in [normalized(numberOfSolution(answer) ?? answer).strippedOfSpace] },
      comparison: { extracted, right, _ in extracted == right }, comparability: { answer, _ in hasNumber(answer) })
  }

  static let gsm8kHarnessStrict = harness(
    "gsm8k-harness-strict", "the number behind the first ####, as lm-evaluation-harness's strict-match of gsm8k",
    "#### (\\-?[0-9\\.\\,]+)")
  static let gsm8kFlexible = harness(
    "gsm8k-flexible", "the last number anywhere, as lm-evaluation-harness's flexible-extract",
    "(-?[$0-9.,]{2,})|(-?[0-9]+)", place: -1)
  static let gsm8kChainOfThought = harness(
    "gsm8k-cot", "the number behind the first “The answer is”, as lm-evaluation-harness's strict-match of gsm8k_cot",
    "The answer is (\\-?[0-9\\.\\,]+).")

  private static let number = try? TextPattern("-?\\d+(?:\\.\\d+)?")

  /// The numbers of a text, without commas, in the digits of ASCII (Ho et al. 2022).
  private static func numbers(in text: some StringProtocol) -> [String] {
    number?.found(in: String(text).withoutCommas).map(\.withPlainDigits) ?? []
  }

  private static func hasNumber(_ answer: String) -> Bool { !numbers(in: answer).isEmpty }

  /// The right number that an answer stands for: a bare one, or that of a whole solution.
  private static func rightNumber(_ answer: String) -> String {
    if let mark = AnswerMark.first(in: answer) { return numbers(in: answer[mark.upperBound...]).first ?? answer }
    return numbers(in: answer).last ?? answer.strippedOfSpace
  }

  static let numberWithTolerance = AnswerRule(
    "number",
    "the first number behind “The answer is”, ####, --> or A:, else the last number of the text; equal within 0.000001 (Ho et al. 2022)",
    extraction: { text, _ in
      if let mark = AnswerMark.first(in: text) { return numbers(in: text[mark.upperBound...]).first }
      return numbers(in: text).last
    }, reading: { answer, _ in [rightNumber(answer)] },
    comparison: { extracted, right, _ in
      var comparison = AnswerComparison()
      comparison.tolerance = 1e-6
      return comparison.areSame(extracted, right)
    }, comparability: { answer, _ in hasNumber(answer) })

  static let numberStrict = AnswerRule(
    "number-strict",
    "the first number behind “The answer is”, ####, --> or A:, which must be there; the same digits without commas",
    extraction: { text, _ in AnswerMark.first(in: text).flatMap { numbers(in: text[$0.upperBound...]).first } },
    reading: { answer, _ in [rightNumber(answer)] }, comparison: { extracted, right, _ in extracted == right },
    comparability: { answer, _ in hasNumber(answer) })
}

extension String {
  /// With 0 to 9 in place of the decimal digits of other scripts.
  fileprivate var withPlainDigits: String {
    guard utf8.contains(where: { $0 >= 0x80 }) else { return self }
    return String(
      String.UnicodeScalarView(
        unicodeScalars.map { scalar in
          guard scalar.properties.generalCategory == .decimalNumber, let value = scalar.properties.numericValue else {
            return scalar
          }
          return UnicodeScalar(UInt8(ascii: "0") + UInt8(value))
        }))
  }

  fileprivate var withoutCommas: String { String(String.UnicodeScalarView(unicodeScalars.filter { $0 != "," })) }
}
