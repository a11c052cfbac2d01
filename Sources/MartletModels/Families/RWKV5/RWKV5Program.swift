import MartletDevice
import MartletTensor

/// RWKV-5 on a device: seven commands a layer, whose epilogues do what lies between the products.
struct RWKV5Program: DeviceProgram {
  private struct Layer {
    let attentionNorm, feedForwardNorm: Norm
    let attentionMixes, feedForwardMixes: DeviceRange  // [mixes, width]
    let decay, bonus, normWeight, normBias: DeviceRange
    let receptanceKeyValueGate, output, keyReceptance, value: Product
    let products: [String]
    let prefix: String
  }

  private struct Norm {
    let weight, bias: DeviceRange
    init(_ norm: RWKV5.Norm, _ weights: DeviceWeights) throws {
      weight = try weights.vector(norm.weight.values)
      bias = try weights.vector(norm.bias.values)
    }
  }

  private let model: RWKV5
  private let layers: [Layer]
  private let outputNorm: Norm
  let head: Product

  init(_ model: RWKV5, _ weights: DeviceWeights) throws {
    let c = model.configuration, size = c.attentionWidth / c.heads
    guard size <= 128 else {
      throw ModelError("the model's heads of \(size) are too large for a graphics card (128 at most); use --device cpu")
    }
    guard c.width % 8 == 0, c.attentionWidth % 8 == 0 else {
      throw ModelError(
        "the model's width of \(c.width) is not a multiple of 8, which a graphics card needs; use --device cpu")
    }
    self.model = model
    layers = try model.layers.enumerated().map { index, layer in
      let prefix = "blocks.\(index).", time = layer.timeMix, channel = layer.channelMix
      func names(_ parts: [String]) -> [String] { parts.map { prefix + $0 } }
      let products = ["att.receptance", "att.key", "att.value"] + (time.gate == nil ? [] : ["att.gate"])
      return try Layer(
        attentionNorm: Norm(layer.attentionNorm, weights), feedForwardNorm: Norm(layer.feedForwardNorm, weights),
        attentionMixes: weights.vector(
          [time.receptanceMix, time.keyMix, time.valueMix].flatMap(\.values) + (time.gateMix?.values ?? [])),
        feedForwardMixes: weights.vector([channel.keyMix, channel.receptanceMix].flatMap(\.values)),
        decay: weights.vector(time.decay.values), bonus: weights.vector(time.bonus.values),
        normWeight: weights.vector(time.normWeight.values), normBias: weights.vector(time.normBias.values),
        receptanceKeyValueGate: Product(
          weights.matrix(names(products).map { $0 + ".weight" }), parts: products.count, partOutputs: c.attentionWidth,
          epilogue: time.gate == nil ? .store : .siluLast),
        output: Product(weights.matrix([prefix + "att.output.weight"]), epilogue: .add),
        keyReceptance: Product(
          weights.matrix(names(["ffn.key.weight", "ffn.receptance.weight"])), parts: 2, partOutputs: c.feedForwardWidth,
          epilogue: .squareSigmoid),
        value: Product(weights.matrix([prefix + "ffn.value.weight"]), epilogue: .addGated, allowsHalves: false),
        products: names(products), prefix: prefix)
    }
    outputNorm = try Norm(model.outputNorm, weights)
    head = Product(try weights.matrix(["head.weight"]))
  }

  var width: Int { model.configuration.width }
  var stateKind: DeviceStateKind {
    .recurrent(byteCount: model.configuration.layers * model.configuration.layerStateCount * 4)
  }
  var layerNames: [String] {
    layers.flatMap { layer in
      layer.products + ["att.output", "ffn.key", "ffn.receptance", "ffn.value"].map { layer.prefix + $0 }
    }
  }

  func embedded(_ tokens: [Int]) -> Tensor { model.embedded(tokens) }

  func record(_ pass: inout DevicePass) throws(DeviceError) {
    let c = model.configuration, width = c.width, attention = c.attentionWidth, feedForward = c.feedForwardWidth
    let x = pass.x
    let mixed = try pass.scratch("mixed", columns: 4 * width)
    let products = try pass.scratch("receptance, key, value, gate", columns: 4 * attention)
    let attended = try pass.scratch("attended", columns: attention)
    let hidden = try pass.scratch("feed forward", columns: feedForward + width)
    let part = Product.Rows(mixed.range, stride: width)
    for (index, layer) in layers.enumerated() {
      let state = index * c.layerStateCount
      pass.append(mix(layer.attentionNorm, layer.attentionMixes, layer.products.count, to: mixed, state: state, pass))
      let parts = layer.products.count
      let rows = Product.Rows(products.range, stride: parts * attention)
      try pass.append(
        layer.receptanceKeyValueGate, layers: layer.products, x: part, partStride: pass.rows * width, y: rows)
      pass.append(recurrence(layer, products: rows, y: attended, state: state + width, pass))
      try pass.append(layer.output, layers: [layer.prefix + "att.output"], x: attended, y: x)
      pass.append(
        mix(layer.feedForwardNorm, layer.feedForwardMixes, 2, to: mixed, state: state + c.layerStateCount - width, pass)
      )
      try pass.append(
        layer.keyReceptance, layers: [layer.prefix + "ffn.key", layer.prefix + "ffn.receptance"], x: part,
        partStride: pass.rows * width, y: hidden)
      let gate = Product.Rows(
        hidden.range.part(feedForward * 4, hidden.range.byteCount - feedForward * 4), stride: hidden.stride)
      try pass.append(layer.value, layers: [layer.prefix + "ffn.value"], x: hidden, y: x, gate: gate)
    }
    pass.appendOutputNorm(weight: outputNorm.weight, bias: outputNorm.bias, epsilon: 1e-5)
  }

  /// The layer norm and what the products see of it and of the row before; the state's shift vector is replaced.
  private func mix(
    _ norm: Norm, _ mixes: DeviceRange, _ count: Int, to y: Product.Rows, state: Int, _ pass: DevicePass
  ) -> Command {
    let shift = Resource.states(state * 4..<(state + width) * 4)
    return Command(
      Shader("norm_mix", [UInt32(pass.normThreads), UInt32(count)]),
      Arguments().addresses(
        pass.x.range, y.range, norm.weight, norm.bias, mixes, pass.states, pass.firstRows, pass.sequenceOfRow
      ).numbers(width, pass.rows, state),
      groups: (pass.rows, 1, 1), reads: [.memory(pass.x.range), shift, pass.stepData],
      writes: [.memory(y.range), shift],
      cost: pass.rows * width * 8)
  }

  private func recurrence(
    _ layer: Layer, products: Product.Rows, y: Product.Rows, state: Int, _ pass: DevicePass
  ) -> Command {
    let c = model.configuration, size = c.attentionWidth / c.heads
    let memory = Resource.states(state * 4..<(state + c.attentionWidth * size) * 4)
    let isGated: UInt32 = layer.products.count == 4 ? 1 : 0
    var shader = Shader("wkv5", [UInt32(size), UInt32(size), isGated])
    // Prompts; the last chunk of each sequence may be nearly empty.
    if pass.rows >= 8 * pass.sequences, size % 8 == 0, !pass.device.isExact {
      let threads = size * (size <= 64 && size % 16 == 0 ? 4 : 2)
      shader = Shader("wkv5_chunk", [UInt32(threads), UInt32(size), isGated, size <= 64 ? 16 : 8])
    }
    return Command(
      shader,
      Arguments().addresses(
        products.range, layer.decay, layer.bonus, layer.normWeight, layer.normBias, y.range, pass.states, pass.firstRows
      ).numbers(c.heads, state).float(Double(c.groupNormEpsilon)),
      groups: (c.heads, pass.sequences, 1), reads: [.memory(products.range), memory, pass.stepData],
      writes: [.memory(y.range), memory], cost: pass.rows * c.attentionWidth * size * 4)
  }
}
