import MartletReasoning
import Testing

struct ArithmeticQuestionsTests {
  @Test func everyQuestionOccursOnceAndHasItsAnswer() throws {
    let questions = try ArithmeticQuestions(
      operations: [.addition, .subtraction, .multiplication], largest: 20, seed: 3)
    #expect(questions.count == 21 * 21 + 21 * 22 / 2 + 13 * 13)
    let rows = try questions.rows([("train", 600), ("test", 200)])
    #expect(Set(rows.map(\.question)).count == 800 && Set(rows.map(\.id)).count == 800)
    #expect(rows.prefix(600).allSatisfy { $0.split == "train" } && rows.suffix(200).allSatisfy { $0.split == "test" })
    for row in rows {
      let parts = row.question.dropFirst("What is ".count).dropLast().split(separator: " ")
      let (a, b) = try (#require(Int(parts[0])), #require(Int(parts[2])))
      let wanted = parts[1] == "+" ? a + b : parts[1] == "-" ? a - b : a * b
      #expect(row.answer == "\(wanted)" && wanted >= 0 && row.response == "The answer is \(wanted).")
    }
    #expect(try questions.rows([("train", 600), ("test", 200)]) == rows)
    #expect(try ArithmeticQuestions(largest: 20, seed: 4).rows([("train", 9)]) != rows.prefix(9).map { $0 })
    #expect(throws: TeachingError.self) { try ArithmeticQuestions(largest: 3).rows([("train", 100)]) }
    #expect(throws: TeachingError.self) { try ArithmeticQuestions(operations: []) }
    #expect(throws: TeachingError.self) { try ArithmeticQuestions(largest: 100_000) }
  }
}
