import MartletData

/// What decides how a model did on a row.
struct RowJudge: Sendable {
  func result(scores: [ContinuationScore]) throws -> RowResult {
    RowResult(prediction: .null, isCorrect: nil, values: [:])
  }

  func result(generated text: String) throws -> RowResult {
    RowResult(prediction: .string(text), isCorrect: nil, values: [:])
  }
}
