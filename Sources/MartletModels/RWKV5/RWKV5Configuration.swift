import MartletCheckpoints

/// Shapes and version of an RWKV-5 model, told from tensor names and shapes alone.
///
/// | version | gate | decay | bonus u |
/// |---|---|---|---|
/// | 5.0 | none | one a head | `exp(time_first)`, one a head |
/// | 5.1 | silu | one a head | `time_faaaa`, one a head |
/// | 5.2 | silu | one a channel | `time_faaaa`, one a channel |
public struct RWKV5Configuration: Sendable, Equatable {
  public enum Version: String, Sendable { case v5_0 = "5.0", v5_1 = "5.1", v5_2 = "5.2" }

  public var version: Version
  public var layers: Int
  public var width: Int
  public var heads: Int
  public var attentionWidth: Int
  public var feedForwardWidth: Int
  public var vocabularySize: Int
  /// World models divide by 8 before a group norm of 1e-5, which is an epsilon of 64e-5.
  public var groupNormEpsilon: Float

  /// A model to be trained. Precondition: `width` is a multiple of `headSize`.
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

  public var headSize: Int { attentionWidth / heads }
  /// Numbers of one layer's state: attention shift, S of every head, feed-forward shift.
  var layerStateCount: Int { 2 * width + attentionWidth * headSize }

  /// File names by the names of BlinkDL's checkpoints, whichever of the four conventions the file follows; nil
  /// when this is no RWKV-5 file.
  static func canonicalNames(_ checkpoint: Checkpoint) -> [String: String]? {
    var names: [String: String] = [:]
    for name in checkpoint.names { names[canonical(name)] = name }
    return names["blocks.0.att.ln_x.weight"] != nil && names["emb.weight"] != nil ? names : nil
  }

  private static func canonical(_ name: String) -> String {
    var text = name.hasPrefix("rwkv.") ? String(name.dropFirst(5)) : name
    for (hub, original) in [
      ("embeddings.", "emb."), (".attention.", ".att."), (".feed_forward.", ".ffn."), (".pre_ln.", ".ln0."),
      ("time_mix_key", "time_mix_k"), ("time_mix_value", "time_mix_v"), ("time_mix_receptance", "time_mix_r"),
      ("time_mix_gate", "time_mix_g"),
    ] {
      text = text.replacing(hub, with: original)
    }
    return text
  }

  init(_ loader: WeightLoader, groupNormEpsilon: Float?) throws {
    let checkpoint = loader.checkpoint
    func fail(_ problem: String) -> CheckpointError { CheckpointError(file: checkpoint.path, problem) }
    if loader.has("blocks.0.att.time_maa_x") || loader.has("blocks.0.att.time_maa_k") {
      throw fail("this is an RWKV-6 model; Martlet runs RWKV-5 (5.0, 5.1, 5.2)")
    }
    let embedding = try loader.entry("emb.weight").shape
    let decay = try loader.entry("blocks.0.att.time_decay")
    let key = try loader.entry("blocks.0.att.key.weight").shape
    let feedForward = try loader.entry("blocks.0.ffn.key.weight").shape
    guard embedding.count == 2, key.count == 2, feedForward.count == 2, let heads = decay.shape.first, heads > 0,
      key[0] > 0, key[0] % heads == 0, embedding[0] > 0, embedding[1] > 0
    else {
      throw fail("its shapes (emb \(embedding), time_decay \(decay.shape), key \(key)) are not those of RWKV-5")
    }
    vocabularySize = embedding[0]
    width = embedding[1]
    attentionWidth = key[0]
    feedForwardWidth = feedForward[0]
    self.heads = heads
    var layers = 0
    while loader.has("blocks.\(layers).ln1.weight") { layers += 1 }
    guard layers > 0 else { throw fail("it has no layers (blocks.0.ln1.weight)") }
    self.layers = layers
    if !loader.has("blocks.0.att.gate.weight") {
      version = .v5_0
    } else {
      version = decay.count == heads && key[0] > heads ? .v5_1 : .v5_2
    }
    // rwkv.cpp itself computes with 1e-5, which is what its own small models were made for; World models
    // (65,536 tokens) need 64e-5 in any file.
    let recorded = checkpoint.metadata["rwkv5.group_norm_epsilon"]
    self.groupNormEpsilon =
      groupNormEpsilon ?? (recorded?.real ?? recorded?.string.flatMap(Double.init)).map { Float($0) }
      ?? (checkpoint.format == .rwkvCpp && vocabularySize != 65_536 ? 1e-5 : 64e-5)
  }
}
