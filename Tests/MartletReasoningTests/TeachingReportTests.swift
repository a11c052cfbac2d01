import Foundation
import MartletData
import MartletEvaluation
import Testing

@testable import MartletReasoning

@Suite struct TeachingReportTests {
  private func answers(_ arm: String, seed: Int, right: (Int) -> Bool, response: String = "The answer is no.")
    -> [StudentAnswer]
  {
    (0..<40).map { number in
      var row = TeachingRow(id: "\(number)", task: "coins", split: "test_ood3", question: "Is it?", answer: "no")
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
}
