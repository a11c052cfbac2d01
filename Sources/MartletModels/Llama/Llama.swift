import Foundation
import MartletCheckpoints
import MartletTensor

/// The Llama family (Touvron et al., 2023): RMS norm, rotary positions, grouped heads, a gated feed-forward.
///
///     x = emb[token]
///     x = x + Attention(RMSNorm(x)); x = x + FeedForward(RMSNorm(x))   in every layer
///     logits = head . RMSNorm(x)
public struct Llama: LanguageModel {
  struct Layer: Sendable {
    let attentionNorm, feedForwardNorm: Tensor  // [width]
    let query, key, value, output: Linear
    let gate, up, down: Linear
  }

  public let configuration: LlamaConfiguration
  public let description: ModelDescription
  private let embedding: Embedding
  private let layers: [Layer]
  private let outputNorm: Tensor
  private let head: Linear
  private let cacheLayout: KeyValueCache.Layout
  private let positions: RotaryTable

  public func forward(_ batch: Batch) -> Tensor {
    let c = configuration, spans = batch.spans
    let caches = batch.states.map { state in
      guard let state = state as? LlamaState else { preconditionFailure("a state of another model") }  // safe: ours
      return state.cache
    }
    for (span, cache) in zip(spans, caches) { cache.reserve(span.count) }
    let (cosine, sine) = positions.angles(
      zip(spans, caches).flatMap { span, cache in cache.count..<cache.count + span.count })
    var x = embedding(batch.tokens)  // [rows, width]
    for (index, layer) in layers.enumerated() {
      let a = rmsNorm(x, weight: layer.attentionNorm, epsilon: c.normEpsilon)
      let products = Linear.together([layer.query, layer.key, layer.value], a)
      let query = rotary(products[0], cosine: cosine, sine: sine, heads: c.heads, interleaved: c.interleaved)
      let key = rotary(products[1], cosine: cosine, sine: sine, heads: c.keyValueHeads, interleaved: c.interleaved)
      x =
        x
        + layer.output(
          attention(
            query: query, key: key, value: products[2], heads: c.heads, layer: index, spans: spans, caches: caches))
      let b = rmsNorm(x, weight: layer.feedForwardNorm, epsilon: c.normEpsilon)
      let gated = Linear.together([layer.gate, layer.up], b)
      x = x + layer.down(siluMultiply(gated[0], gated[1]))
    }
    for (span, cache) in zip(spans, caches) { cache.advance(span.count) }
    if let rows = batch.outputRows { x = x.gatherRows(rows) }
    return head(rmsNorm(x, weight: outputNorm, epsilon: c.normEpsilon))
  }

  public func makeState() -> any SequenceState { LlamaState(cache: KeyValueCache(layout: cacheLayout)) }

  public func restoreState(_ bytes: ArraySlice<UInt8>) throws -> any SequenceState {
    let page = cacheLayout.pageByteCount
    let (count, pages) = bytes.withUnsafeBytes { raw in
      raw.count >= 8 ? (Int(clamping: raw.loadUnaligned(as: UInt64.self).littleEndian), raw.count - 8) : (-1, 0)
    }
    guard count >= 0, count <= configuration.contextLength, pages == (count + 63) / 64 * page else {
      throw ModelError(
        "the state holds \(bytes.count) bytes, which do not fit \(count) positions of this model; it is damaged")
    }
    let cache = KeyValueCache(layout: cacheLayout)
    cache.restore(count: count) { index, target in
      let start = bytes.startIndex + 8 + index * page
      target.copyBytes(from: bytes[start..<start + page])
    }
    return LlamaState(cache: cache)
  }

  private enum Names {
    case gguf, hub

    func layer(_ index: Int, _ part: String) -> String {
      switch self {
      case .gguf: "blk.\(index).\(part)"
      case .hub: "model.layers.\(index).\(Names.hubParts[part] ?? part)"
      }
    }
    var embedding: String { self == .gguf ? "token_embd.weight" : "model.embed_tokens.weight" }
    var norm: String { self == .gguf ? "output_norm.weight" : "model.norm.weight" }
    var head: String { self == .gguf ? "output.weight" : "lm_head.weight" }

    static let hubParts = [
      "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm", "attn_q": "self_attn.q_proj",
      "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj",
      "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
    ]
  }

  /// The hub's name of a GGUF tensor.
  static func hubName(_ name: String) -> String {
    switch name {
    case "token_embd.weight": return "model.embed_tokens.weight"
    case "output_norm.weight": return "model.norm.weight"
    case "output.weight": return "lm_head.weight"
    default: break
    }
    let parts = name.split(separator: ".")
    guard parts.count == 4, parts[0] == "blk", let index = Int(parts[1]) else { return name }
    return Names.hub.layer(index, String(parts[2])) + "." + parts[3]
  }

  /// GGUF's name of a tensor of the hub: the inverse of ``hubName(_:)``.
  static func ggufName(_ name: String) -> String {
    switch name {
    case "model.embed_tokens.weight": return "token_embd.weight"
    case "model.norm.weight": return "output_norm.weight"
    case "lm_head.weight": return "output.weight"
    default: break
    }
    let parts = name.split(separator: ".")
    guard name.hasPrefix("model.layers."), parts.count >= 5, let ending = parts.last else { return name }
    let middle = parts[3..<parts.count - 1].joined(separator: ".")
    guard let part = Names.hubParts.first(where: { $0.value == middle })?.key else { return name }
    return "blk.\(parts[2]).\(part).\(ending)"
  }

  init(_ loader: WeightLoader) throws {
    let isGGUF = loader.checkpoint.format == .gguf
    let c = try isGGUF ? LlamaConfiguration(gguf: loader.checkpoint) : LlamaConfiguration(hub: loader.checkpoint)
    try loader.checkMemory()
    configuration = c
    let names: Names = isGGUF ? .gguf : .hub
    embedding = try Embedding(loader, names.embedding)
    guard embedding.width == c.width else {
      throw CheckpointError(
        file: loader.checkpoint.path,
        "its embeddings are \(embedding.width) wide where its configuration says \(c.width)")
    }
    layers = try (0..<c.layers).map { index in
      func linear(_ part: String, _ outputs: Int, _ inputs: Int) throws -> Linear {
        let name = names.layer(index, part)
        return try loader.linear("\(name).weight", outputs: outputs, inputs: inputs, bias: "\(name).bias")
      }
      func norm(_ part: String) throws -> Tensor {
        try loader.vector("\(names.layer(index, part)).weight", count: c.width)
      }
      let attentionWidth = c.heads * c.headSize, keyWidth = c.keyValueHeads * c.headSize
      return try Layer(
        attentionNorm: norm("attn_norm"), feedForwardNorm: norm("ffn_norm"),
        query: linear("attn_q", attentionWidth, c.width), key: linear("attn_k", keyWidth, c.width),
        value: linear("attn_v", keyWidth, c.width), output: linear("attn_output", c.width, attentionWidth),
        gate: linear("ffn_gate", c.feedForwardWidth, c.width), up: linear("ffn_up", c.feedForwardWidth, c.width),
        down: linear("ffn_down", c.width, c.feedForwardWidth))
    }
    outputNorm = try loader.vector(names.norm, count: c.width)
    // Without a head of its own the model uses its embeddings.
    head = try loader.linear(
      loader.has(names.head) ? names.head : names.embedding, outputs: c.vocabularySize, inputs: c.width)
    let exact = layers.first.map { $0.query.weight.format == .f32 } ?? true
    cacheLayout = KeyValueCache.Layout(layers: c.layers, heads: c.keyValueHeads, headSize: c.headSize, half: !exact)
    positions = RotaryTable(frequencies: c.frequencies)
    let weights = layers.flatMap { [$0.query, $0.key, $0.value, $0.output, $0.gate, $0.up, $0.down] } + [head]
    description = ModelDescription(
      architecture: isGGUF ? loader.checkpoint.metadata["general.architecture"]?.string ?? "llama" : "llama",
      layers: c.layers, width: c.width, heads: c.heads, feedForwardWidth: c.feedForwardWidth,
      vocabularySize: c.vocabularySize, parameterCount: loader.checkpoint.parameterCount,
      contextLength: c.contextLength, bytesPerToken: weights.reduce(0) { $0 + $1.weight.byteCount },
      fingerprint: loader.fingerprint())
  }
}

/// Cosines and sines of positions times frequencies, worked out in double precision once a position.
final class RotaryTable: @unchecked Sendable {
  private let frequencies: [Double]
  private let lock = NSLock()
  private var cosines: [Float] = []
  private var sines: [Float] = []

  init(frequencies: [Double]) { self.frequencies = frequencies }

  /// Two tensors `[positions, pairs]`.
  func angles(_ positions: [Int]) -> (cosine: Tensor, sine: Tensor) {
    let pairs = frequencies.count
    lock.lock()
    defer { lock.unlock() }
    let known = cosines.count / pairs, needed = (positions.max() ?? 0) + 1
    if known < needed {
      for position in known..<needed {
        for frequency in frequencies {
          cosines.append(Float(cos(Double(position) * frequency)))
          sines.append(Float(sin(Double(position) * frequency)))
        }
      }
    }
    func rows(_ table: [Float]) -> Tensor {
      Tensor(positions.flatMap { table[$0 * pairs..<($0 + 1) * pairs] }, shape: [positions.count, pairs])
    }
    return (rows(cosines), rows(sines))
  }
}
