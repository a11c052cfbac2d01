/// One attempt to train a value.
public struct ValueAttempt: Sendable {
  /// How the value is trained.
  public var training: ValueTraining
  /// The value gets one row for each this many tokens of the answer.
  public var tokensPerRow: Int
  /// The smallest number of rows of the value.
  public var leastRows: Int

  /// - Parameters:
  ///   - training: how the value is trained.
  ///   - tokensPerRow: the value gets one row for each this many tokens of the answer.
  ///   - leastRows: the smallest number of rows of the value.
  public init(training: ValueTraining, tokensPerRow: Int, leastRows: Int) {
    self.training = training
    self.tokensPerRow = tokensPerRow
    self.leastRows = leastRows
  }

  func rows(for answer: Int) -> Int { max(leastRows, (answer + tokensPerRow - 1) / tokensPerRow) }

  /// The default attempts. They use at least two rows and a low loss, so that the answer also ends correctly for
  /// rewordings.
  public static let standard: [ValueAttempt] = [
    ValueAttempt(
      training: ValueTraining(start: .cold, learningRate: 1, iterations: 60, stopLoss: 0.02), tokensPerRow: 8,
      leastRows: 2),
    ValueAttempt(
      training: ValueTraining(start: .warm, learningRate: 0.5, iterations: 100, stopLoss: 0.02), tokensPerRow: 4,
      leastRows: 4),
    ValueAttempt(
      training: ValueTraining(start: .cold, learningRate: 0.3, iterations: 200, stopLoss: 0.02, seed: 1),
      tokensPerRow: 2, leastRows: 8),
    ValueAttempt(
      training: ValueTraining(start: .warm, learningRate: 0.1, iterations: 200, stopLoss: 0.02), tokensPerRow: 2,
      leastRows: 8),
  ]
}
