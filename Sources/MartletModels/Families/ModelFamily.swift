import MartletCheckpoints
import MartletData
import MartletTensor

/// A kind of model, such as RWKV-5 or Llama, with everything in which kinds differ: how a checkpoint is recognised,
/// loaded, summarised and converted, how a new model is made, and how its models are used by default.
///
/// A family is one folder below `Families` and one line in ``ModelFamilies``. Nothing outside that folder asks which
/// family a model is of.
public protocol ModelFamily: Sendable {
  /// What a checkpoint of the family becomes: a ``LanguageModel`` that continues texts, or another kind of ``Model``.
  associatedtype Loaded: Model

  /// The name by which commands know the family, e.g. `llama`.
  var name: String { get }
  /// The family in a sentence, e.g. `the Llama family`.
  var title: String { get }
  /// How its models are used where nothing else is asked for.
  var defaults: ModelDefaults { get }

  /// Looks whether a checkpoint is one of the family's.
  ///
  /// - Returns: the names of its tensors in the file by the names that the family uses itself; nil where the checkpoint
  ///   is of another family.
  /// - Throws: `CheckpointError` where it is one of this family and its names contradict each other.
  func recognize(_ checkpoint: Checkpoint) throws -> [String: String]?

  /// Why a checkpoint that no family has recognised cannot be run, where it is a relative of this one; else nil.
  func refusal(of checkpoint: Checkpoint) -> CheckpointError?

  /// Loads a model.
  ///
  /// - Parameters:
  ///   - loader: gives weights by the names that ``recognize(_:)`` found, packed, as plain tensors or merely checked,
  ///     as its purpose is. A family ends with ``WeightLoader/checkEveryTensorIsUsed(harmless:)``.
  ///   - options: what was chosen in place of what the files say.
  /// - Throws: `CheckpointError` naming the tensor or the setting that is missing, wrong or not done.
  func load(_ loader: WeightLoader, options: LoadedModel.Options) throws -> Loaded

  /// What a summary tells of a model that was loaded for inspection, whose weights are not there.
  func facts(of model: Loaded, in checkpoint: Checkpoint) -> ModelFacts

  /// Versions of the architecture that a new model may be of; empty where there is only one.
  var versions: [String] { get }

  /// - Throws: ``ModelError`` saying why no model of this shape can be made.
  func check(_ shape: ModelShape) throws

  /// A new model to be trained, with the initial values that the family's authors use.
  ///
  /// - Parameters:
  ///   - shape: one that ``check(_:)`` allows.
  ///   - random: what the initial values are a function of.
  func make(_ shape: ModelShape, random: RandomSource) -> Loaded

  /// What is to be written of a checkpoint in another container: every tensor with its name, its order of rows and its
  /// type, and the settings that go along as metadata or as the hub's `config.json`.
  ///
  /// - Throws: ``ModelError`` or `CheckpointError` for what the container cannot express.
  func plan(_ request: ConversionRequest) throws -> ConversionPlan
}

extension ModelFamily {
  /// None is a relative.
  public func refusal(of checkpoint: Checkpoint) -> CheckpointError? { nil }
  /// There is only one.
  public var versions: [String] { [] }
  /// Every shape can be made.
  public func check(_ shape: ModelShape) throws {}

  /// Loads a model for inspection, and what a summary tells of it.
  func inspect(_ loader: WeightLoader) throws -> (model: any Model, facts: ModelFacts) {
    let model = try load(loader, options: .init())
    return (model, facts(of: model, in: loader.checkpoint))
  }
}

/// Sizes of a model that is made new.
public struct ModelShape: Sendable, Equatable {
  /// Number of blocks.
  public var layers: Int
  /// Features of a row between the blocks.
  public var width: Int
  /// Features of one head.
  public var headSize: Int
  /// Number of different tokens.
  public var vocabularySize: Int
  /// Most tokens of a sequence, for families whose state grows with it.
  public var contextLength: Int
  /// One of the family's ``ModelFamily/versions``; nil for the family's own choice.
  public var version: String?

  /// - Parameters: the properties of the same names.
  public init(
    layers: Int, width: Int, headSize: Int, vocabularySize: Int, contextLength: Int, version: String? = nil
  ) {
    self.layers = layers
    self.width = width
    self.headSize = headSize
    self.vocabularySize = vocabularySize
    self.contextLength = contextLength
    self.version = version
  }
}

/// What a family tells of a model that nobody has to load for it.
public struct ModelFacts: Sendable {
  /// The name of the architecture.
  public var architecture: String
  /// Numbers by name, in the order to show them.
  public var numbers: [(key: String, value: Int)]
  /// Bytes that one sequence takes beside the weights, at the model's own context length.
  public var stateByteCount: Int
  /// The context length that the state is for; nil where the state does not grow.
  public var contextLength: Int?

  /// - Parameters: the properties of the same names.
  public init(
    architecture: String, numbers: [(key: String, value: Int)], stateByteCount: Int, contextLength: Int? = nil
  ) {
    self.architecture = architecture
    self.numbers = numbers
    self.stateByteCount = stateByteCount
    self.contextLength = contextLength
  }
}
