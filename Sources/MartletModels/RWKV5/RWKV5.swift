import Foundation
import MartletCheckpoints
import MartletTensor

/// RWKV-5 ("Eagle"; World v1 and v2), versions 5.0, 5.1 and 5.2.
///
///     x = LN0(emb[token])
///     x = x + TimeMix(LN1(x)); x = x + ChannelMix(LN2(x))   in every layer
///     logits = head . LN_out(x)
public struct RWKV5: LanguageModel {
  struct Norm: Sendable {
    let weight, bias: Tensor  // [C]
    func callAsFunction(_ x: Tensor) -> Tensor { layerNorm(x, weight: weight, bias: bias, epsilon: 1e-5) }
  }

  struct Layer: Sendable {
    let attentionNorm, feedForwardNorm: Norm
    let timeMix: RWKV5TimeMix
    let channelMix: RWKV5ChannelMix
  }

  public let configuration: RWKV5Configuration
  public let description: ModelDescription
  private let embedding: Embedding
  private let embeddingNorm: Norm
  /// BlinkDL's code folds LN0 into the embedding table at load, in the table's own type; so the sum of the
  /// published arithmetic starts from values rounded to that type. nil where the table is exact, or rwkv.cpp's.
  private let embeddingType: DType?
  private let layers: [Layer]
  private let outputNorm: Norm
  private let head: Linear
  /// A tuned start state, where the file carries one (`time_state`).
  private let initial: [Float]?

  public func forward(_ batch: Batch) -> Tensor {
    let spans = batch.spans
    let states = batch.states.map { state in
      guard let state = state as? RWKV5State else { preconditionFailure("a state of another model") }  // safe: ours
      return state
    }
    var x = embeddingNorm(embedding(batch.tokens))
    if let embeddingType { x = x.rounded(to: embeddingType) }
    for (index, layer) in layers.enumerated() {
      x = x + layer.timeMix(layer.attentionNorm(x), spans: spans, states: states, layer: index)
      x = x + layer.channelMix(layer.feedForwardNorm(x), spans: spans, states: states, layer: index)
    }
    for (span, state) in zip(spans, states) { state.position += span.count }
    if let rows = batch.outputRows { x = x.gatherRows(rows) }
    return head(outputNorm(x))
  }

  public func makeState() -> any SequenceState {
    let count = configuration.layers * configuration.layerStateCount
    return RWKV5State(
      memory: initial.map { RecurrentState($0) } ?? RecurrentState(count: count), configuration: configuration)
  }

  public func restoreState(_ bytes: ArraySlice<UInt8>) throws -> any SequenceState {
    let count = configuration.layers * configuration.layerStateCount
    guard bytes.count == 8 + count * 4 else {
      throw ModelError("the state holds \(bytes.count) bytes where this model has \(8 + count * 4); it is damaged")
    }
    let (position, values) = bytes.withUnsafeBytes { raw in
      (
        raw.loadUnaligned(as: UInt64.self).littleEndian,
        (0..<count).map { raw.loadUnaligned(fromByteOffset: 8 + 4 * $0, as: Float.self) }
      )
    }
    return RWKV5State(
      memory: RecurrentState(values), configuration: configuration, position: Int(clamping: position))
  }

  /// Loads from any of the four naming conventions.
  init(_ loader: WeightLoader, groupNormEpsilon: Float?) throws {
    let c = try RWKV5Configuration(loader, groupNormEpsilon: groupNormEpsilon)
    try loader.checkMemory()
    configuration = c
    func norm(_ name: String) throws -> Norm {
      try Norm(
        weight: loader.vector("\(name).weight", count: c.width), bias: loader.vector("\(name).bias", count: c.width))
    }
    embedding = try Embedding(loader, "emb.weight")
    embeddingNorm = try norm("blocks.0.ln0")
    embeddingType =
      switch try loader.entry("emb.weight").type {
      case .bf16 where loader.checkpoint.format != .rwkvCpp: .bfloat16
      case .f16 where loader.checkpoint.format != .rwkvCpp: .float16
      default: nil
      }
    layers = try (0..<c.layers).map { index in
      try Layer(
        attentionNorm: norm("blocks.\(index).ln1"), feedForwardNorm: norm("blocks.\(index).ln2"),
        timeMix: Self.timeMix(loader, c, "blocks.\(index).att."),
        channelMix: Self.channelMix(loader, c, "blocks.\(index).ffn."))
    }
    outputNorm = try norm("ln_out")
    head = try loader.linear("head.weight", outputs: c.vocabularySize, inputs: c.width)
    initial = try Self.initialState(loader, c)
    let weights =
      layers.flatMap {
        [$0.timeMix.receptance, $0.timeMix.key, $0.timeMix.value, $0.timeMix.output]
          + ($0.timeMix.gate.map { [$0] } ?? [])
          + [$0.channelMix.key, $0.channelMix.receptance, $0.channelMix.value]
      } + [head]
    description = ModelDescription(
      architecture: "RWKV-\(c.version.rawValue)", layers: c.layers, width: c.width, heads: c.heads,
      feedForwardWidth: c.feedForwardWidth, vocabularySize: c.vocabularySize,
      parameterCount: loader.checkpoint.parameterCount, contextLength: nil,
      bytesPerToken: weights.reduce(0) { $0 + $1.weight.byteCount }, fingerprint: loader.fingerprint())
  }

  private static func timeMix(_ loader: WeightLoader, _ c: RWKV5Configuration, _ prefix: String) throws -> RWKV5TimeMix
  {
    func mix(_ letter: String) throws -> Tensor { try loader.vector("\(prefix)time_mix_\(letter)", count: c.width) }
    func matrix(_ name: String) throws -> Linear {
      try loader.linear("\(prefix)\(name).weight", outputs: c.attentionWidth, inputs: c.width)
    }
    let gated = c.version != .v5_0
    return try RWKV5TimeMix(
      receptanceMix: mix("r"), keyMix: mix("k"), valueMix: mix("v"), gateMix: gated ? mix("g") : nil,
      receptance: matrix("receptance"), key: matrix("key"), value: matrix("value"),
      output: loader.linear("\(prefix)output.weight", outputs: c.width, inputs: c.attentionWidth),
      gate: gated ? matrix("gate") : nil, decay: decay(loader, c, prefix), bonus: bonus(loader, c, prefix),
      normWeight: loader.vector("\(prefix)ln_x.weight", count: c.attentionWidth),
      normBias: loader.vector("\(prefix)ln_x.bias", count: c.attentionWidth), heads: c.heads,
      epsilon: c.groupNormEpsilon)
  }

  private static func channelMix(_ loader: WeightLoader, _ c: RWKV5Configuration, _ prefix: String) throws
    -> RWKV5ChannelMix
  {
    try RWKV5ChannelMix(
      keyMix: loader.vector("\(prefix)time_mix_k", count: c.width),
      receptanceMix: loader.vector("\(prefix)time_mix_r", count: c.width),
      key: loader.linear("\(prefix)key.weight", outputs: c.feedForwardWidth, inputs: c.width),
      receptance: loader.linear("\(prefix)receptance.weight", outputs: c.width, inputs: c.width),
      value: loader.linear("\(prefix)value.weight", outputs: c.width, inputs: c.feedForwardWidth))
  }

  /// One value a head becomes one a channel.
  private static func perChannel(_ values: [Float], _ c: RWKV5Configuration, _ tensor: CheckpointTensor) throws
    -> Tensor
  {
    if values.count == c.attentionWidth { return Tensor(values) }
    guard values.count == c.heads else {
      throw CheckpointError(
        file: tensor.path, "tensor \(tensor.name) has shape \(tensor.shape), neither one value a head nor one a channel"
      )
    }
    return Tensor(values.flatMap { [Float](repeating: $0, count: c.headSize) })
  }

  private static func decay(_ loader: WeightLoader, _ c: RWKV5Configuration, _ prefix: String) throws -> Tensor {
    let entry = try loader.entry("\(prefix)time_decay")
    var values = try entry.floats()
    // rwkv.cpp files hold w itself.
    if loader.checkpoint.format != .rwkvCpp { values = values.map { Float(exp(-exp(Double($0)))) } }
    return try perChannel(values, c, entry)
  }

  /// `time_faaaa` is u itself. `time_first` means exp(u) in a .pth, but u itself in an .st with a gate (the
  /// converter of web-rwkv only renames) and in rwkv.cpp files.
  private static func bonus(_ loader: WeightLoader, _ c: RWKV5Configuration, _ prefix: String) throws -> Tensor {
    if loader.has("\(prefix)time_faaaa") {
      let entry = try loader.entry("\(prefix)time_faaaa")
      return try perChannel(try entry.floats(), c, entry)
    }
    let entry = try loader.entry("\(prefix)time_first")
    let raw =
      loader.checkpoint.format == .rwkvCpp || (loader.checkpoint.format == .safetensors && c.version != .v5_0)
    return try perChannel(try entry.floats().map { raw ? $0 : exp($0) }, c, entry)
  }

  /// A tuned state is stored with keys and values exchanged.
  private static func initialState(_ loader: WeightLoader, _ c: RWKV5Configuration) throws -> [Float]? {
    guard loader.has("blocks.0.att.time_state") else { return nil }
    var state = [Float](repeating: 0, count: c.layers * c.layerStateCount)
    let size = c.headSize
    for layer in 0..<c.layers {
      let values = try loader.vector("blocks.\(layer).att.time_state", count: c.attentionWidth * size).values
      let start = layer * c.layerStateCount + c.width
      for head in 0..<c.heads {
        for key in 0..<size {
          for value in 0..<size {
            state[start + (head * size + key) * size + value] = values[(head * size + value) * size + key]
          }
        }
      }
    }
    return state
  }
}
