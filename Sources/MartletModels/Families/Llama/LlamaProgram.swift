import MartletDevice
import MartletLayers
import MartletTensor

/// The Llama family on a device: eight commands a layer. Keys and values lie in pages with the bytes of the processor's cache.
struct LlamaProgram: DeviceProgram {
  private struct Layer {
    let attentionNorm, feedForwardNorm: DeviceRange
    let queryNorm, keyNorm: DeviceRange?
    let queryKeyValue, output, gateUp, down: Product
    let names: [String: String]
    let offset: Int
  }

  private let model: Llama
  private let layers: [Layer]
  private let outputNorm: DeviceRange
  let head: Product

  init(_ model: Llama, names: (_ layer: Int, _ part: String) -> String, head headName: String, _ weights: DeviceWeights)
    throws
  {
    let c = model.configuration
    guard c.width % 8 == 0, c.heads * c.headSize % 8 == 0 else {
      throw ModelError(
        "the model's width of \(c.width), or that of its heads together (\(c.heads * c.headSize)), is not a multiple of 8, which a graphics card needs; use --device cpu"
      )
    }
    guard c.heads / c.keyValueHeads <= 16 else {
      throw ModelError(
        "the model has \(c.heads / c.keyValueHeads) query heads for each key/value head, and a graphics card takes 16 at most; use --device cpu"
      )
    }
    self.model = model
    layers = try model.layers.enumerated().map { index, layer in
      func weight(_ part: String) -> String { names(index, part) + ".weight" }
      let attentionWidth = c.heads * c.headSize, keyWidth = c.keyValueHeads * c.headSize
      let parts = ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"]
      return try Layer(
        attentionNorm: weights.vector(layer.attentionNorm.values),
        feedForwardNorm: weights.vector(layer.feedForwardNorm.values), queryNorm: weights.vector(layer.queryNorm),
        keyNorm: weights.vector(layer.keyNorm),
        queryKeyValue: Product(
          weights.matrix(["attn_q", "attn_k", "attn_v"].map(weight)),
          bias: weights.bias([
            (layer.query.bias, attentionWidth), (layer.key.bias, keyWidth), (layer.value.bias, keyWidth),
          ])),
        output: Product(
          weights.matrix([weight("attn_output")]), bias: weights.vector(layer.output.bias), epilogue: .add),
        gateUp: Product(
          weights.matrix(["ffn_gate", "ffn_up"].map(weight), takingTurns: true),
          bias: weights.bias(
            [(layer.gate.bias, c.feedForwardWidth), (layer.up.bias, c.feedForwardWidth)], takingTurns: true),
          epilogue: .swiglu),
        down: Product(weights.matrix([weight("ffn_down")]), bias: weights.vector(layer.down.bias), epilogue: .add),
        names: Dictionary(uniqueKeysWithValues: parts.map { ($0, Llama.Names.hub.layer(index, $0)) }),
        offset: index * model.cacheLayout.pageByteCount / c.layers / (model.cacheLayout.half ? 2 : 4))
    }
    outputNorm = try weights.vector(model.outputNorm.values)
    head = Product(try weights.matrix([headName]), bias: try weights.vector(model.headBias))
  }

  var width: Int { model.configuration.width }
  var stateKind: DeviceStateKind { .paged(pageByteCount: model.cacheLayout.pageByteCount) }
  var layerNames: [String] {
    layers.flatMap { layer in
      ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"].compactMap { layer.names[$0] }
    }
  }
  private var pairs: Int { model.configuration.rotated / 2 }
  var rowDataCount: Int { 2 * pairs }

  func embedded(_ tokens: [Int]) -> Tensor { model.embedding(tokens) }

  /// The cosines of all rows, and then the sines.
  func rowData(positions: [Int]) -> [Float] {
    let (cosine, sine) = model.positions.angles(positions)
    return cosine.values + sine.values
  }

  func record(_ pass: inout DevicePass) throws(DeviceError) {
    let c = model.configuration, x = pass.x
    let normed = try pass.scratch("normed", columns: c.width)
    let products = try pass.scratch("query, key, value", columns: (c.heads + 2 * c.keyValueHeads) * c.headSize)
    let attended = try pass.scratch("attended", columns: c.heads * c.headSize)
    let gated = try pass.scratch("feed forward", columns: c.feedForwardWidth)
    for layer in layers {
      func names(_ parts: String...) -> [String] { parts.compactMap { layer.names[$0] } }
      pass.append(pass.rmsNorm(x, weight: layer.attentionNorm, to: normed, epsilon: Double(c.normEpsilon)))
      // Stacked layers of different widths: cut where a wrapped one lies.
      try appendQueryKeyValue(layer, x: normed, y: products, &pass)
      pass.append(store(layer, products, pass))
      try appendAttention(layer, products, y: attended, &pass)
      try pass.append(layer.output, layers: names("attn_output"), x: attended, y: x)
      pass.append(pass.rmsNorm(x, weight: layer.feedForwardNorm, to: normed, epsilon: Double(c.normEpsilon)))
      try pass.append(layer.gateUp, layers: names("ffn_gate", "ffn_up"), x: normed, y: gated)
      try pass.append(layer.down, layers: names("ffn_down"), x: gated, y: x)
    }
    pass.appendOutputNorm(weight: outputNorm, bias: nil, epsilon: Double(c.normEpsilon))
  }

  private func appendQueryKeyValue(
    _ layer: Layer, x: Product.Rows, y: Product.Rows, _ pass: inout DevicePass
  ) throws(DeviceError) {
    let c = model.configuration, key = c.keyValueHeads * c.headSize
    let names = ["attn_q", "attn_k", "attn_v"].compactMap { layer.names[$0] }
    try pass.append(layer.queryKeyValue, layers: names, widths: [c.heads * c.headSize, key, key], x: x, y: y)
  }

  /// Turns queries and keys by their positions, and stores keys and values.
  private func store(_ layer: Layer, _ products: Product.Rows, _ pass: DevicePass) -> Command {
    let c = model.configuration
    return Command(
      Shader(
        "rotary_store",
        [
          c.headSize > 64 ? 128 : 64, UInt32(c.headSize), model.cacheLayout.half ? 1 : 0,
          layer.queryNorm == nil ? 0 : 1,
          c.interleaved ? 1 : 0,
        ]),
      Arguments().addresses(
        products.range, pass.rowData(from: 0, count: pairs), pass.rowData(from: pairs, count: pairs), layer.queryNorm,
        layer.keyNorm, pass.states, pass.sequenceOfRow, pass.positions
      ).numbers(c.heads, c.keyValueHeads, pairs, pass.tableStride, layer.offset).float(Double(c.normEpsilon)),
      groups: (c.heads + 2 * c.keyValueHeads, pass.rows, 1), reads: [.memory(products.range), pass.stepData],
      writes: [.memory(products.range), pages(layer)], cost: pass.rows * products.stride * 4)
  }

  /// Workgroups that keep a large card busy; with fewer, the pages of a row are divided among several.
  private static let enoughWorkgroups = 256
  private static let fewestPages = 4
  /// The most multiply-adds of one dispatch, which cannot be interrupted: as much as a command list runs at once (15 billion).
  private static let largestCost = 15_000_000_000

  private func appendAttention(
    _ layer: Layer, _ products: Product.Rows, y: Product.Rows, _ pass: inout DevicePass
  ) throws(DeviceError) {
    let c = model.configuration, pages = pass.tableStride, tileRows = tileRows(pass)
    let tiles = tileRows.map { pass.rows / $0 + pass.sequences } ?? pass.rows
    let wanted = pass.device.isExact ? 1 : max(1, Self.enoughWorkgroups / (tiles * c.keyValueHeads))
    let partPages = max(Self.fewestPages, (pages + wanted - 1) / wanted)
    let parts = (pages + partPages - 1) / partPages
    let found = try parts > 1 ? pass.scratch("parts", columns: parts * c.heads * (c.headSize + 2)) : nil
    let cost = pass.rows * c.heads * c.headSize * 2 * 64 * pages
    let kind = [UInt32(c.headSize), model.cacheLayout.half ? 1 : 0, UInt32(c.heads / c.keyValueHeads)]
    let scale = 1 / Double(c.headSize).squareRoot()
    func append(_ shader: Shader, _ arguments: Arguments, tiles: Int, cost: Int) {
      pass.append(
        Command(
          shader, arguments, groups: (c.keyValueHeads, tiles, parts),
          reads: [.memory(products.range), self.pages(layer), pass.stepData],
          writes: [.memory(found?.range ?? y.range)], cost: cost))
    }
    if let tileRows {
      let shader = Shader(
        "attention_tile", [c.headSize > 128 ? 256 : 128] + kind + [UInt32(tileRows), parts > 1 ? 1 : 0])
      for range in Self.ranges(tiles, cost: cost) {
        let arguments = Arguments().addresses(
          products.range, y.range, pass.states, pass.firstRows, pass.positions, found?.range
        ).numbers(
          c.heads, c.keyValueHeads, pages, layer.offset, partPages, pass.sequences, range.lowerBound
        ).float(scale)
        append(shader, arguments, tiles: range.count, cost: cost / tiles * range.count)
      }
    } else {
      let shader = Shader("attention", [UInt32((max(64, c.headSize) + 63) / 64 * 64)] + kind + [parts > 1 ? 1 : 0])
      let arguments = Arguments().addresses(
        products.range, y.range, pass.states, pass.sequenceOfRow, pass.positions, found?.range
      ).numbers(c.heads, c.keyValueHeads, pages, layer.offset, partPages).float(scale)
      append(shader, arguments, tiles: tiles, cost: cost)
    }
    guard let found else { return }
    pass.append(
      Command(
        Shader("attention_join", [64, UInt32(c.headSize)]),
        Arguments().addresses(found.range, y.range).numbers(c.heads, parts), groups: (c.heads, pass.rows, 1),
        reads: [.memory(found.range)], writes: [.memory(y.range)], cost: pass.rows * parts * c.heads * c.headSize))
  }

  /// The rows that share a reading of keys and values in a pass over prompts; nil for one with few rows a sequence, and for heads that
  /// `attention_tile` has no room for.
  private func tileRows(_ pass: DevicePass) -> Int? {
    let c = model.configuration, most = (c.headSize > 128 ? 16 : 32) * c.keyValueHeads / c.heads
    guard pass.rows >= 4 * pass.sequences, c.headSize <= 256, most > 1, !pass.device.isExact else { return nil }
    return min(most, DevicePassMemory.rounded(pass.rows / pass.sequences))
  }

  /// Tiles in the ranges that are dispatched one by one, for all of them costing so much together.
  static func ranges(_ tiles: Int, cost: Int) -> [Range<Int>] {
    let count = min(tiles, (cost + largestCost - 1) / largestCost)
    return (0..<count).map { $0 * tiles / count..<($0 + 1) * tiles / count }
  }

  /// A layer's part of all pages.
  private func pages(_ layer: Layer) -> Resource {
    let bytes = model.cacheLayout.half ? 2 : 4, start = layer.offset * bytes
    return .states(start..<start + model.cacheLayout.pageByteCount / model.configuration.layers)
  }
}
