import Foundation
import MartletData
import MartletTokenizers

/// Examples as tokens: each one a sequence of its own, with a weight on every token that tells whether its
/// prediction counts.
public struct TrainingData: Sendable {
  /// All examples, one behind the other.
  public private(set) var tokens: [Int32] = []
  /// 1 where the prediction of this token counts in the loss. The first token of an example never does.
  public private(set) var counts: [Bool] = []
  /// Where each example lies.
  public private(set) var examples: [Range<Int>] = []
  /// What reading has changed, for the person who trains.
  public var notes: [String] = []

  /// Data without examples.
  public init() {}

  /// Adds an example of at least two tokens.
  public mutating func append(_ ids: some Collection<Int>, counts mask: [Bool]? = nil) {
    precondition(mask.map { $0.count == ids.count } ?? true, "a mask of \(mask?.count ?? 0) for \(ids.count) tokens")
    let start = tokens.count
    tokens.append(contentsOf: ids.map { Int32($0) })
    counts.append(contentsOf: mask ?? [Bool](repeating: true, count: ids.count))
    examples.append(start..<tokens.count)
  }

  /// Adds the examples of other data, and what is to be said about it.
  public mutating func append(_ other: TrainingData) {
    let start = tokens.count
    tokens += other.tokens
    counts += other.counts
    examples += other.examples.map { $0.lowerBound + start..<$0.upperBound + start }
    notes += other.notes
  }

  /// Windows of `context + 1` tokens over one long text: each predicts `context` tokens, the last of one being the
  /// first of the next. The last window is as short as what is left.
  public init(stream ids: [Int], context: Int) {
    tokens = ids.map { Int32($0) }
    counts = [Bool](repeating: true, count: ids.count)
    var start = 0
    while start + 1 < ids.count {
      examples.append(start..<min(ids.count, start + context + 1))
      start += context
    }
  }

  /// Tokens that are predicted from those before them, in all examples together.
  public var predictedTokens: Int { examples.reduce(0) { $0 + $1.count - 1 } }

  /// A digest of every example: its tokens, and which of them count.
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
    return digest.finalize()
  }

  /// Tokens whose prediction counts.
  public func countedTokens(_ index: Int) -> Int { counts[examples[index]].dropFirst().reduce(0) { $0 + ($1 ? 1 : 0) } }

  /// The last `share` of the examples apart.
  public func split(validation share: Double) -> (training: TrainingData, validation: TrainingData) {
    let count = min(examples.count - 1, Int((Double(examples.count) * share).rounded()))
    guard share > 0, count > 0 else { return (self, TrainingData()) }
    var training = self, validation = self
    training.examples = Array(examples.dropLast(count))
    validation.examples = Array(examples.suffix(count))
    return (training, validation)
  }

  /// - Throws: ``TrainingError`` where a token lies outside the vocabulary.
  public func check(vocabularySize: Int) throws {
    if let bad = tokens.first(where: { $0 < 0 || $0 >= vocabularySize }) {
      throw TrainingError(
        "the data holds token \(bad) where the model's vocabulary ends at \(vocabularySize - 1); they were made for another tokenizer"
      )
    }
  }
}

/// Why training cannot go on: one sentence with the remedy.
public struct TrainingError: ExplainedError {
  /// One sentence that names what is wrong and what helps.
  public let message: String
  /// - Parameter message: one sentence that names what is wrong and what helps.
  public init(_ message: String) { self.message = message }
}

/// One micro-batch: rows of several examples, one after the other.
public struct TrainingBatch: Sendable {
  /// Tokens, one a row.
  public var inputs: [Int] = []
  /// The token that follows each row.
  public var targets: [Int] = []
  /// Weight of each row's prediction.
  public var weights: [Float] = []
  /// Which rows belong to which example.
  public var spans: [Range<Int>] = []
  /// Rows that count.
  public var countedRows: Int { weights.reduce(0) { $0 + ($1 > 0 ? 1 : 0) } }

  /// A batch of nothing.
  public init() {}

  /// Adds an example: each token predicts the next.
  public mutating func append(_ data: TrainingData, _ index: Int) {
    let range = data.examples[index], start = inputs.count
    for place in range.dropLast() {
      inputs.append(Int(data.tokens[place]))
      targets.append(Int(data.tokens[place + 1]))
      weights.append(data.counts[place + 1] ? 1 : 0)
    }
    spans.append(start..<inputs.count)
  }
}
