import MartletCheckpoints
import MartletTensor

/// A request to plan the conversion of a checkpoint.
public struct ConversionRequest {
  /// The checkpoint to convert.
  public let checkpoint: Checkpoint
  /// The tensor names in the file, by the names that the family uses.
  public let names: [String: String]
  /// The container to write.
  public let container: Conversion.Container
  /// The format of all matrices; nil keeps each tensor's type if the container supports it.
  public let format: WeightFormat?

  /// The type in which a tensor is written; small tensors are kept exact.
  public func type(for tensor: CheckpointTensor) -> FileType { type(for: tensor, choosing: format) }

  /// The same, were all matrices to be written in `format`.
  func type(for tensor: CheckpointTensor, choosing format: WeightFormat?) -> FileType {
    guard tensor.type.isReal else { return tensor.type }
    let plain: FileType = [.f32, .f16, .bf16].contains(tensor.type) ? tensor.type : .f32
    guard isMatrix(tensor) else { return plain }
    let wanted = format.flatMap { FileType(rawValue: $0.fileType) }
    let type = wanted ?? (container == .gguf ? tensor.type : plain)
    // Rows that do not fill blocks of 256 have blocks of 32 with at least as many bits, as in llama.cpp's files.
    let smaller: FileType = type == .q4_K ? .q4_1 : .q8_0
    let choices = type.blockValues > 32 ? [type, smaller] : [type]
    return choices.first { tensor.shape[1] % $0.blockValues == 0 } ?? .f32
  }

  /// Whether a tensor is one of the matrices that `format` is of.
  func isMatrix(_ tensor: CheckpointTensor) -> Bool {
    tensor.type.isReal && tensor.shape.count == 2 && tensor.shape.allSatisfy { $0 >= 32 }
      && tensor.name.hasSuffix("weight")
  }
}

/// What a conversion writes, as planned by the family: tensors, tables, metadata, and the hub's settings.
public struct ConversionPlan {
  /// A tensor to write.
  public struct Item {
    /// The name in the written file.
    public var name: String
    /// The tensor that provides the values.
    public var source: CheckpointTensor
    /// The type in which it is written.
    public var type: FileType
    /// The name of the model's parameter, which adapters use.
    public var canonical: String
    /// A permutation of the rows: row `order(i)` of the source becomes row i; nil keeps the order.
    public var order: ((Int) -> Int)?
    /// The row in the hub's layout for a row of the source; nil if the source has the hub's order.
    public var hubRow: ((Int) -> Int)?
    /// A function that is applied to every value.
    public var map: ((Float) -> Float)?
    /// Whether the last two axes, which have equal lengths, are exchanged.
    public var isExchanged = false

    /// A tensor whose values are written unchanged.
    public init(name: String, source: CheckpointTensor, type: FileType, canonical: String) {
      self.name = name
      self.source = source
      self.type = type
      self.canonical = canonical
    }
  }

  /// A head that is tied to the embeddings. It is written as a separate matrix if an adapter changes only one of the
  /// two.
  public struct TiedHead {
    /// The name of the embeddings among the model's parameters.
    public var embedding: String
    /// The name of the head among the model's parameters.
    public var head: String
    /// The name of the head in the written file.
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
  /// Vectors that the container stores as f32 tensors and the source expresses in its settings.
  public var tables: [(name: String, values: [Float])] = []
  /// The metadata of the file. For safetensors only strings and numbers are written.
  public var metadata: [(String, MetadataValue)] = []
  /// The `config.json` of the written model, without the type of the weights; nil if none is written.
  public var hubConfiguration: [String: Any]?
  /// Why no change can be made to the tensors while they are written, such as that of an adapter; nil if changes can be
  /// made. A plan that only copies may do so for a model whose layout is not known.
  public var changeRefusal: (any Error)?
  /// The tied head; nil if the head is not tied to the embeddings.
  public var tiedHead: TiedHead?

  /// An empty plan.
  public init() {}

  /// A plan that copies every tensor of the source under the name that the family uses. This is sufficient for a family
  /// with only one naming convention.
  ///
  /// - Parameters:
  ///   - request: the checkpoint and the container.
  ///   - metadata: the metadata of the file.
  public init(copying request: ConversionRequest, metadata: [(String, MetadataValue)]) throws {
    items = try request.names.sorted { $0.key < $1.key }.map { canonical, name in
      let source = try request.checkpoint.tensor(name)
      return Item(name: canonical, source: source, type: request.type(for: source), canonical: canonical)
    }
    self.metadata = metadata
  }
}
