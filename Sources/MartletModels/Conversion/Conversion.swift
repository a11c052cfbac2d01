import Foundation
import MartletCheckpoints
import MartletTensor
import MartletTokenizers

/// Writes a model in another container and weight format, with what belongs beside it (``HubFiles``).
public struct Conversion {
  /// The kinds of files that are written.
  public enum Container: String, Sendable, CaseIterable {
    case gguf, safetensors
    /// PyTorch's.
    case pth
  }

  /// A tensor to write.
  struct Item {
    let name: String
    let source: CheckpointTensor
    var type: FileType
    /// Its name among the model's parameters: BlinkDL's (RWKV) or the hub's (Llama).
    var canonical: String
    /// Rows in another order, for rotary pairs: row `order(i)` of the source becomes row i.
    var order: ((Int) -> Int)?
    /// Applied to every value.
    var map: ((Float) -> Float)?
    /// Whether the last two axes, which are equal, are exchanged.
    var isExchanged = false
  }

  let checkpoint: Checkpoint
  let container: Container
  /// What becomes of tensors while they are written, by canonical name.
  var changes: [String: WeightChange] = [:]
  var items: [Item] = []
  private(set) var metadata: [(String, MetadataValue)] = []
  /// Vectors that the container has as tensors of f32 and the source says in its configuration.
  private(set) var tables: [(name: String, values: [Float])] = []
  /// Whether the head was the embeddings and becomes a matrix of its own.
  public internal(set) var isUntied = false
  /// Whether the source is one of the Llama family.
  private(set) var isLlama = false

  /// - Parameters:
  ///   - format: for all matrices; nil keeps each tensor's type where the container has it.
  ///     A file that is mostly in this block format already keeps its types, as in loading.
  public init(_ checkpoint: Checkpoint, to container: Container, format: WeightFormat?) throws {
    let format = checkpoint.isMostly(format) ? nil : format
    self.checkpoint = checkpoint
    self.container = container
    if container != .gguf, let format, ![.f32, .f16, .bf16].contains(format) {
      throw ModelError(
        "\(container.rawValue) has no type for \(format.rawValue); write .gguf, or choose f32, f16 or bf16")
    }
    try checkpoint.refuseParts()
    switch try ModelLoading.family(of: checkpoint) {
    case .rwkv5(let names): try planRWKV(names, format)
    case .llama:
      isLlama = true
      if checkpoint.format == .gguf {
        try planGGUF(format)
      } else {
        // What cannot be loaded must not be written either.
        _ = try LlamaConfiguration(hub: checkpoint)
        if container == .gguf {
          try planHub(format)
        } else {
          items = checkpoint.names.compactMap { checkpoint[$0] }.map {
            Item(name: $0.name, source: $0, type: type(for: $0, format), canonical: $0.name)
          }
        }
      }
    }
  }

  /// Type that a tensor is written in: small ones stay exact.
  func type(for tensor: CheckpointTensor, _ format: WeightFormat?) -> FileType {
    guard tensor.type.isReal else { return tensor.type }
    let plain: FileType = [.f32, .f16, .bf16].contains(tensor.type) ? tensor.type : .f32
    guard tensor.shape.count == 2, tensor.shape.allSatisfy({ $0 >= 32 }), tensor.name.hasSuffix("weight") else {
      return plain
    }
    let wanted = format.flatMap { FileType(rawValue: $0.fileType) }
    let type = wanted ?? (container == .gguf ? tensor.type : plain)
    return tensor.shape[1] % type.blockValues == 0 ? type : .f32
  }

  private mutating func planRWKV(_ names: [String: String], _ format: WeightFormat?) throws {
    let c = try RWKV5Configuration(WeightLoader(checkpoint, names: names, format: nil), groupNormEpsilon: nil)
    let isCpp = checkpoint.format == .rwkvCpp
    let isRenamed = checkpoint.format == .safetensors && c.version != .v5_0
    for (canonical, name) in names.sorted(by: { $0.key < $1.key }) {
      let source = try checkpoint.tensor(name)
      var target = canonical
      var map: ((Float) -> Float)?
      if isCpp, canonical.hasSuffix("time_decay") { map = { Float(log(-log(Double($0)))) } }
      if canonical.hasSuffix("time_first"), isCpp || isRenamed {
        // u itself: say so by name
        target = canonical.replacing("time_first", with: "time_faaaa")
      }
      var item = Item(
        name: target, source: source, type: type(for: source, format), canonical: canonical, map: map)
      if canonical == "emb.weight", [.f16, .bf16].contains(source.type), [.f32, .f16, .bf16, nil].contains(format) {
        // The folded LN0 is rounded to the table's own type, so another one would change every logit; rwkv.cpp's
        // tables are not rounded.
        item.type = isCpp ? .f32 : source.type
      }
      item.isExchanged =
        canonical.hasSuffix("att.time_state") && RWKV5StartState.isKeyFirst(checkpoint, names, isWholeModel: true)
      items.append(item)
    }
    metadata = [
      ("general.architecture", .string("rwkv5")), ("rwkv5.version", .string(c.version.rawValue)),
      ("rwkv5.group_norm_epsilon", .real(Double(c.groupNormEpsilon))),
    ]
    if container == .gguf {
      metadata += try TokenizerLoading.metadataForGGUF(beside: checkpoint.path, vocabularySize: c.vocabularySize)
    }
  }

  private mutating func planGGUF(_ format: WeightFormat?) throws {
    let tensors = checkpoint.names.compactMap { checkpoint[$0] }
    if container == .gguf {
      items = tensors.map {
        Item(name: $0.name, source: $0, type: type(for: $0, format), canonical: Llama.hubName($0.name))
      }
      metadata = checkpoint.metadata.filter { $0.key != "general.alignment" && $0.key != "general.file_type" }
        .sorted { $0.key < $1.key }
      return
    }
    let c = try LlamaConfiguration(gguf: checkpoint)
    guard !c.hasUnnamedScaling else {
      throw ModelError(
        "\(checkpoint.path): its rotary scaling, a table and a named kind, cannot be written outside GGUF")
    }
    for tensor in tensors where !Llama.isRotaryTable(tensor.name) {
      let name = Llama.hubName(tensor.name)
      var item = Item(name: name, source: tensor, type: type(for: tensor, format), canonical: name)
      if c.interleaved, Self.isRotated(tensor.name) { item.order = c.interleavedRow(ofHub:) }
      items.append(item)
    }
  }

  /// Whether a tensor, by GGUF's name, holds rows in an order of rotary pairs.
  static func isRotated(_ name: String) -> Bool { name.contains(".attn_q.") || name.contains(".attn_k.") }

  /// From the hub's layout to GGUF's: llama.cpp's names, rotary pairs side by side, the tokenizer inside.
  private mutating func planHub(_ format: WeightFormat?) throws {
    let c = try LlamaConfiguration(hub: checkpoint)
    let architecture = c.modelType == "mistral" ? "llama" : c.modelType
    for tensor in checkpoint.names.compactMap({ checkpoint[$0] }) where !Llama.isBuffer(tensor.name) {
      var item = Item(
        name: Llama.ggufName(tensor.name), source: tensor, type: type(for: tensor, format), canonical: tensor.name)
      if architecture == "llama", Self.isRotated(item.name) { item.order = c.hubRow(ofInterleaved:) }
      items.append(item)
    }
    metadata = [
      ("general.architecture", .string(architecture)), ("\(architecture).block_count", .integer(c.layers)),
      ("\(architecture).context_length", .integer(c.contextLength)),
      ("\(architecture).embedding_length", .integer(c.width)),
      ("\(architecture).feed_forward_length", .integer(c.feedForwardWidth)),
      ("\(architecture).attention.head_count", .integer(c.heads)),
      ("\(architecture).attention.head_count_kv", .integer(c.keyValueHeads)),
      ("\(architecture).attention.key_length", .integer(c.headSize)),
      ("\(architecture).attention.value_length", .integer(c.headSize)),
      ("\(architecture).attention.layer_norm_rms_epsilon", .real(Double(c.normEpsilon))),
      ("\(architecture).rope.dimension_count", .integer(c.rotated)),
      ("\(architecture).rope.freq_base", .real(c.rotaryBase)),
      ("\(architecture).vocab_size", .integer(c.vocabularySize)),
    ]
    func scaling(_ key: String, _ value: MetadataValue) {
      metadata.append(("\(architecture).rope.scaling.\(key)", value))
    }
    switch c.rotaryScaling {
    case nil: break
    case .linear(let factor):
      scaling("type", .string("linear"))
      scaling("factor", .real(factor))
    case .yarn(let yarn) where yarn.isTruncated:
      scaling("type", .string("yarn"))
      scaling("factor", .real(yarn.factor))
      scaling("original_context_length", .integer(Int(yarn.original)))
      scaling("yarn_beta_fast", .real(yarn.fast))
      scaling("yarn_beta_slow", .real(yarn.slow))
      scaling("attn_factor", .real(yarn.magnitude / RotaryScaling.YaRN.magnitude(yarn.factor)))
    case .yarn:
      throw ModelError(
        "\(checkpoint.path): its YaRN with truncate false cannot be written as GGUF; write .safetensors")
    // Nothing is scaled within the window, which is all that is used.
    case .dynamic: break
    case .llama3:
      let unscaled = LlamaConfiguration.frequencies(c.rotated, base: c.rotaryBase)
      tables.append(("rope_freqs.weight", zip(unscaled, c.frequencies).map { Float($0 / $1) }))
    case .divisors(let short, let long, let magnitude, _) where short == long && magnitude == 1:
      tables.append(("rope_freqs.weight", short.map(Float.init)))
    case .divisors(let short, let long, let magnitude, let original):
      scaling("type", .string("longrope"))
      scaling("original_context_length", .integer(original))
      scaling("attn_factor", .real(magnitude))
      tables.append(("rope_factors_long.weight", long.map(Float.init)))
      tables.append(("rope_factors_short.weight", short.map(Float.init)))
    }
    let tokenizer = try TokenizerLoading.metadataForGGUF(
      beside: checkpoint.path, vocabularySize: c.vocabularySize)
    // llama.cpp wants to be told that there is none.
    metadata += tokenizer.isEmpty ? [("tokenizer.ggml.model", .string("none"))] : tokenizer
    if let template = ChatFormat.template(of: checkpoint), !tokenizer.isEmpty {
      metadata.append(("tokenizer.chat_template", .string(template)))
    }
  }

  /// Bytes of all tensors as they will be written.
  public var byteCount: Int {
    items.reduce(4 * tables.reduce(0) { $0 + $1.values.count }) {
      $0 + $1.source.count / $1.type.blockValues * $1.type.blockByteCount
    }
  }
}
