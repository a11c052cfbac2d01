import Foundation
import MartletData
import Testing

@testable import MartletReasoning

/// The form of texts, by the rules of the strategies of the package.
@Suite struct StrategyFormTests {
  @Test(arguments: [
    ("direct", "no"), ("direct", "The answer is (d) be dismembered by a chainsaw."),
    ("direct", "The answer is no, greed is not the most prevalent of the Seven Deadly Sins."),
    ("step_by_step", "Step 1: 3 + 4 = 7\nStep 2: 7 * 2 = 14\nThe answer is 14."),
    ("step_by_step", "1. Dave has 14 tickets.\n\n2. He loses 2, which leaves 12.\nThe answer is 12."),
    (
      "step_by_step",
      "First, we calculate the total number of eggs: 2 x 11 = 22 eggs.\n\nThen we divide it by the groups. The answer is 2."
    ),
    ("step_by_step", "He had 14 - 2 = 12 tickets. He used 10, so he had 12 - 10 = 2 tickets left. The answer is 2."),
    (
      "explain_then_answer",
      "The coin was flipped by Theo and Vera, so it was flipped twice, which is an even number. The answer is yes."
    ),
    ("answer_then_explain", "The answer is no. The top of Mount Fuji is not visible above the water."),
    ("answer_then_explain", "(b) a garden. Flowers grow there, and in a bank they do not."),
    (
      "recall_then_generate",
      "- Mount Fuji is 3776 metres high.\n- The Sea of Japan is 3742 metres deep.\nThe answer is yes."
    ),
    (
      "recall_reason_generate",
      "Fact: the mountain is 3776 metres high.\nFact: the sea is 3742 metres deep.\nThe first is more than the second, therefore the top stands out. The answer is yes."
    ),
    ("extract_then_generate", "The passage says \"the bridge was closed in May\". The answer is May."),
    (
      "compare_and_eliminate",
      "(a) A bank holds money, not plants: it fails.\n(b) A garden holds plants: it passes.\nThe answer is (b)."
    ),
    (
      "plan_then_solve",
      "Plan: add the apples, then halve them.\nThere are 3 + 5 = 8 apples, half is 4. The answer is 4."
    ),
  ])
  func formsOfStrategiesAreTold(strategy: String, text: String) throws {
    #expect(try StrategyTable.shipped.followed(by: text) == strategy)
  }

  @Test(arguments: [
    "", "  \n", "The answer is 45.\n\nThe answer is 45.\n\nThe answer is 45.\n\nThe answer is 45.",
    "A car was hailed to chauffeur someone to the opera house, where was it heading?",
    "The language used in Saint Vincent is predominantly English, with a large part of it being spoken by many people there.",
  ])
  func textsWithoutAFormHaveNone(text: String) throws {
    #expect(try StrategyTable.shipped.followed(by: text) == nil)
  }

  @Test func ownStrategiesHaveOwnSigns() throws {
    let text =
      #"{"strategies":[{"id":"rhyme","teacher_system":"Rhyme.","signs":["rhyme$"],"counter_signs":["^no"]},{"id":"song","teacher_system":"Sing.","signs":["rhyme","la la"]}],"clusters":[]}"#
    let table = try StrategyTable(Array(text.utf8), of: "own.json")
    #expect(table.followed(by: "a rhyme") == "rhyme")
    #expect(table.followed(by: "no rhyme") == nil)
    // It has the signs of both, and more of the second.
    #expect(table.followed(by: "la la rhyme") == "song")
    #expect(try StrategyTable(Array(table.json.text.utf8), of: "own.json") == table)
    #expect(throws: FileError.self) {
      try StrategyTable(Array(text.replacingOccurrences(of: "^no", with: "(").utf8), of: "own.json")
    }
  }
}
