import Foundation
import MartletData
import MartletEvaluation
import MartletTestSupport
import Testing

@testable import MartletReasoning

@Suite struct TeachingReportTests {
  private func answers(
    _ arm: String, seed: Int, split: String = "test_ood3", count: Int = 40, right: (Int) -> Bool,
    response: String = "The answer is no."
  ) -> [StudentAnswer] {
    (0..<count).map { number in
      var row = TeachingRow(id: "\(number)", task: "coins", split: split, question: "Is it?", answer: "no")
      row.response = response
      row.extracted = "no"
      row.isCorrect = right(number)
      row.seed = seed
      row.completionTokens = 5
      return StudentAnswer(row, arm: "\(arm)-seed-\(seed)", isEnded: true)
    }
  }

  @Test func armsAreComparedOverSeedsAndQuestions() throws {
    let report = try TeachingReport(
      (1...3).map { answers("answers", seed: $0) { $0 % 4 == 0 } }
        + (1...3).map { answers("thoughts", seed: $0) { $0 % 4 != 0 } })
    #expect(report.arms == ["answers", "thoughts"])
    let cell = try #require(report.cells.last)
    #expect(cell.measures[.accuracy]?.value == 0.75)
    #expect(cell.measures[.accuracy]?.seeds == [0.75, 0.75, 0.75])
    #expect(cell.difference?.value == 0.5)
    #expect((cell.difference?.interval.lower ?? 0) > 0)
    #expect(report.conclusions.first?.contains("better") == true)
  }

  /// Against `Scripts/make_teaching_report_fixture.py`. The quantiles of 2,000 draws have an error of about 0.006 here.
  @Test func intervalsAreThoseOfNumpy() throws {
    let bytes = try Data(contentsOf: URL(fileURLWithPath: TestData.fixtures + "/teaching_report.json"))
    let fixture = try JSONValue(parsing: bytes)
    func numbers(_ value: JSONValue?) -> [Double] { value?.array?.compactMap(\.number) ?? [] }
    let names = ["answers", "thoughts"]
    let report = try TeachingReport(
      names.flatMap { name in
        (fixture["arms"]?[name]?["right"]?.array ?? []).enumerated().map { seed, right in
          let flags = numbers(right)
          return answers(name, seed: seed + 1, count: flags.count) { flags[$0] == 1 }
        }
      })
    func compare(_ estimate: TeachingReport.Estimate?, _ expected: JSONValue?) throws {
      let estimate = try #require(estimate), interval = numbers(expected?["interval"])
      #expect(abs(estimate.value - (expected?["value"]?.number ?? .nan)) < 1e-12)
      try #require(interval.count == 2)
      #expect(abs(estimate.interval.lower - interval[0]) < 0.02)
      #expect(abs(estimate.interval.upper - interval[1]) < 0.02)
    }
    for (cell, name) in zip(report.cells, names) {
      let expected = fixture["arms"]?[name]
      try compare(cell.measures[.accuracy], expected)
      #expect(
        zip(cell.measures[.accuracy]?.seeds ?? [], numbers(expected?["seeds"])).allSatisfy { abs($0 - $1) < 1e-12 })
    }
    try compare(report.cells.last?.difference, fixture["difference"])
    let none = TeachingReport.estimate([[Double](repeating: 0, count: 60)]).interval,
      wilson = numbers(fixture["wilson_of_none"])
    #expect(abs(none.lower - wilson[0]) < 1e-12 && abs(none.upper - wilson[1]) < 1e-9)
  }

  @Test func armsThatAreAlwaysRightMayStillDiffer() throws {
    let report = try TeachingReport([answers("a", seed: 1) { _ in true }, answers("b", seed: 1) { _ in true }])
    let difference = try #require(report.cells.last?.difference)
    // Wilson's interval of 40 of 40 begins at 0.9124, and so does what may be lost or gained.
    #expect(abs(difference.interval.lower + 0.0876) < 1e-4 && abs(difference.interval.upper - 0.0876) < 1e-4)
  }

  @Test func armsOfOtherQuestionsAreRefused() throws {
    var other = answers("thoughts", seed: 1) { _ in true }
    other.removeLast()
    #expect(throws: TeachingError.self) { try TeachingReport([answers("answers", seed: 1) { _ in true }, other]) }
    #expect(throws: TeachingError.self) { try TeachingReport([]) }
  }

  @Test func textsOfStudentsAreNoMarkup() throws {
    let text = "<script>alert(1)</script>\u{1b}[2J" + String(repeating: "x", count: 1_000_000)
    let page = TeachingPage(try TeachingReport([answers("a", seed: 1, right: { _ in false }, response: text)])).html
    #expect(!page.contains("<script>"))
    #expect(!page.contains("\u{1b}"))
    #expect(page.utf8.count < 100_000)
  }

  @Test func linesOfAnswersAreReadAsWritten() throws {
    let answer = answers("a", seed: 1) { _ in true }[0]
    let line = JSONLines.Line(place: "x, line 1", number: 1, value: answer.json)
    #expect(try StudentAnswer(line) == answer)
  }

  private func training(_ arm: String, share: Double, questions: Int, settings: String, seconds: Double? = 60)
    -> ArmTrainingResult
  {
    ArmTrainingResult(
      digest: "d", arm: "\(arm)-seed-1", seed: 1, questions: questions, examples: questions, tooLong: 0, incomplete: 0,
      steps: 10, tokens: 1000, countedTokens: 400, loss: 1, share: share, settings: settings, processorSeconds: seconds)
  }

  @Test func armsThatDifferInTheirShareAloneAreOneCurve() throws {
    let shares = [("all", 1.0, 100), ("fifth", 0.2, 20), ("some", 0.04, 4)]
    let report = try TeachingReport(
      shares.map { name, share, _ in answers(name, seed: 1) { Double($0) < 40 * share } }
        + [answers("other", seed: 1) { _ in true }],
      training: shares.map { training($0, share: $1, questions: $2, settings: "same") }
        + [training("other", share: 1, questions: 100, settings: "another")])
    let curve = try #require(report.curves.first { $0.axis == .questions })
    #expect(curve.lines.map(\.name) == ["all"])
    #expect(curve.lines.first?.points.map(\.x) == [4, 20, 100])
    #expect(curve.lines.first?.points.map(\.arm) == ["some", "fifth", "all"])
    #expect(curve.lines.first?.points.map(\.accuracy.value) == [0.05, 0.2, 1])
  }

  @Test(arguments: [
    (["test", "test_ood3", "test_ood4"], [2.0, 3, 4], [2.0, 3, 4]), (["test_ood3", "test_ood10"], [], [3.0, 10]),
    (["test", "test_ood3", "test_ood4"], [], [1.0, 2, 3]),
  ])
  func lengthsAreThoseOfRowsOrNamesOrTheOrder(splits: [String], told: [Double], places: [Double]) throws {
    let rows = splits.enumerated().flatMap { number, split in
      answers("thoughts", seed: 1, split: split) { _ in true }.map { answer in
        var answer = answer
        if told.indices.contains(number) { answer.row.others["n"] = .number(told[number]) }
        return answer
      }
    }
    let curve = try #require(TeachingReport([rows]).curves.first)
    #expect(curve.lines.first?.points.map(\.x) == places)
    #expect(curve.axis == (places.first == 1 ? .order(splits) : .length))
  }

  @Test func splitsOfOneLengthAreNoCurve() throws {
    let rows = ["validation", "test"].flatMap { answers("a", seed: 1, split: $0) { _ in true } }
    #expect(try TeachingReport([rows]).curves.isEmpty)
  }

  @Test func damageIsComparedWithTheUntouchedStudent() throws {
    let files = [
      answers("thoughts", seed: 1, split: "damage") { $0 < 10 },
      answers("thoughts", seed: 2, split: "damage") { $0 < 12 },
      answers("untrained", seed: 0, split: "damage") { $0 < 30 }.map { answer in
        var answer = answer
        answer.arm = "untrained"
        return answer
      },
    ]
    let damage = try TeachingDamage(files)
    #expect(damage.untouched == "untrained")
    #expect(damage.cells.map(\.arm) == ["untrained", "thoughts"])
    #expect(abs((damage.cells.last?.difference?.value ?? 0) - (-19.0 / 40)) < 1e-12)
    #expect(damage.conclusions.first?.contains("has lost") == true)
    #expect(throws: TeachingError.self) { try TeachingDamage(files, untouched: "nobody") }
    #expect(throws: TeachingError.self) { try TeachingDamage([]) }
    let page = TeachingPage(try TeachingReport([answers("a", seed: 1) { _ in true }], damage: damage)).html
    #expect(page.contains("What was damaged"))
  }

  @Test func costsAreAddedUp() throws {
    var row = TeachingRow(id: "1", task: "t", split: "train", question: "Q?")
    (row.response, row.teacher, row.promptTokens, row.completionTokens) = ("A.", "big", 2_000_000, 500_000)
    var own = row
    (own.id, own.promptTokens, own.completionTokens, own.teacher) = ("2", nil, nil, "palm")
    let cost = TeachingCost(
      training: [
        training("a", share: 1, questions: 9, settings: "s"), training("a", share: 1, questions: 9, settings: "s"),
        training("b", share: 1, questions: 9, settings: "s", seconds: nil),
      ], responses: [row, row, own], price: (prompt: 3, completion: 8))
    #expect(cost.arms.map(\.name) == ["a", "b"])
    #expect(cost.arms.map(\.tokens) == [2000, 1000])
    #expect(cost.arms.map(\.processorSeconds) == [120, nil])
    // A response that occurs twice was paid for once: 2 million tokens at 3, half a million at 8.
    #expect(cost.teachers.map(\.money) == [10, nil])
    #expect(cost.teachers.map(\.responses) == [1, 1])
  }

  @Test func everyNameOfTheReportIsInSnakeCase() throws {
    var answer = answers("a", seed: 1) { _ in true }
    for place in answer.indices { (answer[place].followed, answer[place].row.strategy) = ("direct", "direct") }
    let report = try TeachingReport(
      [answer], training: [training("a", share: 1, questions: 9, settings: "s")],
      damage: TeachingDamage([answer]),
      cost: TeachingCost(training: [training("a", share: 1, questions: 9, settings: "s")], responses: []))
    func check(_ value: JSONValue) {
      for member in value.object?.members ?? [] {
        #expect(member.key.wholeMatch(of: /[a-z]+(_[a-z]+)*/) != nil, "\(member.key)")
        check(member.value)
      }
      for element in value.array ?? [] { check(element) }
    }
    check(report.json)
    #expect(report.cells.first?.strategies["direct"]?.value == 1)
    #expect((report.cells.first?.measures[.followed]?.interval.upper ?? 0) > 0.999)
  }
}
