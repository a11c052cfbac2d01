import Foundation
import MartletCheckpoints
import MartletData
import MartletLayers
import MartletTensor

/// RWKV-5 ("Eagle"; World v1 and v2), versions 5.0, 5.1 and 5.2.
///
///     x = LN0(emb[token])
///     x = x + TimeMix(LN1(x)); x = x + ChannelMix(LN2(x))   in every layer
///     logits = head . LN_out(x)
public struct RWKV5: LanguageModel {
  struct Norm: Parameterized, Sendable {
    var weight, bias: Tensor  // [C]
    func callAsFunction(_ x: Tensor) -> Tensor { layerNorm(x, weight: weight, bias: bias, epsilon: 1e-5) }

    mutating func visitParameters(_ body: (_ name: String, _ parameter: inout Tensor) -> Void) {
      body("weight", &weight)
      body("bias", &bias)
    }
  }

  struct Layer: Parameterized, Sendable {
    var attentionNorm, feedForwardNorm: Norm
    var timeMix: RWKV5TimeMix
    var channelMix: RWKV5ChannelMix

    mutating func visitParameters(_ body: (_ name: String, _ parameter: inout Tensor) -> Void) {
      visitVectors("", body)
      visitLinears("") { $1.visitParameters($0, body) }
    }

    /// Every parameter beside the linear layers.
    mutating func visitVectors(_ prefix: String, _ body: (String, inout Tensor) -> Void) {
      attentionNorm.visitParameters(prefix + "ln1", body)
      feedForwardNorm.visitParameters(prefix + "ln2", body)
      timeMix.visitVectors(prefix + "att.", body)
      channelMix.visitVectors(prefix + "ffn.", body)
    }

    func callAsFunction(_ x: Tensor, spans: [Range<Int>], past: RWKV5Past, layer: Int) -> Tensor {
      let y = x + timeMix(attentionNorm(x), spans: spans, past: past, layer: layer)
      return y + channelMix(feedForwardNorm(y), spans: spans, past: past, layer: layer)
    }
  }

  /// The shape and the settings.
  public let configuration: RWKV5Configuration
  public private(set) var description: ModelDescription
  var embedding: Embedding
  var embeddingNorm: Norm
  /// BlinkDL's code folds LN0 into the embedding table at load, in the table's own type; so the sum of the
  /// published arithmetic starts from values rounded to that type. nil where the table is exact, or rwkv.cpp's.
  let embeddingType: DType?
  var layers: [Layer]
  var outputNorm: Norm
  var head: Linear
  /// All numbers of the state that texts begin with, where the layers have start states (`time_state`).
  private var initial: [Float]?

  public func project(_ hidden: Tensor) -> Tensor { head(hidden) }

  public func hidden(_ batch: Batch) -> Tensor {
    let spans = batch.spans
    let states = batch.states.map { state in
      guard let state = state as? RWKV5State else { preconditionFailure("a state of another model") }  // safe: ours
      return state
    }
    var x = embedded(batch.tokens)
    for (index, layer) in layers.enumerated() {
      x = layer(x, spans: spans, past: .carried(states), layer: index)
    }
    for (span, state) in zip(spans, states) { state.position += span.count }
    if let rows = batch.outputRows { x = x.gatherRows(rows) }
    return outputNorm(x)
  }

  /// What the first layer sees, `[tokens, C]`.
  func embedded(_ tokens: [Int]) -> Tensor {
    let x = embeddingNorm(embedding(tokens))
    return embeddingType.map { x.rounded(to: $0) } ?? x
  }

  public func makeState() -> any SequenceState {
    let count = configuration.layers * configuration.layerStateCount
    return RWKV5State(
      memory: initial.map { RecurrentState($0) } ?? RecurrentState(count: count), configuration: configuration)
  }

  public func restoreState(_ bytes: ArraySlice<UInt8>) throws -> any SequenceState {
    let count = configuration.layers * configuration.layerStateCount
    guard bytes.count == 8 + count * 4 else {
      throw ModelError(
        "the state has \(bytes.count) bytes, but a state of this model has \(8 + count * 4); it is damaged")
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
      case .bf16 where loader.checkpoint.format != .rwkvCpp && !loader.isTrainable: .bfloat16
      case .f16 where loader.checkpoint.format != .rwkvCpp && !loader.isTrainable: .float16
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
    if let states = try RWKV5StartState.read(loader.checkpoint, loader.names, c, isWholeModel: true) {
      for (index, state) in states.enumerated() { layers[index].timeMix.startState = state }
      initial = RWKV5StartState.numbers(states, c)
    }
    loader.markUsed { $0.hasSuffix(".att.time_state") }
    try loader.checkEveryTensorIsUsed()
    description = Self.describe(
      c, layers, head, parameters: loader.checkpoint.parameterCount, fingerprint: loader.fingerprint())
    description.remarks = loader.remarks
  }

  private static func describe(
    _ c: RWKV5Configuration, _ layers: [Layer], _ head: Linear, parameters: Int, fingerprint: String
  ) -> ModelDescription {
    var weights = [head]
    for layer in layers {
      weights += [layer.timeMix.receptance, layer.timeMix.key, layer.timeMix.value, layer.timeMix.output]
      if let gate = layer.timeMix.gate { weights.append(gate) }
      weights += [layer.channelMix.key, layer.channelMix.receptance, layer.channelMix.value]
    }
    return ModelDescription(
      architecture: "RWKV-\(c.version.rawValue)", layers: c.layers, width: c.width, heads: c.heads,
      feedForwardWidth: c.feedForwardWidth, vocabularySize: c.vocabularySize, parameterCount: parameters,
      contextLength: nil, bytesPerToken: weights.reduce(0) { $0 + $1.weight.byteCount }, fingerprint: fingerprint,
      defaults: RWKV5Family().defaults)
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
      gate: gated ? matrix("gate") : nil, timeDecay: timeDecay(loader, c, prefix),
      timeFirst: timeFirst(loader, c, prefix),
      normWeight: loader.vector("\(prefix)ln_x.weight", count: c.attentionWidth),
      normBias: loader.vector("\(prefix)ln_x.bias", count: c.attentionWidth), configuration: c)
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

  /// One value a head, or one a channel, as `[heads, 1]` or `[heads, size]`.
  private static func perHead(_ values: [Float], _ c: RWKV5Configuration, _ tensor: CheckpointTensor) throws -> Tensor {
    guard values.count == c.attentionWidth || values.count == c.heads else {
      throw FileError(
        file: tensor.path, "tensor \(tensor.name) has shape \(tensor.shape), neither one value a head nor one a channel"
      )
    }
    return Tensor(values, shape: [c.heads, values.count / c.heads])
  }

  private static func timeDecay(_ loader: WeightLoader, _ c: RWKV5Configuration, _ prefix: String) throws -> Tensor {
    let entry = try loader.entry("\(prefix)time_decay")
    var values = try loader.floats(entry)
    // rwkv.cpp files hold w itself.
    if loader.checkpoint.format == .rwkvCpp { values = values.map { Float(log(-log(Double($0)))) } }
    return try perHead(values, c, entry)
  }

  /// `time_faaaa` is u itself. `time_first` means exp(u) in a .pth, but u itself in an .st with a gate (the
  /// converter of web-rwkv only renames) and in rwkv.cpp files. Returned as 5.0 has it: log u, and u from 5.1.
  private static func timeFirst(_ loader: WeightLoader, _ c: RWKV5Configuration, _ prefix: String) throws -> Tensor {
    if loader.has("\(prefix)time_faaaa") || (c.version != .v5_0 && !loader.has("\(prefix)time_first")) {
      let entry = try loader.entry("\(prefix)time_faaaa")
      return try perHead(try loader.floats(entry), c, entry)
    }
    let entry = try loader.entry("\(prefix)time_first")
    let raw =
      loader.checkpoint.format == .rwkvCpp || (loader.checkpoint.format == .safetensors && c.version != .v5_0)
    let isLogarithmic = c.version == .v5_0
    return try perHead(
      try loader.floats(entry).map { raw == isLogarithmic ? (raw ? log($0) : exp($0)) : $0 }, c, entry)
  }
}

extension RWKV5: TrainableModel {
  /// A new model for training, with the initial values of RWKV-v5 (BlinkDL, RWKV-LM, `--my_testing x052`).
  public init(_ c: RWKV5Configuration, random: RandomSource) {
    precondition(c.version != .v5_0 || c.layers > 1, "5.0 is made for more than one layer")
    configuration = c
    func ones(_ count: Int) -> Norm { Norm(weight: .ones([count]), bias: .zeros([count])) }
    func linear(_ name: String, _ outputs: Int, _ inputs: Int, gain: Double) -> Linear {
      guard gain > 0 else { return Linear(weight: .dense(.zeros([outputs, inputs]))) }
      return Linear(weight: .dense(orthogonal([outputs, inputs], gain: gain, random: random.stream(name))))
    }
    let C = c.width, H = c.heads, A = c.attentionWidth, F = c.feedForwardWidth, V = c.vocabularySize
    embedding = .table(uniform([V, C], from: -1e-4, to: 1e-4, random: random.stream("emb.weight")))
    embeddingNorm = ones(C)
    embeddingType = nil
    layers = (0..<c.layers).map { index in
      let prefix = "blocks.\(index)."
      let depth = c.layers > 1 ? Double(index) / Double(c.layers - 1) : 0  // 0 to 1
      let nearness = 1 - Double(index) / Double(c.layers)  // 1 to almost 0
      func mix(_ exponent: Double, plus: Double = 0) -> Tensor {
        Tensor((0..<C).map { Float(pow(Double($0) / Double(C), exponent) + plus) })
      }
      // One value a head to 5.1, one a channel in 5.2.
      let places = c.version == .v5_2 ? A : H
      let share = (0..<places).map { Double($0) / Double(max(1, places - 1)) }
      let decay = share.map { Float(-6 + 5 * pow($0, 0.7 + 1.3 * depth)) }
      let first = share.enumerated().map { place, n -> Float in
        switch c.version {
        case .v5_0: -3
        case .v5_1: Float(depth * (1 - n))
        case .v5_2: Float(depth * (1 - n) + 0.1 * Double((place + 1) % 3 - 1))
        }
      }
      let gated = c.version != .v5_0
      return Layer(
        attentionNorm: ones(C), feedForwardNorm: ones(C),
        timeMix: RWKV5TimeMix(
          receptanceMix: mix(nearness / 2), keyMix: mix(nearness), valueMix: mix(nearness, plus: 0.3 * depth),
          gateMix: gated ? mix(nearness / 2) : nil, receptance: linear(prefix + "att.receptance", A, C, gain: 1),
          key: linear(prefix + "att.key", A, C, gain: 0.1), value: linear(prefix + "att.value", A, C, gain: 1),
          output: linear(prefix + "att.output", C, A, gain: 0),
          gate: gated ? linear(prefix + "att.gate", A, C, gain: 0.1) : nil,
          timeDecay: Tensor(decay, shape: [H, places / H]), timeFirst: Tensor(first, shape: [H, places / H]),
          normWeight: .full([A], pow(Double(1 + index) / Double(c.layers), 0.7)), normBias: .zeros([A]),
          configuration: c),
        channelMix: RWKV5ChannelMix(
          keyMix: mix(nearness), receptanceMix: mix(nearness), key: linear(prefix + "ffn.key", F, C, gain: 1),
          receptance: linear(prefix + "ffn.receptance", C, C, gain: 0),
          value: linear(prefix + "ffn.value", C, F, gain: 0)))
    }
    outputNorm = ones(C)
    head = linear("head", V, C, gain: V > C ? 0.5 * (Double(V) / Double(C)).squareRoot() : 0.5)
    description = Self.describe(c, layers, head, parameters: 0, fingerprint: "")
    description.parameterCount = parameterCount
  }

  public func logits(_ tokens: [Int], spans: [Range<Int>], rows: [Int]?, checkpointing: Bool) -> Tensor {
    var x = embeddingNorm(embedding(tokens))
    for (index, layer) in layers.enumerated() {
      let run: @Sendable (Layer, Tensor) -> Tensor = { $0($1, spans: spans, past: .none, layer: index) }
      x = checkpointing ? checkpointed(x, through: layer, run) : run(layer, x)
    }
    if let rows { x = x.gatherRows(rows) }
    return head(outputNorm(x))
  }

  public mutating func visitLinears(_ body: (String, inout Linear) -> Void) {
    for index in layers.indices {
      layers[index].visitLinears("blocks.\(index).", body)
    }
    body("head", &head)
  }

  public mutating func visitParameters(_ body: (String, inout Tensor) -> Void) {
    embedding.visit("emb.weight", body)
    embeddingNorm.visitParameters("blocks.0.ln0", body)
    for index in layers.indices {
      layers[index].visitVectors("blocks.\(index).", body)
    }
    outputNorm.visitParameters("ln_out", body)
    visitLinears { name, linear in linear.visitParameters(name, body) }
  }

  public mutating func prepareForInference() {
    for index in layers.indices { layers[index].timeMix.prepare() }
    let states = layers.compactMap(\.timeMix.startState)
    initial = states.count == layers.count ? RWKV5StartState.numbers(states, configuration) : nil
  }

  public var embeddingName: String { "emb" }
  public var isTied: Bool { false }
  public var embeddingTable: Tensor {
    get { embedding.values }
    set { embedding = .table(newValue) }
  }

  public mutating func noteAdapter(digest: String) { description.addAdapter(digest: digest) }

  public func ownName(_ name: String) -> String { RWKV5Names.canonical(name) }

  public func fileShape(of name: String, _ shape: [Int]) -> [Int] {
    if name.contains("time_mix") { return [1, 1] + shape }
    if name.hasSuffix("time_decay") || name.hasSuffix("time_faaaa") || name.hasSuffix("time_first") {
      return configuration.version == .v5_2 ? shape : [shape[0]]
    }
    return shape
  }

  public var fileMetadata: [String: String] {
    ["rwkv5.version": configuration.version.rawValue, "rwkv5.group_norm_epsilon": "\(configuration.groupNormEpsilon)"]
  }
}
