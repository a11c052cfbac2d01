import Foundation
import MartletData
import MartletModels
import MartletTestSupport
import Testing

@testable import MartletEvaluation

/// How rows are judged: by the rules of lm-evaluation-harness.
struct RowJudgeTests {
  private func score(_ logLikelihood: Double, greedy: Bool = false) -> ContinuationScore {
    ContinuationScore(logLikelihood: logLikelihood, isGreedy: greedy, tokenLogLikelihoods: [])
  }

  private func row(_ task: String, _ values: String, in form: String = "choices") throws -> EvaluationRow {
    let scratch = try TestData.Scratch()
    try scratch.write(Array(values.utf8), to: "rows.jsonl")
    try scratch.write(Array(task.utf8), to: "task.json")
    let read = try #require(try EvaluationTask.read(scratch.file("task.json")).first)
    return try #require(try read.rows(in: scratch.path).first)
  }

  private let choices = #"""
    {"name": "t", "data": {"files": ["rows.jsonl"]}, "form": "choices", "context": "", "choices": "{{options}}", "target": "{{gold}}",
     "metrics": ["acc", "acc_norm", "acc_bytes"]}
    """#

  @Test func choicesAreComparedWholeByCodePointsAndByBytes() throws {
    // Four code points and five bytes; two of each; five and five.
    let row = try row(choices, #"{"options": ["café", "ab", "abcde"], "gold": [1, 2]}"#)
    #expect(row.gold == [1, 2])
    let result = try row.result(scores: [score(-8), score(-5), score(-9.5)])
    #expect(result.prediction == 1 && result.isCorrect == true)
    // -2, -2.5, -1.9 and -1.6, -2.5, -1.9.
    #expect(result.normalizedPrediction == 2 && result.isNormalizedCorrect == true)
    #expect(result.values == ["acc": 1, "acc_norm": 1, "acc_bytes": 0])
    // Of equal ones the first.
    #expect(try row.result(scores: [score(-3), score(-3), score(-3)]).prediction == 0)
    // A letter written as two code points has their length.
    let decomposed = try self.row(choices, #"{"options": ["e\u0301e\u0301", "abc"], "gold": 0}"#)
    #expect(try decomposed.result(scores: [score(-4), score(-3.1)]).normalizedPrediction == 0)
  }

  @Test func scoresThatAreNoneAreRefused() throws {
    let row = try row(choices, #"{"options": ["a", "b"], "gold": 0}"#)
    for bad in [Double.nan, .infinity, -.infinity] {
      #expect(throws: FileError.self) { try row.result(scores: [score(bad), score(-1)]) }
    }
    #expect(throws: FileError.self) { try row.result(scores: [score(-1)]) }
    #expect(throws: FileError.self) { try row.result(generated: "a") }
  }

  @Test func perplexityIsByDocument() throws {
    let task = #"""
      {"name": "t", "data": {"files": ["rows.jsonl"]}, "form": "continuation", "context": "{{a}}", "target": "{{b}}", "metrics": ["perplexity", "acc"]}
      """#
    let row = try row(task, #"{"a": "x", "b": " y"}"#)
    #expect(row.requests == [ContinuationRequest(context: "x", continuation: " y")] && row.gold == " y")
    let results = [try row.result(scores: [score(-2, greedy: true)]), try row.result(scores: [score(-4)])]
    #expect(results[0].values == ["perplexity": -2, "acc": 1] && results[1].values == ["perplexity": -4, "acc": 0])
    #expect(results[0].prediction == true && results[1].isCorrect == false)
  }

  @Test func namesAreComparedAsSQuADComparesAnswers() throws {
    let record = try #require(try EvaluationTask.named("record").first)
    let rows = try record.rows(in: TestData.fixtures + "/evaluation")
    // The entities in their order: Bergen, Oslo, The Bergen Team; right are Bergen and The Bergen Team.
    #expect(try rows[1].result(scores: [score(-1), score(-2), score(-3)]).values == ["f1": 1, "em": 1])
    #expect(try rows[1].result(scores: [score(-2), score(-1), score(-3)]).values == ["f1": 0, "em": 0])
    #expect(SquadAnswer.f1("the Bergen, team", "Bergen") == 2.0 / 3 && SquadAnswer.areSame("An  Apple!", "apple"))
    #expect(SquadAnswer.f1("the", "a") == 1 && SquadAnswer.f1("the", "b") == 0)
  }

  private func generation(_ rest: String, target: String) throws -> EvaluationRow {
    let task = #"""
      {"name": "t", "data": {"files": ["rows.jsonl"]}, "form": "generation", "context": "{{a}}", "target": "{{b}}", \#(rest)}
      """#
    return try row(task, #"{"a": "x", "b": \#(target)}"#)
  }

  private static let mathematics = #"""
    "filters": [{"name": "strict", "steps": [{"regex": "#### (\\-?[0-9\\.\\,]+)"}]},
      {"name": "flexible", "steps": [{"regex": "(-?[$0-9.,]{2,})|(-?[0-9]+)", "match": "last"}]}],
    "metrics": [{"metric": "exact_match", "ignore_case": true, "ignore": [",", "\\$", "(?s).*#### ", "\\.$"]}, "in_form"]
    """#

  /// Text, right answer, then whether the strict and the flexible answer are right.
  @Test(arguments: [
    ("so 3 + 4\n#### 1,000", "work\n#### 1000", 1.0, 1.0), ("It is $18.", "#### 18", 0, 1),
    ("#### 5 or rather 6", "#### 5", 1, 0),
    ("18.0", "#### 18", 0, 0), ("#### 7 #### 8", "#### 7", 1, 0), ("none", "#### 18", 0, 0),
    ("#### -3.", "#### -3", 1, 1),
  ])
  func numbersAreTakenOutAsForGSM8K(_ text: String, _ right: String, _ strict: Double, _ flexible: Double) throws {
    let row = try generation(Self.mathematics, target: JSONValue.string(right).text)
    let result = try row.result(generated: text)
    #expect(
      result.values["exact_match,strict"] == strict && result.values["exact_match,flexible"] == flexible, "\(text)")
    #expect(result.values["in_form,strict"] == (text.contains("####") ? 1 : 0) && result.isCorrect == (strict == 1))
    if !text.contains("####") { #expect(result.prediction == "[invalid]") }
  }

  @Test func aliasesNumbersAndMapsAreCompared() throws {
    let aliases = try generation(
      #""filters": [{"name": "f", "steps": ["strip"]}], "metrics": [{"metric": "exact_match", "ignore_case": true, "ignore_punctuation": true}]"#,
      target: #"["The Danube", "Donau"]"#)
    #expect(try aliases.result(generated: " the danube! ").values == ["exact_match,f": 1])
    #expect(try aliases.result(generated: "Danube").values == ["exact_match,f": 0])
    let number = try generation(#""metrics": [{"metric": "exact_match", "tolerance": 1e-6}]"#, target: "51.0")
    for (text, value) in [("51", 1.0), ("$51.0000005", 1), ("51.1", 0), ("fifty-one", 0), ("nan", 0)] {
      #expect(try number.result(generated: text).values == ["exact_match": value], "\(text)")
    }
    let mapped = try generation(
      #""filters": [{"name": "f", "steps": ["lowercase", {"regex": ["is (\\w+)", "\\w+"]}, {"map": {"yes": "A"}}, "uppercase"]}], "metrics": ["exact_match", "f1"]"#,
      target: #""A""#)
    #expect(try mapped.result(generated: "It IS Yes").prediction == "A")
    #expect(try mapped.result(generated: "no").prediction == "NO")
  }

  @Test func groupsAreWeightedByRows() {
    let scores = [("a", 1.0, 30), ("b", 0.5, 10)].map { name, value, count in
      TaskScore(name: name, values: ["acc": .init(value: value, standardError: 0, count: count)])
    }
    #expect(TaskScore(group: "g", scores).values["acc"]?.value == 0.875)
  }
}
