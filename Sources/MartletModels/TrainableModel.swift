import MartletLayers
import MartletTensor

/// A language model whose parameters can be trained, or in which adapters can be trained. Parameters have the names of
/// a checkpoint.
public protocol TrainableModel: LayeredModel, Parameterized {
  /// The logits `[rows, vocabulary]` of sequences that all start with the empty state, so that examples are
  /// independent. Gradients flow to every parameter that is a variable.
  ///
  /// - Parameters:
  ///   - tokens: all sequences, one after the other.
  ///   - spans: the tokens of each sequence, one after the other.
  ///   - rows: the rows whose logits are returned; nil for all.
  ///   - checkpointing: whether to use gradient checkpointing: only the input of each block is kept, and the backward
  ///     pass runs the blocks again.
  func logits(_ tokens: [Int], spans: [Range<Int>], rows: [Int]?, checkpointing: Bool) -> Tensor

  /// Calls `body` for every linear layer with its name in a checkpoint, without `.weight`.
  mutating func visitLinears(_ body: (_ name: String, _ linear: inout Linear) -> Void)

  /// The name of the embeddings in a checkpoint without `.weight`.
  var embeddingName: String { get }
  /// Whether the head is tied to the embeddings in the model's file.
  var isTied: Bool { get }
  /// The embeddings, `[vocabulary, width]`. The setter takes the same shape; a head that is tied to them keeps the old
  /// ones in a model whose weights are packed.
  var embeddingTable: Tensor { get set }

  /// Records that adapters have changed the model: `digest` becomes part of its fingerprint, so that states saved for
  /// the model without them are not used.
  mutating func noteAdapter(digest: String)

  /// The part of the model from `layer` up, on the last rows of some sequences; nil if no linear layer of a block has
  /// that name.
  func suffix(_ sequences: [SuffixSequence], at layer: String) -> (any ModelSuffix)?

  /// Recomputes what ``LanguageModel/forward(_:)`` derives from the parameters, after they have changed.
  mutating func prepareForInference()

  /// Row `hubRow(layer, i)` of this model's layer is row i in the hub's order, because GGUF stores rotary pairs in
  /// another order.
  func hubRow(_ layer: String, _ row: Int) -> Int

  /// The model's name for a layer or parameter that a file names in another convention.
  func ownName(_ name: String) -> String

  /// The shape that a checkpoint stores a parameter in.
  func fileShape(of name: String, _ shape: [Int]) -> [Int]
  /// The metadata of a safetensors file of this model.
  var fileMetadata: [String: String] { get }
  /// The `config.json` of the hub; nil if the shapes are sufficient.
  var hubConfiguration: [String: Any]? { get }
  /// Why the model cannot be written to a file; nil if it can.
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
  /// The model as a trainable model, to train, adapt or edit it.
  ///
  /// A model on a device is loaded for the processor, which trains.
  ///
  /// - Throws: ``ModelError`` if the model is not trainable.
  public func trainable() throws -> any TrainableModel {
    if let model = self as? DeviceModel { return try model.onProcessor().trainable() }
    guard let model = self as? any TrainableModel else {
      throw ModelError(
        "this model (\(description.architecture)) can be neither edited nor trained: it has no linear layers that Martlet can change"
      )
    }
    return model
  }
}
