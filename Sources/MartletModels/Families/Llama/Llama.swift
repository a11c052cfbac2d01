import Foundation
import MartletCheckpoints
import MartletData
import MartletLayers
import MartletTensor

/// The Llama family (Touvron et al., 2023): RMS norm, rotary positions, grouped heads, a gated feed-forward.
///
///     x = emb[token]
///     x = x + Attention(RMSNorm(x)); x = x + FeedForward(RMSNorm(x))   in every layer
///     logits = head . RMSNorm(x)
public struct Llama: LanguageModel {
  struct Layer: Parameterized, Sendable {
    var attentionNorm, feedForwardNorm: Tensor  // [width]
    var queryNorm, keyNorm: Tensor?  // [head size], over each head (Qwen3)
    var query, key, value, output: Linear
    var gate, up, down: Linear

    /// - Parameter attend: attention over rotated queries and keys.
    func callAsFunction(
      _ x: Tensor, _ c: LlamaConfiguration, cosine: Tensor, sine: Tensor,
      attend: (_ query: Tensor, _ key: Tensor, _ value: Tensor) -> Tensor
    ) -> Tensor {
      let a = rmsNorm(x, weight: attentionNorm, epsilon: Double(c.normEpsilon))
      let products = Linear.together([query, key, value], a)
      func turned(_ x: Tensor, _ norm: Tensor?, heads: Int) -> Tensor {
        var x = x
        if let norm {
          let parts = x.reshaped([x.rows * heads, c.headSize])
          x = rmsNorm(parts, weight: norm, epsilon: Double(c.normEpsilon)).reshaped(x.shape)
        }
        return rotary(x, cosine: cosine, sine: sine, heads: heads, interleaved: c.interleaved)
      }
      let query = turned(products[0], queryNorm, heads: c.heads)
      let key = turned(products[1], keyNorm, heads: c.keyValueHeads)
      let y = x + output(attend(query, key, products[2]))
      let b = rmsNorm(y, weight: feedForwardNorm, epsilon: Double(c.normEpsilon))
      let gated = Linear.together([gate, up], b)
      return y + down(siluMultiply(gated[0], gated[1]))
    }

    mutating func visitParameters(_ body: (_ name: String, _ parameter: inout Tensor) -> Void) {
      visitNorms({ $0 }, body)
      visitLinears({ $0 }) { $1.visitParameters($0, body) }
    }

    mutating func visitNorms(_ names: (String) -> String, _ body: (String, inout Tensor) -> Void) {
      body(names("attn_norm") + ".weight", &attentionNorm)
      body(names("ffn_norm") + ".weight", &feedForwardNorm)
      if var norm = queryNorm {
        body(names("attn_q_norm") + ".weight", &norm)
        queryNorm = norm
      }
      if var norm = keyNorm {
        body(names("attn_k_norm") + ".weight", &norm)
        keyNorm = norm
      }
    }

    mutating func visitLinears(_ names: (String) -> String, _ body: (String, inout Linear) -> Void) {
      body(names("attn_q"), &query)
      body(names("attn_k"), &key)
      body(names("attn_v"), &value)
      body(names("attn_output"), &output)
      body(names("ffn_gate"), &gate)
      body(names("ffn_up"), &up)
      body(names("ffn_down"), &down)
    }
  }

  /// The shape and the settings.
  public let configuration: LlamaConfiguration
  public private(set) var description: ModelDescription
  var embedding: Embedding
  var layers: [Layer]
  var outputNorm: Tensor
  /// nil: the embedding table serves as head, and is trained as both.
  private var head: Linear?
  public let isTied: Bool
  /// The bias of the head, `[vocabulary]`, where the file has one.
  var headBias: Tensor? { head?.bias }
  let cacheLayout: KeyValueCache.Layout
  let positions: RotaryTable

  public func hidden(_ batch: Batch) -> Tensor {
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
      x = layer(x, c, cosine: cosine, sine: sine) { query, key, value in
        attention(query: query, key: key, value: value, heads: c.heads, layer: index, spans: spans, caches: caches)
      }
    }
    for (span, cache) in zip(spans, caches) { cache.advance(span.count) }
    if let rows = batch.outputRows { x = x.gatherRows(rows) }
    return rmsNorm(x, weight: outputNorm, epsilon: Double(c.normEpsilon))
  }

  public func project(_ x: Tensor) -> Tensor {
    if let head { return head(x) }
    guard case .table(let table) = embedding else { preconditionFailure("a model without a head") }  // safe: init
    return matmul(x, table.transposed(), precision: layers[0].query.precision)
  }

  public func makeState() -> any SequenceState { LlamaState(cache: KeyValueCache(layout: cacheLayout)) }

  public func restoreState(_ bytes: ArraySlice<UInt8>) throws -> any SequenceState {
    let page = cacheLayout.pageByteCount
    let (count, pages) = bytes.withUnsafeBytes { raw in
      raw.count >= 8 ? (Int(clamping: raw.loadUnaligned(as: UInt64.self).littleEndian), raw.count - 8) : (-1, 0)
    }
    guard count >= 0, count <= configuration.contextLength, pages == (count + 63) / 64 * page else {
      throw ModelError(
        "the state has \(bytes.count) bytes, which do not fit \(count) positions of this model; it is damaged")
    }
    let cache = KeyValueCache(layout: cacheLayout)
    cache.restore(count: count, from: bytes.dropFirst(8))
    return LlamaState(cache: cache)
  }

  init(_ loader: WeightLoader) throws {
    let isGGUF = loader.checkpoint.format == .gguf
    let c = try LlamaConfiguration(loader.checkpoint)
    try loader.checkMemory()
    configuration = c
    let names: Names = isGGUF ? .gguf : .hub
    embedding = try Embedding(loader, names.embedding)
    guard embedding.width == c.width else {
      throw FileError(
        file: loader.checkpoint.path,
        "its embeddings have width \(embedding.width), but its configuration says \(c.width)")
    }
    layers = try (0..<c.layers).map { index in
      func linear(_ part: String, _ outputs: Int, _ inputs: Int) throws -> Linear {
        let name = names.layer(index, part)
        if c.biases.contains(part) { _ = try loader.entry("\(name).bias") }
        return try loader.linear("\(name).weight", outputs: outputs, inputs: inputs, bias: "\(name).bias")
      }
      func norm(_ part: String, _ count: Int) throws -> Tensor {
        try loader.vector("\(names.layer(index, part)).weight", count: count)
      }
      let attentionWidth = c.heads * c.headSize, keyWidth = c.keyValueHeads * c.headSize
      return try Layer(
        attentionNorm: norm("attn_norm", c.width), feedForwardNorm: norm("ffn_norm", c.width),
        queryNorm: c.normalizesHeads ? norm("attn_q_norm", c.headSize) : nil,
        keyNorm: c.normalizesHeads ? norm("attn_k_norm", c.headSize) : nil,
        query: linear("attn_q", attentionWidth, c.width), key: linear("attn_k", keyWidth, c.width),
        value: linear("attn_v", keyWidth, c.width), output: linear("attn_output", c.width, attentionWidth),
        gate: linear("ffn_gate", c.feedForwardWidth, c.width), up: linear("ffn_up", c.feedForwardWidth, c.width),
        down: linear("ffn_down", c.width, c.feedForwardWidth))
    }
    outputNorm = try loader.vector(names.norm, count: c.width)
    // Without a head of its own the model uses its embeddings.
    isTied = !loader.has(names.head)
    guard isGGUF || !isTied || loader.checkpoint.configuration["tie_word_embeddings"]?.bool == true else {
      throw FileError(
        file: loader.checkpoint.path,
        "it has no output head (\(names.head)), and its config.json does not have tie_word_embeddings: true; fetch the missing part, or set that if the head shares the embeddings"
      )
    }
    head =
      isTied && loader.isTrainable
      ? nil
      : try loader.linear(
        isTied ? names.embedding : names.head, outputs: c.vocabularySize, inputs: c.width, bias: names.headBias)
    loader.markUsed { name in
      if case .divisors = c.rotaryScaling, name.hasPrefix("rope_factors_") { return true }
      return name == "rope_freqs.weight"
    }
    try loader.checkEveryTensorIsUsed(harmless: Names.isBuffer)
    // The format that the weights are packed in, asked of the file: an inspection keeps no weights.
    let query = try loader.entry(names.layer(0, "attn_q") + ".weight")
    let exact = loader.isTrainable || (loader.format ?? query.type.nativeFormat) == .f32
    cacheLayout = KeyValueCache.Layout(layers: c.layers, heads: c.keyValueHeads, headSize: c.headSize, half: !exact)
    positions = RotaryTable(frequencies: c.frequencies, magnitude: c.rotaryMagnitude)
    let weights =
      layers.flatMap { [$0.query, $0.key, $0.value, $0.output, $0.gate, $0.up, $0.down] }
      + (head.map { [$0] } ?? [])
    description = ModelDescription(
      architecture: isGGUF ? loader.checkpoint.metadata["general.architecture"]?.string ?? "llama" : "llama",
      layers: c.layers, width: c.width, heads: c.heads, feedForwardWidth: c.feedForwardWidth,
      vocabularySize: c.vocabularySize, parameterCount: loader.checkpoint.parameterCount,
      contextLength: c.contextLength, bytesPerToken: weights.reduce(0) { $0 + $1.weight.byteCount },
      fingerprint: loader.fingerprint(), remarks: c.remarks + loader.remarks, defaults: LlamaFamily().defaults)
  }
}

extension Llama: TrainableModel {
  /// A new model for training: normally distributed weights with standard deviation 0.02, divided by `sqrt(2 layers)`
  /// for those that write to the residual stream (GPT-2, Radford et al., 2019).
  public init(_ c: LlamaConfiguration, random: RandomSource) {
    configuration = c
    func linear(_ name: String, _ outputs: Int, _ inputs: Int, deviation: Double = 0.02) -> Linear {
      Linear(weight: .dense(normal([outputs, inputs], deviation: deviation, random: random.stream(name))))
    }
    let residual = 0.02 / Double(2 * c.layers).squareRoot()
    let keyWidth = c.keyValueHeads * c.headSize, width = c.heads * c.headSize
    embedding = .table(
      normal([c.vocabularySize, c.width], deviation: 0.02, random: random.stream(Names.hub.embedding)))
    layers = (0..<c.layers).map { index in
      func name(_ part: String) -> String { Names.hub.layer(index, part) }
      return Layer(
        attentionNorm: .ones([c.width]), feedForwardNorm: .ones([c.width]),
        query: linear(name("attn_q"), width, c.width), key: linear(name("attn_k"), keyWidth, c.width),
        value: linear(name("attn_v"), keyWidth, c.width),
        output: linear(name("attn_output"), c.width, width, deviation: residual),
        gate: linear(name("ffn_gate"), c.feedForwardWidth, c.width),
        up: linear(name("ffn_up"), c.feedForwardWidth, c.width),
        down: linear(name("ffn_down"), c.width, c.feedForwardWidth, deviation: residual))
    }
    outputNorm = .ones([c.width])
    head = linear(Names.hub.head, c.vocabularySize, c.width)
    isTied = false
    cacheLayout = KeyValueCache.Layout(layers: c.layers, heads: c.keyValueHeads, headSize: c.headSize, half: false)
    positions = RotaryTable(frequencies: c.frequencies, magnitude: c.rotaryMagnitude)
    description = ModelDescription(
      architecture: "llama", layers: c.layers, width: c.width, heads: c.heads, feedForwardWidth: c.feedForwardWidth,
      vocabularySize: c.vocabularySize, parameterCount: 0, contextLength: c.contextLength, bytesPerToken: 0,
      fingerprint: "", defaults: LlamaFamily().defaults)
    description.parameterCount = parameterCount
    description.bytesPerToken = parameterCount * 4
  }

  public func logits(_ tokens: [Int], spans: [Range<Int>], rows: [Int]?, checkpointing: Bool) -> Tensor {
    let c = configuration
    let (cosine, sine) = positions.angles(spans.flatMap { 0..<$0.count })
    var x = embedding(tokens)
    let run: @Sendable (Layer, Tensor) -> Tensor = { layer, x in
      layer(x, c, cosine: cosine, sine: sine) { query, key, value in
        attention(
          query: query, key: key, value: value, heads: c.heads, keyValueHeads: c.keyValueHeads, spans: spans)
      }
    }
    for layer in layers {
      x = checkpointing ? checkpointed(x, through: layer, run) : run(layer, x)
    }
    if let rows { x = x.gatherRows(rows) }
    return project(rmsNorm(x, weight: outputNorm, epsilon: Double(c.normEpsilon)))
  }

  public mutating func visitLinears(_ body: (String, inout Linear) -> Void) {
    for index in layers.indices {
      layers[index].visitLinears({ Names.hub.layer(index, $0) }, body)
    }
    if var linear = head {
      body("lm_head", &linear)
      head = linear
    }
  }

  public mutating func visitParameters(_ body: (String, inout Tensor) -> Void) {
    embedding.visit(Names.hub.embedding, body)
    for index in layers.indices { layers[index].visitNorms({ Names.hub.layer(index, $0) }, body) }
    body(Names.hub.norm, &outputNorm)
    visitLinears { name, linear in linear.visitParameters(name, body) }
  }

  public var embeddingName: String { "model.embed_tokens" }
  public var embeddingTable: Tensor {
    get { embedding.values }
    set { embedding = .table(newValue) }
  }

  public mutating func noteAdapter(digest: String) { description.addAdapter(digest: digest) }

  /// From pairs (2i, 2i + 1) back to (i, i + size / 2).
  public func hubRow(_ layer: String, _ row: Int) -> Int {
    guard configuration.interleaved, Names.isRotated(hub: layer) else { return row }
    return configuration.interleavedRow(ofHub: row)
  }

  /// The `config.json` of this model.
  public var hubConfiguration: [String: Any]? { configuration.hubConfiguration(isTied: head == nil) }

  public var exportProblem: String? {
    configuration.hasUnnamedScaling
      ? "its rotary scaling cannot be written outside GGUF"
      : configuration.hasHubBiases ? nil : "config.json cannot say which of its layers have biases"
  }
}
