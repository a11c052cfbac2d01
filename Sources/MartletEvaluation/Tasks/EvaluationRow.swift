import MartletData

/// A row of a task as it is put to a model.
public struct EvaluationRow: Sendable {
  /// What is asked.
  public enum Question: Sendable, Equatable {
    /// Which of these is the most likely: usually one context with several continuations, in tasks by partial evaluation several
    /// contexts with one continuation.
    case choices([ContinuationRequest])
    /// How likely a continuation is.
    case continuation(ContinuationRequest)
    /// What the model writes.
    case generation(GenerationRequest)
  }

  /// The row's number, from 0, in the data file after the task's filter.
  public let number: Int
  /// The file and the line that the row was read from.
  public let place: String
  /// What is asked.
  public let question: Question
  /// What is right: the place of a choice, or texts.
  public let gold: JSONValue
  /// What is measured on the row.
  public var metrics: [Metric] { judge.measures.map(\.metric) }
  let judge: RowJudge

  /// The texts whose likelihood is asked for; none where the model writes.
  public var requests: [ContinuationRequest] {
    switch question {
    case .choices(let requests): requests
    case .continuation(let request): [request]
    case .generation: []
    }
  }

  /// Judges the scores of ``requests``, in their order. Of equal scores the first counts.
  /// - Throws: an explained error where the number of scores is another, or a score is no number.
  public func result(scores: [ContinuationScore]) throws -> RowResult { try judge.result(scores: scores) }

  /// Judges a text that a model wrote, cut at the first stop.
  public func result(generated text: String) throws -> RowResult { try judge.result(generated: text) }
}
