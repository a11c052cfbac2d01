import MartletTensor

/// Deals examples into batches: every epoch all of them, in an order that seed and epoch alone determine.
///
/// Where it stands is two numbers, so that a run can go on exactly where it stopped.
public struct BatchSampler: Sendable {
  /// Epoch, and examples of it that were dealt.
  public struct Position: Sendable, Codable, Equatable {
    /// Times that the whole data was dealt.
    public var epoch = 0
    /// Examples of this epoch that were dealt.
    public var dealt = 0
    /// The beginning.
    public init() {}
  }

  /// Where the next batch begins.
  public private(set) var position: Position
  private let data: TrainingData
  private let random: RandomSource
  private let isShuffled: Bool
  private var order: [Int] = []

  /// Examples in an order that is a function of seed and epoch.
  public init(_ data: TrainingData, seed: UInt64, isShuffled: Bool = true, position: Position = Position()) {
    precondition(!data.examples.isEmpty, "no examples to deal")
    self.data = data
    self.position = position
    self.isShuffled = isShuffled
    random = RandomSource(seed: seed).stream("order of examples")
    order = makeOrder()
  }

  private func makeOrder() -> [Int] {
    isShuffled ? random.stream(position.epoch).permutation(data.examples.count) : Array(data.examples.indices)
  }

  /// Examples until `rows` rows are full (at least one, at most as many as there are): short examples are packed
  /// together, and nothing is padded.
  ///
  /// - Parameters:
  ///   - rows: how many rows the batch may have.
  ///   - wraps: whether the batch goes on with the next epoch when one ends within it.
  public mutating func next(rows: Int, wraps: Bool = true) -> TrainingBatch {
    var batch = TrainingBatch()
    while batch.spans.count < order.count {
      if position.dealt == order.count {
        if !wraps, !batch.spans.isEmpty { break }
        position.epoch += 1
        position.dealt = 0
        order = makeOrder()
      }
      let index = order[position.dealt]
      if !batch.spans.isEmpty, batch.inputs.count + data.examples[index].count - 1 > rows { break }
      batch.append(data, index)
      position.dealt += 1
    }
    return batch
  }
}
