import Foundation
import MartletData

/// What decides how a model did on a row.
struct RowJudge: Sendable {
  enum Basis: Sendable {
    /// The texts by whose lengths likelihoods are divided, the places of the right ones, and where answers are compared as texts, the
    /// candidates and the right answers.
    case choices(texts: [String], right: [Int], candidates: [String], answers: [String])
    case continuation
    case generation(answers: [String], filters: [AnswerFilter])
  }

  let place: String
  let basis: Basis
  let measures: [TaskDefinition.Measure]

  func result(scores: [ContinuationScore]) throws -> RowResult {
    if let score = scores.first(where: { !$0.logLikelihood.isFinite }) {
      throw FileError(
        file: place,
        "the model gives the log-likelihood \(score.logLikelihood), by which nothing can be judged; its weights or number format may be broken"
      )
    }
    switch basis {
    case .choices(let texts, let right, let candidates, let answers):
      try check(scores.count, texts.count)
      let best = Self.best(scores.map(\.logLikelihood))
      let byCharacters = Self.best(zip(scores, texts).map { $0.logLikelihood / Double($1.unicodeScalars.count) })
      let byBytes = Self.best(zip(scores, texts).map { $0.logLikelihood / Double($1.utf8.count) })
      var values: [String: Double] = [:]
      for measure in measures {
        values[measure.metric.name] =
          switch measure.metric.kind {
          case .accuracy: right.contains(best) ? 1 : 0
          case .normalizedAccuracy: right.contains(byCharacters) ? 1 : 0
          case .byteAccuracy: right.contains(byBytes) ? 1 : 0
          case .f1: answers.map { SquadAnswer.f1(candidates[best], $0) }.max() ?? 0
          case .bestMatch: answers.contains { SquadAnswer.areSame(candidates[best], $0) } ? 1 : 0
          case .perplexity, .exactMatch, .inForm: nil
          }
      }
      return RowResult(
        prediction: .integer(best), normalizedPrediction: .integer(byCharacters), isCorrect: right.contains(best),
        isNormalizedCorrect: right.contains(byCharacters), values: values)
    case .continuation:
      try check(scores.count, 1)
      let score = scores[0]
      var values: [String: Double] = [:]
      for measure in measures {
        values[measure.metric.name] = measure.metric.kind == .perplexity ? score.logLikelihood : score.isGreedy ? 1 : 0
      }
      return RowResult(prediction: .bool(score.isGreedy), isCorrect: score.isGreedy, values: values)
    case .generation: throw FileError(file: place, "the row is answered by a text and was given scores")
    }
  }

  func result(generated text: String) throws -> RowResult {
    guard case .generation(let answers, let filters) = basis else {
      throw FileError(file: place, "the row is answered by scores and was given a text")
    }
    let taken = filters.isEmpty ? [("", (text: text, isFound: true))] : filters.map { ($0.name, $0.answer(in: text)) }
    let found = Dictionary(taken) { first, _ in first }
    var values: [String: Double] = [:]
    var isCorrect: Bool?
    for measure in measures {
      guard let answer = found[measure.metric.filter ?? ""] else { continue }
      switch measure.metric.kind {
      case .exactMatch:
        let isSame = answers.contains { measure.comparison.areSame(answer.text, $0) }
        if measure.metric.filter ?? "" == taken[0].0 { isCorrect = isCorrect ?? isSame }
        values[measure.metric.name] = isSame ? 1 : 0
      case .f1: values[measure.metric.name] = answers.map { SquadAnswer.f1(answer.text, $0) }.max() ?? 0
      case .inForm: values[measure.metric.name] = answer.isFound ? 1 : 0
      case .accuracy, .normalizedAccuracy, .byteAccuracy, .perplexity, .bestMatch: continue
      }
    }
    return RowResult(prediction: .string(taken[0].1.text), isCorrect: isCorrect, values: values)
  }

  private func check(_ given: Int, _ asked: Int) throws {
    guard given == asked else { throw FileError(file: place, "\(asked) scores are needed and \(given) were given") }
  }

  /// The place of the highest value, the first of equal ones.
  private static func best(_ values: [Double]) -> Int {
    values.indices.dropFirst().reduce(0) { values[$1] > values[$0] ? $1 : $0 }
  }
}
