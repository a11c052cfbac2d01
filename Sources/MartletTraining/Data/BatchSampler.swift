import MartletTensor

/// Divides examples into batches. Every epoch contains all examples, in an order that depends only on the seed and the
/// epoch. Examples of a group (``TrainingData/groups``) stay together.
///
/// Its position consists of two numbers, so that a run can be resumed exactly.
public struct BatchSampler: Sendable {
  /// An epoch, and the number of its groups of examples that were used.
  public struct Position: Sendable, Codable, Equatable {
    /// The number of completed passes over the data.
    public var epoch = 0
    /// The number of groups of examples used in this epoch.
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
    isShuffled ? random.stream(position.epoch).permutation(data.groups.count) : Array(data.groups.indices)
  }

  /// The next batch: groups of examples up to a total of `rows` rows (at least one, at most all). Short examples are
  /// packed together without padding.
  ///
  /// - Parameters:
  ///   - rows: the largest number of rows of the batch.
  ///   - wraps: whether the batch continues with the next epoch if the current one ends.
  public mutating func next(rows: Int, wraps: Bool = true) -> TrainingBatch {
    var batch = TrainingBatch(), groups = 0
    while groups < order.count {
      if position.dealt == order.count {
        if !wraps, !batch.spans.isEmpty { break }
        position.epoch += 1
        position.dealt = 0
        order = makeOrder()
      }
      let group = data.groups[order[position.dealt]]
      let more = group.reduce(0) { $0 + data.examples[$1].count - 1 }
      if !batch.spans.isEmpty, batch.inputs.count + more > rows { break }
      for index in group { batch.append(data, index) }
      groups += 1
      position.dealt += 1
    }
    return batch
  }
}
