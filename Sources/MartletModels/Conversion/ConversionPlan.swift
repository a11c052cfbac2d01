import MartletCheckpoints
import MartletTensor

/// A checkpoint that a family is asked to plan the conversion of.
public struct ConversionRequest {
  /// What is to be written anew.
  public let checkpoint: Checkpoint
  /// The names of its tensors in the file by the family's own.
  public let names: [String: String]
  /// The kind of file that is to be written.
  public let container: Conversion.Container
  /// The format of all matrices; nil keeps each tensor's type where the container has it.
  public let format: WeightFormat?

  /// The type that a tensor is written in: small ones stay exact.
  public func type(for tensor: CheckpointTensor) -> FileType { type(for: tensor, choosing: format) }

  /// The same, were all matrices to be written in `format`.
  func type(for tensor: CheckpointTensor, choosing format: WeightFormat?) -> FileType {
    guard tensor.type.isReal else { return tensor.type }
    let plain: FileType = [.f32, .f16, .bf16].contains(tensor.type) ? tensor.type : .f32
    guard tensor.shape.count == 2, tensor.shape.allSatisfy({ $0 >= 32 }), tensor.name.hasSuffix("weight") else {
      return plain
    }
    let wanted = format.flatMap { FileType(rawValue: $0.fileType) }
    let type = wanted ?? (container == .gguf ? tensor.type : plain)
    return tensor.shape[1] % type.blockValues == 0 ? type : .f32
  }
}

/// What a conversion writes, as a family says it: tensors, tables, metadata, and the hub's settings.
public struct ConversionPlan {
  /// A tensor to write.
  public struct Item {
    /// Its name in the file that is written.
    public var name: String
    /// Where its values are.
    public var source: CheckpointTensor
    /// The type that it is written in.
    public var type: FileType
    /// Its name among the model's parameters, which adapters and their changes speak of.
    public var canonical: String
    /// Rows in another order: row `order(i)` of the source becomes row i; nil leaves them.
    public var order: ((Int) -> Int)?
    /// Which row of the hub's layout a row of the source is; nil where the source has the hub's order.
    public var hubRow: ((Int) -> Int)?
    /// Applied to every value.
    public var map: ((Float) -> Float)?
    /// Whether the last two axes, which are equal, are exchanged.
    public var isExchanged = false

    /// A tensor whose values are written as they are.
    public init(name: String, source: CheckpointTensor, type: FileType, canonical: String) {
      self.name = name
      self.source = source
      self.type = type
      self.canonical = canonical
    }
  }

  /// A head that is the embeddings, and becomes a matrix of its own where an adapter changes only one of the two.
  public struct TiedHead {
    /// The embeddings among the model's parameters.
    public var embedding: String
    /// The head among the model's parameters.
    public var head: String
    /// The head's name in the file that is written.
    public var name: String

    /// - Parameters: the properties of the same names.
    public init(embedding: String, head: String, name: String) {
      self.embedding = embedding
      self.head = head
      self.name = name
    }
  }

  /// The tensors, in the order of the file.
  public var items: [Item] = []
  /// Vectors that the container has as tensors of f32 and the source says in its settings.
  public var tables: [(name: String, values: [Float])] = []
  /// What the file says of itself. Of safetensors those that are texts or numbers.
  public var metadata: [(String, MetadataValue)] = []
  /// The hub's `config.json` of what is written, but for the type of the weights; nil where none belongs beside it.
  public var hubConfiguration: [String: Any]?
  /// Set where the head is the embeddings.
  public var tiedHead: TiedHead?

  /// A plan that writes nothing yet.
  public init() {}

  /// Every tensor of the source as it is, under the name that the family has for it. That is all there is to the
  /// conversion of a family with one spelling of its names.
  ///
  /// - Parameters:
  ///   - request: what is to be converted, and to what.
  ///   - metadata: what the file is to say of itself.
  public init(copying request: ConversionRequest, metadata: [(String, MetadataValue)]) throws {
    items = try request.names.sorted { $0.key < $1.key }.map { canonical, name in
      let source = try request.checkpoint.tensor(name)
      return Item(name: canonical, source: source, type: request.type(for: source), canonical: canonical)
    }
    self.metadata = metadata
  }
}
