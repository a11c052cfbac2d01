import MartletData

extension AnswerRule {
  /// Every rule, in the order of help texts.
  public static let all: [AnswerRule] = [gsm8kStrict]

  /// OpenAI's rule of GSM8K.
  static let gsm8kStrict: AnswerRule = {
    let filter = AnswerFilter(
      name: "gsm8k-strict", finding: ["#### (\\-?[0-9\\.\\,]+)", "(?m)^A: (\\-?[0-9\\.\\,]+)"])
    @Sendable func number(_ text: String) -> String? {
      let found = filter.answer(in: text)
      return found.isFound ? found.text.filter { $0 != "," } : nil
    }
    return AnswerRule(
      "gsm8k-strict",
      "the number behind the first ####, or behind A: in OpenAI's released solutions; the same digits without commas (Cobbe et al. 2021)",
      extraction: { text, _ in number(text) }, reading: { answer, _ in [number(answer) ?? answer.filter { $0 != "," }] },
      comparison: { extracted, right, _ in extracted == right })
  }()
}
