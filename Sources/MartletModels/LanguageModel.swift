import Foundation
import MartletData
import MartletTensor

/// A model that continues sequences of tokens.
public protocol LanguageModel: Model {
  /// The state of an empty sequence.
  func makeState() -> any SequenceState

  /// Runs the tokens of a batch. Each sequence continues from its state, which is updated.
  ///
  /// - Returns: the logits of the requested rows, `[rows, vocabulary]`, in row order.
  func forward(_ batch: Batch) -> Tensor

  /// Like ``LanguageModel/forward(_:)`` for rows that tokens are drawn from, on a device from which whole rows of logits are slow to read.
  ///
  /// - Parameters:
  ///   - batch: the rows, and those of them that are requested.
  ///   - temperatures: what the logits are divided by, for each requested row; above 0.
  /// - Returns: the likeliest tokens of the requested rows; nil, with nothing run, where ``LanguageModel/forward(_:)`` is the way.
  func likeliest(_ batch: Batch, temperatures: [Float]) -> LikeliestLogits?

  /// Like ``LanguageModel/forward(_:)`` without the head: the normalised output of the last layer.
  ///
  /// - Returns: the hidden states of the requested rows, `[rows, width]`, in row order.
  func hidden(_ batch: Batch) -> Tensor

  /// The head: the logits `[rows, vocabulary]` of hidden states `[rows, width]` that ``hidden(_:)`` returned. The logits of many
  /// rows need not be in memory together.
  func project(_ hidden: Tensor) -> Tensor

  /// How many bytes of states a device with memory of its own should hold beside those of running sequences; nil for a model in the
  /// processor's memory.
  var deviceStateByteCapacity: Int? { get }

  /// The inverse of ``SequenceState/serialized()``.
  /// - Throws: ``ModelError`` if the bytes do not fit this model.
  func restoreState(_ bytes: ArraySlice<UInt8>) throws -> any SequenceState

  /// Why a forward pass since the last call has failed: its results are not numbers, and the states of its batch are worthless but where it says otherwise. nil if
  /// none has; on the processor none does.
  func takeFailure() -> ModelFailure?
}

/// The state of a sequence: a recurrent state or a key/value cache.
public protocol SequenceState: AnyObject, Sendable {
  /// An independent state with the same contents.
  func copy() -> any SequenceState
  /// Whether ``prefix(_:)`` can return the state after any number of tokens.
  var canBeCut: Bool { get }
  /// An independent state after the first `count` tokens; nil if later tokens cannot be removed from the state.
  func prefix(_ count: Int) -> (any SequenceState)?
  /// The number of tokens in the sequence.
  var position: Int { get }
  /// The memory of the state in bytes.
  var byteCount: Int { get }
  /// How many of those bytes lie in a device's own memory.
  var deviceByteCount: Int { get }
  /// An independent state with the same contents in the processor's memory, which goes back to the device with its next pass; nil if the
  /// state lies in no device's memory, or the device has failed.
  func movedToProcessor() -> (any SequenceState)?
  /// The memory that ``copy()`` takes beyond what both states share, in bytes.
  var copyByteCount: Int { get }
  /// The state as bytes, for saving.
  func serialized() -> [UInt8]
  /// All elements, layer by layer; nil for a state that grows with the sequence.
  var numbers: [Float]? { get }
  /// Why no pass can continue from the state, as the device that holds it has failed; nil if one can.
  var failure: ModelFailure? { get }
}

extension LanguageModel {
  /// The head behind all layers.
  public func forward(_ batch: Batch) -> Tensor { project(hidden(batch)) }
  /// The default: nil, for a model in the processor's memory.
  public var deviceStateByteCapacity: Int? { nil }
  /// The default: nil, for a model in the processor's memory.
  public func likeliest(_ batch: Batch, temperatures: [Float]) -> LikeliestLogits? { nil }
  /// The default: no pass fails.
  public func takeFailure() -> ModelFailure? { nil }
}

extension SequenceState {
  /// The default: a copy shares nothing.
  public var copyByteCount: Int { byteCount }
  /// The default: 0, for a state in the processor's memory.
  public var deviceByteCount: Int { 0 }
  /// The default: nil, for a state in the processor's memory.
  public func movedToProcessor() -> (any SequenceState)? { nil }
  /// The default: nil, for a state that grows.
  public var numbers: [Float]? { nil }
  /// The default: nil, for a state in the processor's memory.
  public var failure: ModelFailure? { nil }
}

/// Rows of several sequences, one after the other, without padding: row `spans[i].lowerBound` continues `states[i]`.
public struct Batch: Sendable {
  /// The rows whose results are returned.
  public enum Outputs: Sendable {
    /// Every row.
    case all
    /// Only the last row of each sequence.
    case last
    /// Only these rows of the batch, in this order.
    case rows([Int])
  }

  /// The tokens of all sequences, one sequence after the other.
  public private(set) var tokens: [Int] = []
  /// The rows of each sequence.
  public private(set) var spans: [Range<Int>] = []
  /// The state from which each sequence continues, and which the forward pass updates.
  public private(set) var states: [any SequenceState] = []
  /// The rows whose results are returned.
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

  /// The rows whose results are returned, as a family's forward pass picks them; nil for all.
  public var outputRows: [Int]? {
    switch outputs {
    case .all: nil
    case .last: spans.map { $0.upperBound - 1 }
    case .rows(let rows): rows
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

/// A forward pass that has failed through no fault of the request, as the device has failed: one sentence.
public struct ModelFailure: ExplainedError {
  /// One sentence that names what has failed and what helps.
  public let message: String
  /// Whether the states of the batch are as they were, so that the pass can be tried again.
  public let leavesStates: Bool

  /// - Parameters:
  ///   - message: one sentence that names what has failed and what helps.
  ///   - leavesStates: whether the states of the batch are as they were.
  public init(_ message: String, leavesStates: Bool = false) {
    self.message = message.printable
    self.leavesStates = leavesStates
  }
}

extension LanguageModel {
  /// - Throws: ``ModelFailure`` if a forward pass since the last call has failed (``takeFailure()``).
  public func checkPasses() throws { if let failure = takeFailure() { throw failure } }

  /// Checks that all tokens are in the vocabulary.
  /// - Throws: ``ModelError`` that names the first token outside the vocabulary.
  public func check(tokens: [Int]) throws {
    let size = description.vocabularySize
    if let bad = tokens.first(where: { $0 < 0 || $0 >= size }) {
      throw ModelError("token \(bad) is outside the model's vocabulary of \(size); ids run from 0 to \(size - 1)")
    }
  }
}

extension Batch: CustomStringConvertible {
  /// The number of rows of each sequence with the position it continues from, e.g. `Batch(3 rows from 0, 1 row from 17)`.
  public var description: String {
    let sequences = zip(spans, states).map { span, state in
      "\(span.count) \(span.count == 1 ? "row" : "rows") from \(state.position)"
    }
    return "Batch(\(sequences.joined(separator: ", ")))"
  }
}
