/// One micro-batch: rows of several examples, one after the other.
public struct TrainingBatch: Sendable {
  /// The tokens, one for each row.
  public var inputs: [Int] = []
  /// The token that follows each row.
  public var targets: [Int] = []
  /// The weight of each row's prediction in the loss.
  public var weights: [Float] = []
  /// The rows of each example.
  public var spans: [Range<Int>] = []
  /// The task of each example (see ``TrainingSettings/taskShares``).
  public var tasks: [Int] = []
  /// The number of rows with a positive weight.
  public var countedRows: Int { weights.reduce(0) { $0 + ($1 > 0 ? 1 : 0) } }

  /// An empty batch.
  public init() {}

  /// Appends an example, in which each token predicts the next.
  public mutating func append(_ data: TrainingData, _ index: Int) {
    let range = data.examples[index], start = inputs.count
    for place in range.dropLast() {
      inputs.append(Int(data.tokens[place]))
      targets.append(Int(data.tokens[place + 1]))
      weights.append(data.counts[place + 1] ? data.weights[index] : 0)
    }
    spans.append(start..<inputs.count)
    tasks.append(data.tasks[index])
  }
}
