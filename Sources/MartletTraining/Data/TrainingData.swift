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
  /// Remarks for the user about what was changed during reading.
  public var notes: [String] = []

  /// Data without examples.
  public init() {}

  /// Appends an example of at least two tokens.
  public mutating func append(_ ids: some Collection<Int>, counts mask: [Bool]? = nil) {
    precondition(mask.map { $0.count == ids.count } ?? true, "a mask of \(mask?.count ?? 0) for \(ids.count) tokens")
    let start = tokens.count
    tokens.append(contentsOf: ids.map { Int32($0) })
    counts.append(contentsOf: mask ?? [Bool](repeating: true, count: ids.count))
    examples.append(start..<tokens.count)
  }

  /// Appends the examples and notes of other data.
  public mutating func append(_ other: TrainingData) {
    let start = tokens.count
    tokens += other.tokens
    counts += other.counts
    examples += other.examples.map { $0.lowerBound + start..<$0.upperBound + start }
    notes += other.notes
  }

  /// Divides one long text into windows of `context + 1` tokens. Each window predicts `context` tokens; its last token
  /// is the first token of the next window. The last window may be shorter.
  public init(stream ids: [Int], context: Int) {
    tokens = ids.map { Int32($0) }
    counts = [Bool](repeating: true, count: ids.count)
    var start = 0
    while start + 1 < ids.count {
      examples.append(start..<min(ids.count, start + context + 1))
      start += context
    }
  }

  /// The total number of tokens that are predicted from previous ones.
  public var predictedTokens: Int { examples.reduce(0) { $0 + $1.count - 1 } }

  /// A digest of the tokens and masks of all examples.
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

  /// The number of tokens of an example whose prediction counts.
  public func countedTokens(_ index: Int) -> Int { counts[examples[index]].dropFirst().reduce(0) { $0 + ($1 ? 1 : 0) } }

  /// Splits off the last `share` of the examples for validation.
  public func split(validation share: Double) -> (training: TrainingData, validation: TrainingData) {
    let count = min(examples.count - 1, Int((Double(examples.count) * share).rounded()))
    guard share > 0, count > 0 else { return (self, TrainingData()) }
    var training = self, validation = self
    training.examples = Array(examples.dropLast(count))
    validation.examples = Array(examples.suffix(count))
    return (training, validation)
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
      weights.append(data.counts[place + 1] ? 1 : 0)
    }
    spans.append(start..<inputs.count)
  }
}
