import MartletCheckpoints
import MartletData

/// The shapes and the version of an RWKV-5 model, which are determined from the names and shapes of its tensors.
///
/// | version | gate | decay | bonus u |
/// |---|---|---|---|
/// | 5.0 | none | one a head | `exp(time_first)`, one a head |
/// | 5.1 | silu | one a head | `time_faaaa`, one a head |
/// | 5.2 | silu | one a channel | `time_faaaa`, one a channel |
public struct RWKV5Configuration: Sendable, Equatable {
  /// The versions, which differ in the gate, the decay and the bonus.
  public enum Version: String, Sendable, CaseIterable {
    /// No gate; one decay and one bonus for each head.
    case v5_0 = "5.0"
    /// A SiLU gate; one decay and one bonus for each head.
    case v5_1 = "5.1"
    /// A SiLU gate; one decay and one bonus for each channel.
    case v5_2 = "5.2"
  }

  /// The version.
  public var version: Version
  /// The number of blocks.
  public var layers: Int
  /// The width of the residual stream.
  public var width: Int
  /// The number of heads of the recurrence in a block.
  public var heads: Int
  /// The number of features of all heads together.
  public var attentionWidth: Int
  /// The number of hidden features of a block's channel mix.
  public var feedForwardWidth: Int
  /// The number of tokens in the vocabulary.
  public var vocabularySize: Int
  /// The epsilon of the group norm. World models divide by 8 before a group norm with epsilon 1e-5, which is equivalent
  /// to an epsilon of 64e-5.
  public var groupNormEpsilon: Float

  /// The configuration of a new model. Precondition: `width` is a multiple of `headSize`.
  public init(version: Version = .v5_2, layers: Int, width: Int, headSize: Int = 64, vocabularySize: Int) {
    precondition(width % headSize == 0 && layers > 0, "a width of \(width) in heads of \(headSize)")
    self.version = version
    self.layers = layers
    self.width = width
    heads = width / headSize
    attentionWidth = width
    feedForwardWidth = width * 7 / 2 / 32 * 32
    self.vocabularySize = vocabularySize
    // The group norm of y / 8 with 1e-5.
    groupNormEpsilon = 64e-5
  }

  /// The number of features of a head.
  public var headSize: Int { attentionWidth / heads }
  /// Numbers of one layer's state: attention shift, S of every head, feed-forward shift.
  var layerStateCount: Int { 2 * width + attentionWidth * headSize }

  /// What a loader's file says, by names and shapes of all layers.
  /// - Throws: ``FileError`` naming what is missing or does not fit.
  init(_ loader: WeightLoader, groupNormEpsilon: Float?) throws {
    let checkpoint = loader.checkpoint
    func fail(_ problem: String) -> FileError { FileError(file: checkpoint.path, problem) }
    try Self.refuseUndone(checkpoint.configuration, fail)
    let embedding = try loader.entry("emb.weight").shape
    let key = try loader.entry("blocks.0.att.key.weight").shape
    let feedForward = try loader.entry("blocks.0.ffn.key.weight").shape
    guard embedding.count == 2, key.count == 2, feedForward.count == 2, key[0] > 0, embedding[0] > 0,
      embedding[1] > 0, feedForward[0] > 0
    else {
      throw fail("its shapes (emb \(embedding), att.key \(key), ffn.key \(feedForward)) are not those of RWKV-5")
    }
    vocabularySize = embedding[0]
    width = embedding[1]
    attentionWidth = key[0]
    feedForwardWidth = feedForward[0]
    layers = try RWKV5Names.layerCount(loader.names, path: checkpoint.path)
    let shapes = try RWKV5HeadShapes(loader, layers: layers, attentionWidth: attentionWidth)
    heads = shapes.heads
    let stateCount = Double(layers) * Double(2 * width + attentionWidth * (attentionWidth / heads))
    guard stateCount < 1e9 else {
      throw fail("a state of \(layers) layers of \(heads) heads of \(attentionWidth / heads) is too large")
    }
    // A single tensor of a later version makes the others wanted: a file that lost one is not taken for an older one.
    let isGated =
      shapes.decayIsPerChannel
      || (0..<layers).contains { layer in
        ["gate.weight", "time_mix_g", "time_faaaa"].contains { loader.has("blocks.\(layer).att.\($0)") }
      }
    version = !isGated ? .v5_0 : shapes.decayIsPerChannel ? .v5_2 : .v5_1
    // rwkv.cpp itself computes with 1e-5, which is what its own small models were made for; World models
    // (65,536 tokens) need 64e-5 in any file.
    let recorded = checkpoint.metadata["rwkv5.group_norm_epsilon"]
    let recordedEpsilon = recorded?.real ?? recorded?.string.flatMap(Double.init)
    let usual: Float = checkpoint.format == .rwkvCpp && vocabularySize != 65_536 ? 1e-5 : 64e-5
    let epsilon = groupNormEpsilon ?? recordedEpsilon.map { Float($0) } ?? usual
    guard epsilon.isFinite, epsilon >= 0 else {
      throw fail(
        "a group norm epsilon of \(epsilon) is not valid; give a small number above 0, e.g. --group-norm-epsilon 64e-5")
    }
    self.groupNormEpsilon = epsilon
  }

  /// What a hub folder's config.json asks for beyond names and shapes. One of another model, which may lie beside a
  /// single file, says nothing.
  private static func refuseUndone(
    _ configuration: [String: MetadataValue], _ fail: (String) -> FileError
  ) throws {
    if let kind = configuration["model_type"]?.string, !kind.hasPrefix("rwkv") { return }
    let settings = configuration.filter { $0.value != .null }
    if let quantization = settings["quantization_config"] {
      let method = quantization.object?["quant_method"]?.string ?? "an unknown method"
      throw fail(
        "its weights are quantised by \(method) (quantization_config in config.json), which Martlet does not read; use the unquantised model"
      )
    }
    for (key, done) in [("head_size_divisor", 8.0), ("layer_norm_epsilon", 1e-5)] {
      if let value = settings[key], value.real != done {
        throw fail("config.json has \(key) = \(value.text), which Martlet does not support for RWKV-5 (only \(done))")
      }
    }
  }
}
