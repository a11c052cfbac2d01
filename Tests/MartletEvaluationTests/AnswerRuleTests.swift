import MartletData
import MartletTestSupport
import Testing

@testable import MartletEvaluation

/// Answers are found and compared by the published rules.
struct AnswerRuleTests {
  @Test func namesAreFoundOrNearOnesTold() throws {
    for rule in AnswerRule.all { #expect(try AnswerRule.named(rule.name) == rule) }
    #expect(Set(AnswerRule.all.map(\.name)).count == AnswerRule.all.count)
    #expect(throws: EvaluationError.self) { try AnswerRule.named("gsm8k-stric") }
  }

  @Test(arguments: [
    ("gsm8k-strict", "so #### 1,234\n#### 5", "1234"), ("gsm8k-strict", "18", nil), ("gsm8k-strict", "x\nA: 26", "26"),
    ("gsm8k-strict", "#### 18.0", "18.0"), ("gsm8k-harness-strict", "A: 26", nil),
    ("gsm8k-harness-strict", "#### 1,000.", "1000"),
    ("gsm8k-flexible", "3 apples, $18.50 and 7.", "7"), ("gsm8k-flexible", "it is $1,200.", "1200"),
    ("gsm8k-cot", "The answer is 18.", "18"), ("gsm8k-cot", "the answer is 18.", nil),
    ("number", "5 and then 7", "7"), ("number", "2 + 3 = 5. The answer is $1,050 of 9.", "1050"),
    ("number", "none", nil), ("number", "答えは４２です。", "42"), ("number", "উত্তর ১৮", "18"),
    ("number-strict", "5 and then 7", nil), ("number-strict", "The answer is -4.5.", "-4.5"),
    ("choice", "So the answer is (B).", "B"), ("choice", "(A) is wrong, (C) is right", "C"), ("choice", "d", "D"),
    ("choice", "The answer is C: park", "C"), ("choice", "A dog runs.", nil),
    ("yes-no", "No way... The answer is yes.", "yes"), ("yes-no", "It is true.", "yes"),
    ("yes-no", "nothing known", nil),
    ("exact", "So the answer is \"ab c\".", "ab c"), ("exact", " Paris. ", "Paris"), ("exact", "", nil),
    ("bbh", "So the answer is (B).", "(B)"), ("last-letters", "Joining gives \"nk\". The answer is nk.", "nk"),
    ("last-letters", "The answer is N-K.", "nk"), ("aliases", "The answer is The Beatles.\n", "The Beatles"),
  ])
  func answersAreFound(name: String, text: String, answer: String?) throws {
    #expect(try AnswerRule.named(name).extract(from: text) == answer)
  }

  @Test(arguments: [
    ("gsm8k-strict", "#### 1,234", "x <<1=1>>1\n#### 1234", true), ("gsm8k-strict", "#### 18.0", "18", false),
    ("gsm8k-harness-strict", "#### $18", "a\n#### 18", false), ("gsm8k-flexible", "so 18.", "a\n#### 18", true),
    ("gsm8k-cot", "The answer is 1,800.", "1800", true), ("number", "The answer is 18.0", "18", true),
    ("number", "0.3000001", "0.3", true), ("number", "0.31", "0.3", false),
    ("number", "it is 5", "1 + 4 = 5\n#### 5", true),
    ("number-strict", "The answer is 18.0", "18", false), ("yes-no", "yes", "true", true),
    ("exact", "paris", "Paris", false),
    ("aliases", "the beatles!", "The Beatles", true), ("last-letters", "\"NK\"", "nk", true),
  ])
  func answersAreCompared(name: String, text: String, answer: String, isCorrect: Bool) throws {
    #expect(try AnswerRule.named(name).isCorrect(text: text, answer: answer) == isCorrect)
  }

  /// Where the right answer is of another kind, every text would be wrong.
  @Test(arguments: [
    ("choice", "C", false), ("choice", "B", true), ("choice", "garden", true), ("choice", "sea", false),
    ("yes-no", "True", true), ("yes-no", "perhaps", false), ("number", "a\n#### 5", true), ("number", "five", false),
    ("gsm8k-strict", "five", false), ("gsm8k-flexible", "5", true), ("exact", "", true),
  ])
  func answersOfAnotherKindCannotBeCompared(name: String, answer: String, can: Bool) throws {
    #expect(try AnswerRule.named(name).canCompare(answer: answer, choices: ["park", "garden"]) == can)
  }

  @Test func choicesAreLettersOrTexts() throws {
    let rule = try AnswerRule.named("choice"), choices = ["park", "garden center", "gravity", "park"]
    #expect(rule.extract(from: "The answer is garden center.", choices: choices) == "B")
    #expect(rule.extract(from: "Not the park, it must be gravity", choices: choices) == "C")
    #expect(rule.isCorrect(text: "The answer is (B).", answer: "garden center", choices: choices))
    // Equal texts are equal answers.
    #expect(rule.isCorrect(text: "The answer is (D).", answer: "park", choices: choices))
    #expect(!rule.isCorrect(text: "The answer is (C).", answer: "park", choices: choices))
    #expect(rule.extract(from: "The answer is 21.", choices: ["A)21", "B)22"]) == "A")
    #expect(rule.isCorrect(text: "The answer is B", answer: "B", choices: ["A)21", "B)22"]))
    #expect(rule.extract(from: "The answer is (F).", choices: choices) == nil)
  }

  @Test func poisonedTextsAreData() {
    for rule in AnswerRule.all {
      for piece in ["1", "#", "(A", "yes ", "answer is ", "\u{0}", "#### ", "$1,", "\n"] {
        let text = String(repeating: piece, count: 1_000_000 / piece.utf8.count)
        _ = rule.isCorrect(text: text, answer: "1", choices: ["a", "b"])
      }
    }
  }

  @Test(.enabled(if: TestData.shared != nil, "MARTLET_DATA names no folder with the shared data"))
  func openAIsFlagsAreReproduced() throws {
    let shared = try #require(TestData.shared)
    let rule = try AnswerRule.named("gsm8k-strict")
    var count = 0, differences: [String] = []
    for line in try JSONLines.read(shared + "/reasoning/gsm8k/example_model_solutions.jsonl.gz") {
      let truth = try #require(line.value["ground_truth"]?.string)
      for model in ["6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification"] {
        let solution = try #require(line.value[model])
        count += 1
        if rule.isCorrect(text: solution["solution"]?.string ?? "", answer: truth) != solution["is_correct"]?.bool {
          differences.append("\(line.number) \(model)")
        }
      }
    }
    #expect(count == 5276)
    #expect(differences == [])
  }

  @Test(.enabled(if: TestData.shared != nil, "MARTLET_DATA names no folder with the shared data"))
  func outputsOfCodexAreJudgedAsTheyWere() throws {
    let shared = try #require(TestData.shared)
    let rule = try AnswerRule.named("exact")
    var count = 0, differences: [String] = []
    for line in try JSONLines.read(shared + "/reasoning/bbh/codex_cot_outputs.jsonl.gz") {
      let text = try #require(line.value["completion"]?.string), target = try #require(line.value["target"]?.string)
      count += 1
      if rule.isCorrect(text: text, answer: target) != line.value["correct"]?.bool {
        differences.append("\(line.number): \(rule.extract(from: text) ?? "nil")")
      }
    }
    #expect(count == 6511)
    #expect(differences == [])
  }
}
