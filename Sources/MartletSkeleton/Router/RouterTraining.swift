import Foundation
import MartletData
import MartletEngine

/// A question with the label whether a skeleton suits its answer.
public struct RoutedQuestion: Sendable, Equatable {
  /// The question.
  public let text: String
  /// Whether a skeleton suits it.
  public let label: Bool

  /// A question with its label.
  public init(text: String, label: Bool) {
    self.text = text
    self.label = label
  }

  /// Reads lines `{"text": …, "label": 0 or 1}` (the keys `question` and `sot_label` are also accepted).
  /// - Throws: `FileError` that names the line.
  public static func read(_ path: String) throws -> [RoutedQuestion] {
    try JSONLines.read(path).map { line in
      let row = line.value
      guard let text = (row["text"] ?? row["question"])?.string else { throw line.failure("it has no `text`") }
      let label = row["label"] ?? row["sot_label"]
      guard let label = label?.bool ?? label?.integer.flatMap({ $0 == 0 ? false : $0 == 1 ? true : nil }) else {
        throw line.failure("its `label` is neither 0 nor 1")
      }
      return RoutedQuestion(text: text, label: label)
    }
  }
}

/// The training of a router: full-batch logistic regression with positive weight sqrt(negatives / positives), L2 3e-4,
/// and 400 steps at learning rate 30. It is deterministic and takes some seconds for a thousand rows.
public struct RouterTraining: Sendable {
  /// The number of steps of gradient descent.
  public var steps = 400
  /// The learning rate.
  public var rate = 30.0
  /// The weight decay.
  public var decay = 3e-4

  /// The settings of the built-in router.
  public init() {}

  /// Trains a router.
  /// - Throws: ``SkeletonError`` if a class has no rows.
  public func train(_ rows: [RoutedQuestion], progress: (Int) -> Void = { _ in }) throws -> SkeletonRouter {
    let positives = rows.count(where: \.label), negatives = rows.count - positives
    guard positives > 0, negatives > 0 else {
      throw SkeletonError("\(positives) rows have the label 1 and \(negatives) the label 0; both are needed")
    }
    let vectors = rows.map { QuestionFeatures.vector($0.text) }
    let weight = (Double(negatives) / Double(positives)).squareRoot()
    var weights = [Double](repeating: 0, count: QuestionFeatures.dimensions)
    var bias = 0.0
    let used = Set(vectors.joined().map(\.index)).sorted()
    for step in 0..<steps {
      var gradient = [Double](repeating: 0, count: QuestionFeatures.dimensions)
      var biasGradient = 0.0
      for (row, vector) in zip(rows, vectors) {
        let score = vector.reduce(bias) { $0 + weights[$1.index] * Double($1.value) }
        let error = (1 / (1 + exp(-score)) - (row.label ? 1 : 0)) * (row.label ? weight : 1) / Double(rows.count)
        for (index, value) in vector { gradient[index] += error * Double(value) }
        biasGradient += error
      }
      for index in used { weights[index] -= rate * (gradient[index] + decay * weights[index]) }
      // The bias is not shared by rows as the weights are; the same rate would throw it about.
      bias -= min(rate, 1) * biasGradient
      progress(step + 1)
    }
    return SkeletonRouter(weights: weights.map(Float.init), bias: Float(bias))
  }
}

/// The quality of a router on labelled questions.
public struct RouterFigures: Sendable, Equatable {
  /// The counts of the confusion matrix.
  public var truePositives = 0, falsePositives = 0, trueNegatives = 0, falseNegatives = 0
  /// The area under the ROC curve: the probability that a positive question scores above a negative one.
  public var areaUnderCurve = 0.0

  /// Evaluates a router on labelled questions.
  public init(_ router: SkeletonRouter, on rows: [RoutedQuestion]) {
    let scores = rows.map { router.route($0.text) }
    for (row, decision) in zip(rows, scores) {
      switch (row.label, decision.useSkeleton) {
      case (true, true): truePositives += 1
      case (true, false): falseNegatives += 1
      case (false, true): falsePositives += 1
      case (false, false): trueNegatives += 1
      }
    }
    let good = zip(rows, scores).filter(\.0.label).map(\.1.probability)
    let bad = zip(rows, scores).filter { !$0.0.label }.map(\.1.probability)
    let wins = good.reduce(0.0) { sum, score in
      sum + bad.reduce(0) { $0 + (score > $1 ? 1 : score == $1 ? 0.5 : 0) }
    }
    areaUnderCurve = good.isEmpty || bad.isEmpty ? .nan : wins / Double(good.count * bad.count)
  }

  /// The number of questions.
  public var count: Int { truePositives + falsePositives + trueNegatives + falseNegatives }
  /// The share of questions that were routed correctly.
  public var accuracy: Double { Double(truePositives + trueNegatives) / Double(max(1, count)) }
}
