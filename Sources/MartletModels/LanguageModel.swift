import MartletData
import MartletTensor

/// A model that continues sequences of tokens.
public protocol LanguageModel: Sendable {
  var description: ModelDescription { get }

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

/// What a sequence carries from token to token: an RWKV state or a key/value cache.
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
}

/// Rows of several sequences, one after the other, without padding: row `spans[i].lowerBound` continues `states[i]`.
public struct Batch: Sendable {
  public enum Outputs: Sendable {
    case all
    /// The last row of each sequence.
    case last
  }

  public private(set) var tokens: [Int] = []
  public private(set) var spans: [Range<Int>] = []
  public private(set) var states: [any SequenceState] = []
  public var outputs: Outputs

  public init(outputs: Outputs = .last) { self.outputs = outputs }

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

/// What people and programs want to know about a loaded model.
public struct ModelDescription: Sendable {
  /// E.g. `RWKV-5.2` or `Llama`.
  public var architecture: String
  public var layers: Int
  public var width: Int
  public var heads: Int
  public var feedForwardWidth: Int
  public var vocabularySize: Int
  public var parameterCount: Int
  /// Most tokens of a sequence; nil where the state does not grow.
  public var contextLength: Int?
  /// Bytes of weights that one decoded token reads.
  public var bytesPerToken: Int
  /// Tells models apart: a digest of names, shapes and samples of the weights, and the weight format.
  public var fingerprint: String
  /// Whether an adapter changes what the weights of its file compute.
  public var hasAdapter = false
  /// What people should know of how its weights were loaded, one sentence each.
  public var remarks: [String] = []
}

/// Why a model cannot do what was asked: one sentence with the cure.
public struct ModelError: Error, CustomStringConvertible, Sendable {
  public let description: String
  /// Safe to print: names and texts that come from files may hold anything.
  public init(_ description: String) { self.description = description.printable }
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
