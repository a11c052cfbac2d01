import MartletTensor

/// Divides examples into batches. Every epoch contains all examples, in an order that depends only on the seed and the
/// epoch.
///
/// Its position consists of two numbers, so that a run can be resumed exactly.
public struct BatchSampler: Sendable {
  /// An epoch, and the number of its examples that were used.
  public struct Position: Sendable, Codable, Equatable {
    /// The number of completed passes over the data.
    public var epoch = 0
    /// The number of examples used in this epoch.
    public var dealt = 0
    /// The beginning of the first epoch.
    public init() {}
  }

  /// The position of the next batch.
  public private(set) var position: Position
  private let data: TrainingData
  private let random: RandomSource
  private let isShuffled: Bool
  private var order: [Int] = []

  /// A sampler whose order is a function of the seed and the epoch.
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

  /// The next batch: examples up to a total of `rows` rows (at least one example, at most all). Short examples are
  /// packed together without padding.
  ///
  /// - Parameters:
  ///   - rows: the largest number of rows of the batch.
  ///   - wraps: whether the batch continues with the next epoch if the current one ends.
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
