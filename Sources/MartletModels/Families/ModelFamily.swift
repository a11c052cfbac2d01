import MartletCheckpoints
import MartletData
import MartletTensor

/// A model family, such as RWKV-5 or Llama, with everything in which families differ: how a checkpoint is recognised,
/// loaded, summarised and converted, how a new model is made, and how its models are used by default.
///
/// A family is one folder below `Families` and one line in ``ModelFamilies``. No code outside that folder depends on
/// the family of a model.
public protocol ModelFamily: Sendable {
  /// The type of the family's models: a ``LanguageModel``, or another kind of ``Model``.
  associatedtype Loaded: Model

  /// The name of the family on the command line, e.g. `llama`.
  var name: String { get }
  /// The name for use in a sentence, e.g. `the Llama family`.
  var title: String { get }
  /// How its models are used by default.
  var defaults: ModelDefaults { get }

  /// Checks whether a checkpoint belongs to the family.
  ///
  /// - Returns: the tensor names in the file, by the names that the family uses; nil if the checkpoint belongs to
  ///   another family.
  /// - Throws: `FileError` if it belongs to this family and its names contradict each other.
  func recognize(_ checkpoint: Checkpoint) throws -> [String: String]?

  /// Why a checkpoint that no family has recognised cannot be run, if it is of a related architecture; else nil.
  func refusal(of checkpoint: Checkpoint) -> FileError?

  /// Loads a model.
  ///
  /// - Parameters:
  ///   - loader: provides the weights by the names that ``recognize(_:)`` returned: packed, as plain tensors, or only
  ///     checked, depending on its purpose. An implementation ends with a call of
  ///     ``WeightLoader/checkEveryTensorIsUsed(harmless:)``.
  ///   - options: options that override the settings of the files.
  /// - Throws: `FileError` that names the tensor or the setting that is missing, wrong or not supported.
  func load(_ loader: WeightLoader, options: LoadedModel.Options) throws -> Loaded

  /// How a model runs on a device; nil if models of the family run on the processor only.
  ///
  /// - Parameters:
  ///   - model: the model, loaded without its matrices.
  ///   - weights: uploads the matrices.
  /// - Throws: ``ModelError`` if this model cannot run on a device.
  func program(of model: Loaded, weights: DeviceWeights) throws -> (any DeviceProgram)?

  /// The facts to show about a model that was loaded for inspection, without its weights.
  func facts(of model: Loaded, in checkpoint: Checkpoint) -> ModelFacts

  /// The versions of the architecture in which a new model can be made; empty if there is only one.
  var versions: [String] { get }

  /// Checks whether a model of this shape can be made.
  /// - Throws: ``ModelError`` that says why not.
  func check(_ shape: ModelShape) throws

  /// A new model for training, with the initial values that the authors of the architecture use.
  ///
  /// - Parameters:
  ///   - shape: a shape that ``check(_:)`` accepts.
  ///   - random: the random numbers for the initial values.
  func make(_ shape: ModelShape, random: RandomSource) -> Loaded

  /// Plans the conversion of a checkpoint to another container: every tensor with its name, its order of rows and its
  /// type, and the settings as metadata or as the hub's `config.json`.
  ///
  /// - Throws: ``ModelError`` or `FileError` for what the container cannot express.
  func plan(_ request: ConversionRequest) throws -> ConversionPlan
}

extension ModelFamily {
  /// The default: models run on the processor only.
  public func program(of model: Loaded, weights: DeviceWeights) throws -> (any DeviceProgram)? { nil }
  /// The default: no other checkpoint is related.
  public func refusal(of checkpoint: Checkpoint) -> FileError? { nil }
  /// The default: there is only one version.
  public var versions: [String] { [] }
  /// The default: every shape can be made.
  public func check(_ shape: ModelShape) throws {}

  /// Loads a model without its matrices, and its program for a device.
  func loadOnDevice(
    _ loader: WeightLoader, _ weights: DeviceWeights, options: LoadedModel.Options
  ) throws -> (shell: any Model, program: (any DeviceProgram)?) {
    let model = try load(loader, options: options)
    try weights.checkMemory()
    return (model, try program(of: model, weights: weights))
  }

  /// Loads a model for inspection, and what a summary tells of it.
  func inspect(_ loader: WeightLoader) throws -> (model: any Model, facts: ModelFacts) {
    let model = try load(loader, options: .init())
    return (model, facts(of: model, in: loader.checkpoint))
  }
}

/// The sizes of a new model.
public struct ModelShape: Sendable, Equatable {
  /// The number of blocks.
  public var layers: Int
  /// The width of the residual stream.
  public var width: Int
  /// The number of features of one head.
  public var headSize: Int
  /// The number of tokens in the vocabulary.
  public var vocabularySize: Int
  /// The largest number of tokens of a sequence, for families whose state grows with it.
  public var contextLength: Int
  /// One of the family's ``ModelFamily/versions``; nil selects the default version.
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

/// Facts about a model that can be determined without keeping its weights in memory.
public struct ModelFacts: Sendable {
  /// The name of the architecture.
  public var architecture: String
  /// Numbers with their names, in the order to show them.
  public var numbers: [(key: String, value: Int)]
  /// The memory of one sequence in addition to the weights, at the model's context length, in bytes.
  public var stateByteCount: Int
  /// The context length for that size; nil if the state does not grow.
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
