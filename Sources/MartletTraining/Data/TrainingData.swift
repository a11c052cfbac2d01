import Foundation
import MartletData
import MartletTokenizers

/// Tokenized examples. Each example is a separate sequence, with a mask that marks the tokens whose prediction counts
/// in the loss.
public struct TrainingData: Sendable {
  /// The tokens of all examples, one after the other.
  public private(set) var tokens: [Int32] = []
  /// Whether the prediction of each token counts in the loss. The first token of an example never counts.
  public private(set) var counts: [Bool] = []
  /// The range of each example in ``tokens``.
  public private(set) var examples: [Range<Int>] = []
  /// The weight of each example: every token of it that counts in the loss counts so much.
  public private(set) var weights: [Float] = []
  /// The task of each example, counted from 0 (see ``TrainingSettings/taskShares``).
  public private(set) var tasks: [Int] = []
  /// The examples that are always dealt in one batch, such as the label and the rationale of a question.
  public private(set) var groups: [Range<Int>] = []
  /// Remarks for the user about what was changed during reading.
  public var notes: [String] = []

  /// Data without examples.
  public init() {}

  /// Appends an example of at least two tokens.
  ///
  /// - Parameters:
  ///   - ids: the tokens.
  ///   - mask: whether the prediction of each token counts in the loss; nil counts all.
  ///   - weight: the weight of the tokens that count, at least 0.
  ///   - task: the number of the example's task, counted from 0.
  ///   - joinsPrevious: whether the example belongs to the one before it, so that both are dealt in one batch.
  public mutating func append(
    _ ids: some Collection<Int>, counts mask: [Bool]? = nil, weight: Float = 1, task: Int = 0,
    joinsPrevious: Bool = false
  ) {
    precondition(mask.map { $0.count == ids.count } ?? true, "a mask of \(mask?.count ?? 0) for \(ids.count) tokens")
    precondition(weight >= 0 && weight.isFinite && task >= 0, "a weight of \(weight), task \(task)")
    let start = tokens.count
    tokens.append(contentsOf: ids.map { Int32($0) })
    counts.append(contentsOf: mask ?? [Bool](repeating: true, count: ids.count))
    append(start..<tokens.count, weight: weight, task: task)
    if joinsPrevious, groups.count > 1 {
      let last = groups.removeLast()
      groups[groups.count - 1] = groups[groups.count - 1].lowerBound..<last.upperBound
    }
  }

  private mutating func append(_ range: Range<Int>, weight: Float = 1, task: Int = 0) {
    groups.append(examples.count..<examples.count + 1)
    examples.append(range)
    weights.append(weight)
    tasks.append(task)
  }

  /// Appends the examples and notes of other data.
  public mutating func append(_ other: TrainingData) {
    let start = tokens.count, first = examples.count
    tokens += other.tokens
    counts += other.counts
    examples += other.examples.map { $0.lowerBound + start..<$0.upperBound + start }
    weights += other.weights
    tasks += other.tasks
    groups += other.groups.map { $0.lowerBound + first..<$0.upperBound + first }
    notes += other.notes
  }

  /// Divides one long text into windows of `context + 1` tokens. Each window predicts `context` tokens; its last token
  /// is the first token of the next window. The last window may be shorter.
  public init(stream ids: [Int], context: Int) {
    tokens = ids.map { Int32($0) }
    counts = [Bool](repeating: true, count: ids.count)
    var start = 0
    while start + 1 < ids.count {
      append(start..<min(ids.count, start + context + 1))
      start += context
    }
  }

  /// The total number of tokens that are predicted from previous ones.
  public var predictedTokens: Int { examples.reduce(0) { $0 + $1.count - 1 } }

  /// A digest of the tokens, masks, weights, tasks and groups of all examples.
  public var fingerprint: String {
    var digest = SHA256()
    for range in examples {
      digest.update(Array("\(range.count) ".utf8))
      var bytes: [UInt8] = []
      bytes.reserveCapacity(range.count * 5)
      for place in range {
        withUnsafeBytes(of: tokens[place].littleEndian) { bytes += $0 }
        bytes.append(counts[place] ? 1 : 0)
      }
      digest.update(bytes)
    }
    // Data without these has the digest that checkpoints of earlier versions contain.
    if weights.contains(where: { $0 != 1 }) || tasks.contains(where: { $0 != 0 }) || groups.count < examples.count {
      digest.update(Array("weights \(weights) tasks \(tasks) groups \(groups)".utf8))
    }
    return digest.finalize()
  }

  /// The number of tokens of an example whose prediction counts.
  public func countedTokens(_ index: Int) -> Int { counts[examples[index]].dropFirst().reduce(0) { $0 + ($1 ? 1 : 0) } }

  /// Splits off the last `share` of the groups of examples for validation.
  public func split(validation share: Double) -> (training: TrainingData, validation: TrainingData) {
    let count = min(groups.count - 1, Int((Double(groups.count) * share).rounded()))
    guard share > 0, count > 0 else { return (self, TrainingData()) }
    let rest = groups.count - count
    return (keeping(groups: 0..<rest), keeping(groups: rest..<groups.count))
  }

  /// The data with some of its groups alone; the tokens of the others stay in memory.
  private func keeping(groups kept: Range<Int>) -> TrainingData {
    var data = self
    let first = groups[kept.lowerBound].lowerBound, range = first..<groups[kept.upperBound - 1].upperBound
    data.examples = Array(examples[range])
    data.weights = Array(weights[range])
    data.tasks = Array(tasks[range])
    data.groups = groups[kept].map { $0.lowerBound - first..<$0.upperBound - first }
    return data
  }

  /// Checks that all tokens are in the vocabulary.
  /// - Throws: ``TrainingError`` if a token is outside the vocabulary.
  public func check(vocabularySize: Int) throws {
    if let bad = tokens.first(where: { $0 < 0 || $0 >= vocabularySize }) {
      throw TrainingError(
        "the data contains token \(bad), but the vocabulary of the model ends at \(vocabularySize - 1); the data was made with another tokenizer"
      )
    }
  }
}

/// Why training cannot start or continue: one sentence with the remedy.
public struct TrainingError: ExplainedError {
  /// One sentence that names what is wrong and what helps.
  public let message: String
  /// - Parameter message: one sentence that names what is wrong and what helps.
  public init(_ message: String) { self.message = message }
}
