import Foundation
import MartletData
import MartletTensor

/// A model that continues sequences of tokens.
public protocol LanguageModel: Model {
  /// The state of a sequence that has seen nothing.
  func makeState() -> any SequenceState

  /// Runs the tokens of a batch, each sequence from its state, which moves on.
  ///
  /// - Returns: logits `[rows asked for, vocabulary]`, in row order.
  func forward(_ batch: Batch) -> Tensor

  /// The same without the head: what the last layer says of each row, normalised.
  ///
  /// - Returns: `[rows asked for, width]`, in row order.
  func hidden(_ batch: Batch) -> Tensor

  /// The inverse of ``SequenceState/serialized()``.
  /// - Throws: ``ModelError`` when the bytes do not fit this model.
  func restoreState(_ bytes: ArraySlice<UInt8>) throws -> any SequenceState
}

/// What a sequence carries from token to token: a recurrent state or a key/value cache.
public protocol SequenceState: AnyObject, Sendable {
  /// An independent state with the same contents.
  func copy() -> any SequenceState
  /// Whether ``prefix(_:)`` gives states of every length.
  var canBeCut: Bool { get }
  /// An independent state after the first `count` tokens; nil where what was seen later cannot be taken back.
  func prefix(_ count: Int) -> (any SequenceState)?
  /// Tokens seen.
  var position: Int { get }
  /// Bytes of memory it takes.
  var byteCount: Int { get }
  /// The state as bytes, for saving.
  func serialized() -> [UInt8]
  /// All its numbers, layer by layer; nil for a state that grows with the sequence.
  var numbers: [Float]? { get }
}

extension SequenceState {
  /// None: it grows.
  public var numbers: [Float]? { nil }
}

/// Rows of several sequences, one after the other, without padding: row `spans[i].lowerBound` continues `states[i]`.
public struct Batch: Sendable {
  /// Which rows' results are wanted.
  public enum Outputs: Sendable {
    /// Every row.
    case all
    /// The last row of each sequence.
    case last
  }

  /// The tokens of all sequences, one sequence after the other.
  public private(set) var tokens: [Int] = []
  /// Which rows belong to which sequence.
  public private(set) var spans: [Range<Int>] = []
  /// The state that each sequence continues from, and that moves on.
  public private(set) var states: [any SequenceState] = []
  /// Which rows' results are wanted.
  public var outputs: Outputs

  /// A batch without sequences.
  public init(outputs: Outputs = .last) { self.outputs = outputs }

  /// A batch of one sequence's next tokens (at least one).
  public init(_ tokens: [Int], state: any SequenceState, outputs: Outputs = .last) {
    self.outputs = outputs
    append(tokens, state: state)
  }

  /// Adds a sequence's next tokens (at least one). A state appears at most once in a batch.
  public mutating func append(_ tokens: some Collection<Int>, state: any SequenceState) {
    precondition(!tokens.isEmpty, "a sequence of a batch has no tokens")
    spans.append(self.tokens.count..<self.tokens.count + tokens.count)
    self.tokens.append(contentsOf: tokens)
    states.append(state)
  }

  /// Rows whose logits are wanted.
  var outputRows: [Int]? {
    switch outputs {
    case .all: nil
    case .last: spans.map { $0.upperBound - 1 }
    }
  }
}

/// Why a model cannot do what was requested: one sentence with the remedy.
public struct ModelError: ExplainedError {
  /// One sentence that names what is wrong and what helps.
  public let message: String
  /// - Parameter message: one sentence that names what is wrong and what helps. Characters that a terminal would
  ///   interpret are replaced, because names and texts that come from files may contain anything.
  public init(_ message: String) { self.message = message.printable }
}

extension LanguageModel {
  /// - Throws: ``ModelError`` naming the first token outside the vocabulary.
  public func check(tokens: [Int]) throws {
    let size = description.vocabularySize
    if let bad = tokens.first(where: { $0 < 0 || $0 >= size }) {
      throw ModelError("token \(bad) is outside the model's vocabulary of \(size); ids run from 0 to \(size - 1)")
    }
  }
}
