import MartletLayers
import MartletTensor

/// A language model whose parameters can be trained, or that adapters can be trained in. Parameters are called as in a
/// checkpoint.
public protocol TrainableModel: LanguageModel, Parameterized {
  /// Logits `[rows asked for, vocabulary]` of sequences that all start from nothing, so that nothing leaks between
  /// examples. Gradients flow to every parameter that is a variable.
  ///
  /// - Parameters:
  ///   - tokens: all sequences, one after the other.
  ///   - spans: which tokens belong to which sequence, one after the other.
  ///   - rows: rows whose logits are wanted; nil for all.
  ///   - checkpointing: keeps only each block's input for backward and runs the blocks again there.
  func logits(_ tokens: [Int], spans: [Range<Int>], rows: [Int]?, checkpointing: Bool) -> Tensor

  /// Hands over every linear layer, by its name in a checkpoint without `.weight`.
  mutating func visitLinears(_ body: (_ name: String, _ linear: inout Linear) -> Void)

  /// The name of the embeddings in a checkpoint without `.weight`.
  var embeddingName: String { get }
  /// Whether the head is the embeddings, by the model's file.
  var isTied: Bool { get }
  /// The embeddings, `[vocabulary, width]`. The setter takes the same shape; a head that is tied to them keeps the old
  /// ones in a model whose weights are packed.
  var embeddingTable: Tensor { get set }

  /// Says that adapters have changed what the model computes: `digest` becomes part of its fingerprint, so that nothing
  /// which was kept for the model without them is taken for its own.
  mutating func noteAdapter(digest: String)

  /// The part of the model from `layer` up, on the last rows of some sequences; nil where no linear layer of a block is
  /// called that.
  func suffix(_ sequences: [SuffixSequence], at layer: String) -> (any ModelSuffix)?

  /// Works out what ``LanguageModel/forward(_:)`` needs, after parameters have changed.
  mutating func prepareForInference()

  /// Row `hubRow(layer, i)` of this model's layer is row i of the hub's: GGUF keeps rotary pairs in another order.
  func hubRow(_ layer: String, _ row: Int) -> Int

  /// This model's name for a layer or parameter that a file names by another convention.
  func ownName(_ name: String) -> String

  /// The shape that a checkpoint stores a parameter in.
  func fileShape(of name: String, _ shape: [Int]) -> [Int]
  /// What a safetensors file of this model says of itself.
  var fileMetadata: [String: String] { get }
  /// The `config.json` of the hub; nil where shapes tell all.
  var hubConfiguration: [String: Any]? { get }
  /// Why the model cannot be written as a file of its own; nil where it can.
  var exportProblem: String? { get }
}

extension TrainableModel {
  public func hubRow(_ layer: String, _ row: Int) -> Int { row }
  public func ownName(_ name: String) -> String { name }
  public mutating func prepareForInference() {}
  public func fileShape(of name: String, _ shape: [Int]) -> [Int] { shape }
  public var fileMetadata: [String: String] { [:] }
  public var hubConfiguration: [String: Any]? { nil }
  public var exportProblem: String? { nil }
}

extension Model {
  /// The model as one whose layers can be reached, to train, adapt or edit it.
  ///
  /// - Throws: ``ModelError`` where it has none.
  public func trainable() throws -> any TrainableModel {
    guard let model = self as? any TrainableModel else {
      throw ModelError(
        "this model (\(description.architecture)) can be neither edited nor trained: it has no linear layers that Martlet can change"
      )
    }
    return model
  }
}
