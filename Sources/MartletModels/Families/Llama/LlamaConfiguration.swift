import Foundation
import MartletCheckpoints
import MartletData

/// The shapes and constants of a model of the Llama family (Llama 1-3, SmolLM2, TinyLlama, Mistral, Qwen2, Qwen3).
public struct LlamaConfiguration: Sendable, Equatable {
  /// The number of blocks.
  public var layers: Int
  /// The width of the residual stream.
  public var width: Int
  /// The number of query heads of a block.
  public var heads: Int
  /// The number of key/value heads of a block, each of which serves an equal number of query heads.
  public var keyValueHeads: Int
  /// The number of features of a head, at most 256.
  public var headSize: Int
  /// The number of hidden features of a block's feed-forward part.
  public var feedForwardWidth: Int
  /// The number of tokens in the vocabulary.
  public var vocabularySize: Int
  /// The largest number of tokens of a sequence.
  public var contextLength: Int
  /// The epsilon of the RMS norms.
  public var normEpsilon: Float
  /// Whether rotary pairs are (2i, 2i + 1), as in GGUF files of the architecture `llama`, instead of (i, i + size / 2).
  public var interleaved: Bool
  /// The rotation of each pair per position, in radians.
  public var frequencies: [Double]
  /// The factor by which the cosines and sines of positions are multiplied.
  public var rotaryMagnitude = 1.0

  /// The base of the rotary frequencies before scaling.
  public var rotaryBase: Double
  /// The name of the architecture in the hub.
  public var modelType: String
  /// How the frequencies were scaled; nil: they were not.
  var rotaryScaling: RotaryScaling?
  /// Whether the frequencies are scaled in a way that `config.json` cannot express, by a table and a named method
  /// together.
  public internal(set) var hasUnnamedScaling = false
  /// Layers, by GGUF's names, whose biases the file says it has.
  var biases: Set<String> = []
  /// Whether a `config.json` can say which layers have biases: all of a kind, or none.
  var hasHubBiases: Bool {
    let attention: Set =
      modelType == "qwen2" ? ["attn_q", "attn_k", "attn_v"] : ["attn_q", "attn_k", "attn_v", "attn_output"]
    let feedForward: Set = ["ffn_gate", "ffn_up", "ffn_down"]
    return [[], attention].contains(biases.filter { $0.hasPrefix("attn_") })
      && [[], feedForward].contains(biases.filter { $0.hasPrefix("ffn_") })
  }
  /// What people should know of how the file's settings are kept, one sentence each.
  var remarks: [String] = []

  /// Architectures that are run, by the hub's names, which are GGUF's too.
  static let architectures = ["llama", "mistral", "qwen2", "qwen3"]

  /// The configuration of a new model. Precondition: `width` is a multiple of `heads`.
  public init(
    layers: Int, width: Int, heads: Int, keyValueHeads: Int? = nil, feedForwardWidth: Int? = nil, vocabularySize: Int,
    contextLength: Int
  ) {
    precondition(width % heads == 0 && width / heads % 2 == 0, "a width of \(width) in \(heads) heads")
    self.layers = layers
    self.width = width
    self.heads = heads
    self.keyValueHeads = keyValueHeads ?? heads
    headSize = width / heads
    self.feedForwardWidth = feedForwardWidth ?? (width * 8 / 3 + 31) / 32 * 32
    self.vocabularySize = vocabularySize
    self.contextLength = contextLength
    normEpsilon = 1e-5
    interleaved = false
    rotaryBase = 10_000
    modelType = "llama"
    frequencies = Self.frequencies(headSize, base: 10_000)
  }

  /// From whatever a checkpoint carries.
  init(_ checkpoint: Checkpoint) throws {
    if checkpoint.format == .gguf { try self.init(gguf: checkpoint) } else { try self.init(hub: checkpoint) }
  }

  /// Values of each head that positions rotate.
  var rotated: Int { 2 * frequencies.count }
  /// RMS norms stand over each head's queries and keys (Qwen3).
  var normalizesHeads: Bool { modelType == "qwen3" }
  static func frequencies(_ rotated: Int, base: Double) -> [Double] {
    (0..<rotated / 2).map { pow(base, -2 * Double($0) / Double(rotated)) }
  }

  /// The row of the hub's layout (pairs i and i + size / 2 of each head) that GGUF's interleaved row `row` holds.
  func hubRow(ofInterleaved row: Int) -> Int {
    let place = row % headSize
    return place < rotated ? row - place + place / 2 + (place % 2 == 0 ? 0 : rotated / 2) : row
  }

  /// The interleaved row (pairs 2i and 2i + 1) that holds row `row` of the hub's layout: the inverse of
  /// ``hubRow(ofInterleaved:)``.
  func interleavedRow(ofHub row: Int) -> Int {
    let place = row % headSize, half = rotated / 2
    return place < rotated ? row - place + (place < half ? place * 2 : (place - half) * 2 + 1) : row
  }

  /// The hub's `config.json`.
  func hubConfiguration(isTied: Bool) -> [String: Any] {
    let names = [
      "llama": "LlamaForCausalLM", "mistral": "MistralForCausalLM", "qwen2": "Qwen2ForCausalLM",
      "qwen3": "Qwen3ForCausalLM",
    ]
    // 1e-5, and not the double nearest to its single-precision value.
    let epsilon = Double("\(normEpsilon)") ?? Double(normEpsilon)
    var object: [String: Any] = [
      "model_type": modelType, "architectures": [names[modelType] ?? "LlamaForCausalLM"],
      "num_hidden_layers": layers, "hidden_size": width, "num_attention_heads": heads,
      "num_key_value_heads": keyValueHeads, "head_dim": headSize, "intermediate_size": feedForwardWidth,
      "vocab_size": vocabularySize, "max_position_embeddings": contextLength, "rms_norm_eps": epsilon,
      "hidden_act": "silu", "rope_theta": rotaryBase, "tie_word_embeddings": isTied,
    ]
    if modelType == "mistral" { object["sliding_window"] = NSNull() }
    if rotated != headSize { object["partial_rotary_factor"] = Double(rotated) / Double(headSize) }
    if let rotaryScaling { object["rope_scaling"] = rotaryScaling.hub.mapValues(\.foundation) }
    if biases.contains("attn_output") || (modelType != "qwen2" && biases.contains("attn_q")) {
      object["attention_bias"] = true
    }
    if biases.contains("ffn_down") { object["mlp_bias"] = true }
    return object
  }

  /// Works out the frequencies, and checks every size before anything is made of it.
  mutating func finish(rotated: Int, baseDivisors: [Double]? = nil, _ fail: (String) -> FileError) throws {
    guard layers > 0, layers < 10_000, width > 0, heads > 0, keyValueHeads > 0, heads % keyValueHeads == 0,
      headSize > 0, headSize <= 256, feedForwardWidth > 0, contextLength > 0
    else {
      throw fail(
        "\(layers) layers of \(heads) heads of \(headSize) over \(keyValueHeads) key/value heads are not supported (heads of at most 256)"
      )
    }
    guard rotated > 0, rotated <= headSize, rotated % 2 == 0 else {
      throw fail("a rotary size of \(rotated) does not fit heads of \(headSize)")
    }
    guard normEpsilon.isFinite, normEpsilon >= 0 else {
      throw fail("the epsilon of the norms is \(normEpsilon), not a small number above 0; the file is damaged")
    }
    guard rotaryBase.isFinite, rotaryBase > 0 else {
      throw fail("the rotary base is \(rotaryBase), not a number above 0")
    }
    frequencies = Self.frequencies(rotated, base: rotaryBase)
    if let baseDivisors { frequencies = zip(frequencies, baseDivisors).map { $0 / $1 } }
    if let rotaryScaling {
      frequencies = rotaryScaling.scaled(frequencies, base: rotaryBase, size: rotated)
      rotaryMagnitude = rotaryScaling.magnitude
      if let limit = rotaryScaling.limit(context: contextLength) {
        remarks.append(
          "its rotary scaling changes beyond \(limit) tokens, so its context is limited to this length")
        contextLength = min(contextLength, limit)
      }
    }
    guard frequencies.count == rotated / 2, frequencies.allSatisfy({ $0.isFinite && $0 >= 0 }), rotaryMagnitude.isFinite
    else { throw fail("its rotary scaling gives no usable frequencies; the file is damaged") }
  }

  /// - Throws: ``FileError`` when the tensors are those of a mixture of experts.
  static func refuseExperts(_ checkpoint: Checkpoint) throws {
    let parts = ["_exps.", "ffn_gate_inp.", "block_sparse_moe.", "mlp.experts.", "mlp.gate.weight", "shared_expert"]
    guard let name = checkpoint.names.first(where: { name in parts.contains { name.contains($0) } }) else { return }
    throw FileError(
      file: checkpoint.path,
      "it is a mixture of experts (its tensor \(name) shows it), which Martlet does not support; use a dense model")
  }

  /// Ends the context at an attention window: longer sequences would see only the window.
  mutating func end(atWindow window: Int) {
    guard window < contextLength else { return }
    remarks.append("its attention has a window of \(window) tokens, so its context is limited to this length")
    contextLength = window
  }
}
