import Foundation

/// Arithmetic on the scores of the labels of one query.
enum LabelScores {
  /// The number of the highest score; the first of equal ones.
  static func best(_ scores: [Double]) -> Int {
    var best = 0
    for index in scores.indices where scores[index] > scores[best] { best = index }
    return best
  }

  /// The probabilities of the labels if one of them is the answer: the softmax of the scores.
  static func probabilities(_ scores: [Double]) -> [Double] {
    let highest = scores.max() ?? 0
    let exponentials = scores.map { exp($0 - highest) }
    let sum = exponentials.reduce(0, +)
    return exponentials.map { $0 / sum }
  }

  /// The logarithms of the probabilities, exact also where those are too small for a Double.
  static func logProbabilities(_ scores: [Double]) -> [Double] {
    let sum = logSum(scores)
    return scores.map { $0 - sum }
  }

  /// The logarithm of the sum of the exponentials.
  static func logSum(_ values: [Double]) -> Double {
    let highest = values.max() ?? 0
    return highest + log(values.reduce(0) { $0 + exp($1 - highest) })
  }

  /// How much more likely a label is than all others together: the logarithm of its odds. Of two labels, the difference of the
  /// scores.
  static func logOdds(_ scores: [Double], of label: Int) -> Double {
    let others = scores.indices.filter { $0 != label }.map { scores[$0] }
    return scores[label] - (others.count == 1 ? others[0] : logSum(others))
  }

  /// By how many nats the right label's score is above the highest of the others.
  static func margin(_ scores: [Double], gold: Int) -> Double {
    let others = scores.indices.filter { $0 != gold }.map { scores[$0] }
    return scores[gold] - (others.max() ?? 0)
  }
}

/// What a model gives labels anyway: the mean of their probabilities behind reference queries. Contextual calibration takes queries without
/// content for it (Zhao et al., 2021), domain-context calibration random words (Fei et al., 2023), batch calibration the queries of the
/// context themselves (Zhou et al., 2024).
struct LabelPrior: Sendable {
  private let probabilities: [Double]
  private let logarithms: [Double]

  /// - Parameter reference: scores, `[queries][labels]`, at least one query.
  init(_ reference: [[Double]]) {
    let labels = reference.first?.indices ?? 0..<0, count = Double(reference.count)
    var sums = [Double](repeating: 0, count: labels.count)
    for scores in reference {
      for (label, probability) in LabelScores.probabilities(scores).enumerated() { sums[label] += probability }
    }
    probabilities = sums.map { $0 / count }
    let own = reference.map(LabelScores.logProbabilities)
    logarithms = labels.map { label in LabelScores.logSum(own.map { $0[label] }) - log(count) }
  }

  /// The scores without the prior: `log p - log prior`.
  func calibrated(_ scores: [Double]) -> [Double] {
    let own = LabelScores.probabilities(scores)
    // Where probabilities are too small for a Double the same is done with logarithms.
    guard probabilities.allSatisfy({ $0 > 0 }), own.allSatisfy({ $0 > 0 }) else {
      return zip(LabelScores.logProbabilities(scores), logarithms).map { $0 - $1 }
    }
    return zip(own, probabilities).map { log($0) - log($1) }
  }
}
