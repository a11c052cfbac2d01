import MartletCheckpoints
import MartletData
import MartletTensor

/// RWKV-5 ("Eagle"; World v1 and v2), versions 5.0, 5.1 and 5.2.
public struct RWKV5Family: ModelFamily {
  /// The family.
  public init() {}

  /// The name on the command line.
  public var name: String { "rwkv5" }
  /// The name in a sentence.
  public var title: String { "RWKV-5" }
  /// The rates and the penalty are those of BlinkDL's trainer for RWKV-v5.
  public var defaults: ModelDefaults {
    ModelDefaults(
      truncatesBeforeTemperature: true, logitPenalty: 1e-4,
      learningRateFactors: ["time_decay": 2, "time_first": 3], headName: "head", editLayer: "ffn.value")
  }

  /// Translates the four conventions of names into BlinkDL's.
  ///
  /// - Throws: `CheckpointError` naming two tensors that are one by those names.
  public func recognize(_ checkpoint: Checkpoint) throws -> [String: String]? { try RWKV5Names.canonical(checkpoint) }

  /// Of the other versions of RWKV, and of files of start states alone.
  public func refusal(of checkpoint: Checkpoint) -> CheckpointError? { RWKV5Names.refusal(checkpoint) }

  /// Loads a file of any of the conventions.
  ///
  /// - Throws: `CheckpointError` naming the tensor that is missing or does not fit.
  public func load(_ loader: WeightLoader, options: LoadedModel.Options) throws -> RWKV5 {
    try RWKV5(loader, groupNormEpsilon: options.groupNormEpsilon)
  }

  /// The version, its sizes, and the bytes of its state.
  public func facts(of model: RWKV5, in checkpoint: Checkpoint) -> ModelFacts {
    let c = model.configuration, stateByteCount = c.layers * c.layerStateCount * 4
    return ModelFacts(
      architecture: model.description.architecture,
      numbers: [
        ("layers", c.layers), ("width", c.width), ("heads", c.heads), ("feed_forward", c.feedForwardWidth),
        ("vocabulary", c.vocabularySize), ("state bytes", stateByteCount),
      ], stateByteCount: stateByteCount)
  }

  /// The versions that a new model may be of.
  public var versions: [String] { RWKV5Configuration.Version.allCases.map(\.rawValue) }

  /// - Throws: ``ModelError`` for an unknown version, and for a 5.0 of one layer.
  public func check(_ shape: ModelShape) throws {
    guard shape.version.map(versions.contains) ?? true else {
      throw ModelError("there is no RWKV-\(shape.version ?? ""); the versions are \(versions.joined(separator: ", "))")
    }
    guard shape.version != RWKV5Configuration.Version.v5_0.rawValue || shape.layers > 1 else {
      throw ModelError("RWKV-5.0 needs more than one layer")
    }
  }

  /// A model with the initial values of BlinkDL's trainer for RWKV-v5.
  public func make(_ shape: ModelShape, random: RandomSource) -> RWKV5 {
    RWKV5(
      RWKV5Configuration(
        version: shape.version.flatMap(RWKV5Configuration.Version.init) ?? .v5_2, layers: shape.layers,
        width: shape.width, headSize: shape.headSize, vocabularySize: shape.vocabularySize), random: random)
  }
}
