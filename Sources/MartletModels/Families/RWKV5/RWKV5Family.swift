import MartletCheckpoints
import MartletData
import MartletTensor

/// RWKV-5 ("Eagle"; World v1 and v2), versions 5.0, 5.1 and 5.2.
public struct RWKV5Family: ModelFamily {
  /// The family, which has no settings.
  public init() {}

  /// The name on the command line.
  public var name: String { "rwkv5" }
  /// The name for use in a sentence.
  public var title: String { "RWKV-5" }
  /// The defaults of the family. The learning-rate factors and the penalty are those of BlinkDL's trainer for RWKV-v5.
  public var defaults: ModelDefaults {
    ModelDefaults(
      truncatesBeforeTemperature: true, logitPenalty: 1e-4,
      learningRateFactors: ["time_decay": 2, "time_first": 3], headName: "head", editLayer: "ffn.value")
  }

  /// Recognises the four naming conventions and maps them to BlinkDL's.
  ///
  /// - Throws: `FileError` that names two tensors that would have the same name.
  public func recognize(_ checkpoint: Checkpoint) throws -> [String: String]? { try RWKV5Names.canonical(checkpoint) }

  /// The reason for checkpoints of other RWKV versions and for files that contain only start states.
  public func refusal(of checkpoint: Checkpoint) -> FileError? { RWKV5Names.refusal(checkpoint) }

  /// Loads a file in any of the naming conventions.
  ///
  /// - Throws: `FileError` that names the tensor that is missing or does not fit.
  public func load(_ loader: WeightLoader, options: LoadedModel.Options) throws -> RWKV5 {
    try RWKV5(loader, groupNormEpsilon: options.groupNormEpsilon)
  }

  /// All versions run on a device.
  /// - Throws: ``ModelError`` for heads or a width that shaders do not have.
  public func program(of model: RWKV5, weights: DeviceWeights) throws -> (any DeviceProgram)? {
    try RWKV5Program(model, weights)
  }

  /// The version, the sizes, and the bytes of a state.
  public func facts(of model: RWKV5, in checkpoint: Checkpoint) -> ModelFacts {
    let c = model.configuration, stateByteCount = c.layers * c.layerStateCount * 4
    return ModelFacts(
      architecture: model.description.architecture,
      numbers: [
        ("layers", c.layers), ("width", c.width), ("heads", c.heads), ("feed_forward", c.feedForwardWidth),
        ("vocabulary", c.vocabularySize), ("state bytes", stateByteCount),
      ], stateByteCount: stateByteCount)
  }

  /// The versions in which a new model can be made.
  public var versions: [String] { RWKV5Configuration.Version.allCases.map(\.rawValue) }

  /// Checks whether a model of this shape can be made.
  /// - Throws: ``ModelError`` for an unknown version, and for version 5.0 with one layer.
  public func check(_ shape: ModelShape) throws {
    guard shape.version.map(versions.contains) ?? true else {
      throw ModelError("there is no RWKV-\(shape.version ?? ""); the versions are \(versions.joined(separator: ", "))")
    }
    guard shape.version != RWKV5Configuration.Version.v5_0.rawValue || shape.layers > 1 else {
      throw ModelError("RWKV-5.0 needs more than one layer")
    }
  }

  /// A new model with the initial values of BlinkDL's trainer for RWKV-v5.
  public func make(_ shape: ModelShape, random: RandomSource) -> RWKV5 {
    RWKV5(
      RWKV5Configuration(
        version: shape.version.flatMap(RWKV5Configuration.Version.init) ?? .v5_2, layers: shape.layers,
        width: shape.width, headSize: shape.headSize, vocabularySize: shape.vocabularySize), random: random)
  }
}
