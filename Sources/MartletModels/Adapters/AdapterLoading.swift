import Foundation
import MartletCheckpoints
import MartletData
import MartletLayers
import MartletTensor

/// Gives a model an adapter: decides what each tensor of its file belongs to, and changes the layers accordingly.
struct AdapterLoading {
  private let configuration: AdapterConfiguration
  private let tensors: AdapterTensors
  /// The tensors that were used, by their names in the file.
  private var used: Set<String> = []
  private var changes: [String: WeightChange] = [:]
  private var notes: [String] = []
  private var isLowRank = true
  private var changesSomething = false
  private var digest = SHA256()

  init(folder: String, configuration: AdapterConfiguration, model: some TrainableModel) throws {
    self.configuration = configuration
    tensors = try AdapterTensors(folder: folder) { model.ownName($0) }
  }

  /// The tensors of the file for a module, given by the model's own name.
  private func module(_ name: String, _ model: some TrainableModel) -> AdapterTensors.Module? {
    tensors.modules[model.ownName(AdapterTensors.withoutRoot(name))]
  }

  mutating func apply(to model: inout some TrainableModel) throws -> LoadedAdapter {
    let order = { [model] (name: String, row: Int) in model.hubRow(name, row) }
    var problem: (any Error)?
    let reader = model  // names alone are asked of it while the layers are visited
    try checkModulesExist(in: &model)
    let headName = model.description.defaults.headName
    model.visitLinears { name, linear in
      guard problem == nil else { return }
      do { try change(&linear, name, module(name, reader), isHead: name == headName, order) } catch {
        problem = error
      }
    }
    if let problem { throw problem }
    try changeEmbedding(of: &model)
    model.visitParameters { name, value in
      guard problem == nil else { return }
      do { try replace(&value, name, reader) } catch { problem = error }
    }
    if let problem { throw problem }
    try checkEveryTensorIsUsed()
    model.prepareForInference()
    model.visitLinears { $1.prepareForInference() }
    model.noteAdapter(digest: digest.finalize())
    if !configuration.usedKeys.isEmpty {
      notes.insert("beyond plain LoRA it uses \(configuration.usedKeys.joined(separator: ", "))", at: 0)
    }
    if !changesSomething {
      notes.append("it has no effect: all its lora_B are zero, as before the first training step")
    }
    return LoadedAdapter(notes: notes + configuration.notes, isLowRank: isLowRank, changes: changes)
  }

  // MARK: layers

  private mutating func take(
    _ part: AdapterTensors.Part, _ module: AdapterTensors.Module, shape: [Int]
  ) throws -> Tensor? {
    guard let tensor = module.parts[part] else { return nil }
    used.insert(tensor.name)
    digest.update(Array(tensor.name.utf8))
    digest.update(tensor.bytes)
    defer { tensor.release() }
    return try AdapterTensors.values(tensor, shape: shape, of: module.name)
  }

  private func fail(_ problem: String) -> ModelError { ModelError("\(tensors.path): \(problem)") }

  /// - Parameter order: `order(name, i)` is the place, among the layer's rows, of the hub's row i.
  private mutating func change(
    _ linear: inout Linear, _ name: String, _ module: AdapterTensors.Module?, isHead: Bool,
    _ order: (String, Int) -> Int
  ) throws {
    let (outputs, inputs) = (linear.weight.outputs, linear.weight.inputs)
    guard let module else {
      if configuration.exclusion(of: name, isHead: isHead) == nil, configuration.namesTargets {
        throw fail(
          "target_modules includes \(name), but the file has no adapter for it; it is incomplete: fetch it again")
      }
      return
    }
    // From the hub's order of rows to the layer's.
    var back = [Int](repeating: 0, count: outputs)
    for row in 0..<outputs { back[order(name, row)] = row }
    var change = WeightChange()
    if let weight = try take(.weight, module, shape: [outputs, inputs]) {
      change.replacement = weight
      let rows = weight.gatherRows(back)
      linear.weight = .packed(PackedMatrix(rows, format: .f32))
      (isLowRank, changesSomething) = (false, true)
    }
    if let bias = try take(.bias, module, shape: [outputs]) {
      guard linear.bias != nil else { throw fail("it has a bias for \(module.name), which has no bias in this model") }
      linear.bias = bias.gatherRows(back)
      changes[name + ".bias"] = WeightChange(replacement: bias)
      (isLowRank, changesSomething) = (false, true)
    }
    if module.parts[.a] != nil || module.parts[.b] != nil {
      try addAdapter(&linear, name, module, back, isHead: isHead, &change)
    }
    if !change.isNothing { changes[name + ".weight"] = change }
  }

  private mutating func addAdapter(
    _ linear: inout Linear, _ name: String, _ module: AdapterTensors.Module, _ back: [Int], isHead: Bool,
    _ change: inout WeightChange
  ) throws {
    if let key = configuration.exclusion(of: module.name, isHead: isHead) {
      throw fail(
        "it has an adapter for \(module.name), which \(key) in adapter_config.json excludes; the two files do not belong together"
      )
    }
    guard linear.wrapper == nil else {
      throw fail(
        "an adapter that was loaded before changes \(module.name) too; make one model of the first with `martlet merge`, and load this one into it"
      )
    }
    let (outputs, inputs) = (linear.weight.outputs, linear.weight.inputs)
    let rank = configuration.rank(of: module.name), scale = configuration.scale(of: module.name)
    guard var a = try take(.a, module, shape: [rank, inputs]), var b = try take(.b, module, shape: [outputs, rank])
    else { throw fail("the adapter of \(module.name) lacks one of its two matrices; fetch the file again") }
    var outputBias = try take(.outputBias, module, shape: [outputs])
    guard (outputBias != nil) == configuration.hasOutputBias else {
      throw fail("lora_bias is \(configuration.hasOutputBias), but the adapter of \(module.name) contradicts it")
    }
    if b.values.contains(where: { $0 != 0 }) || outputBias?.values.contains(where: { $0 != 0 }) == true {
      changesSomething = true
    }
    b = b.gatherRows(back)
    outputBias = outputBias?.gatherRows(back)
    let needsWeight = configuration.beginning != .nothing || configuration.isWeightDecomposed
    let weight = needsWeight ? linear.weight.dense() : nil
    if let weight, configuration.beginning != .nothing {
      let taken =
        configuration.beginning == .principalPart
        ? BaseDecomposition.principalPart(of: weight, rank: rank)
        : BaseDecomposition.firstColumns(of: weight, rank: rank)
      // The base without its part, and the adapter: one adapter of twice the rank. What PiSSA takes is the part itself,
      // what OLoRA takes is the product Q R times the adapter's scale.
      let share = configuration.beginning == .principalPart ? -1 / scale : -1
      a = concatenated([a, taken.a])
      b = concatenated([b.transposed().contiguous(), (taken.b * share).transposed().contiguous()])
        .transposed().contiguous()
      changesSomething = true
    }
    let low = LowRankAdapter(a: a, b: b, outputBias: outputBias, scale: scale)
    let forward = back.enumerated().reduce(into: [Int](repeating: 0, count: outputs)) { $0[$1.element] = $1.offset }
    change.delta = { low.delta.gatherRows(forward) }
    if let outputBias {
      isLowRank = false
      changes[name + ".bias"] = WeightChange(delta: { (outputBias * scale).gatherRows(forward) })
    }
    if let weight, configuration.isWeightDecomposed {
      guard let magnitude = try take(.magnitude, module, shape: [outputs]) else {
        throw fail("use_dora is set, but the adapter of \(module.name) has no lora_magnitude_vector; fetch it again")
      }
      let adapter = WeightDecomposedAdapter(
        low, weight: weight, magnitude: magnitude.gatherRows(back), bias: linear.bias)
      change.rowShares = adapter.share.gatherRows(forward).values
      linear.wrapper = adapter
      (isLowRank, changesSomething) = (false, true)
    } else {
      linear.wrapper = low
    }
  }

  // MARK: embeddings and other parameters

  private mutating func changeEmbedding(of model: inout some TrainableModel) throws {
    let name = model.embeddingName
    guard let module = module(name, model) else {
      if configuration.exclusion(of: name, isHead: false) == nil, configuration.namesTargets,
        !configuration.targetsAreLinear
      {
        throw fail(
          "target_modules includes \(name), but the file has no adapter for it; it is incomplete: fetch it again")
      }
      return
    }
    let (vocabulary, width) = (model.description.vocabularySize, model.description.width)
    var table = model.embeddingTable
    isLowRank = false
    if let tensor = module.parts[.weight] {
      guard tensor.shape == [vocabulary, width] else {
        throw fail(
          "its embeddings have shape \(tensor.shape) and those of the model [\(vocabulary), \(width)]; the vocabulary was extended in training, so only the extended model fits"
        )
      }
      if let replaced = try take(.weight, module, shape: tensor.shape) {
        // The base's own table comes along with an adapter of it, and then a tied head is that table too.
        if model.isTied, tensor.name.contains(".base_layer."), replaced.values != table.values {
          throw fail(
            "its \(tensor.name) is not the embeddings of this model, and the head is tied to them; use the base model that it was trained on"
          )
        }
        table = replaced
      }
    }
    if module.parts[.embeddingA] != nil || module.parts[.embeddingB] != nil {
      if let key = configuration.exclusion(of: module.name, isHead: false) {
        throw fail(
          "it has an adapter for \(module.name), which \(key) in adapter_config.json excludes; the two files do not belong together"
        )
      }
      guard configuration.beginning == .nothing else {
        throw fail(
          "init_lora_weights from the weights of the base model is not supported for embeddings (\(module.name))")
      }
      let rank = configuration.rank(of: module.name), scale = configuration.scale(of: module.name)
      guard let a = try take(.embeddingA, module, shape: [rank, vocabulary]),
        let b = try take(.embeddingB, module, shape: [width, rank])
      else { throw fail("the adapter of \(module.name) lacks one of its two matrices; fetch the file again") }
      table = table + matmul(b, a).transposed() * scale
      if configuration.isWeightDecomposed {
        guard let magnitude = try take(.magnitude, module, shape: [width]) else {
          throw fail("use_dora is set, but the adapter of \(module.name) has no lora_magnitude_vector; fetch it again")
        }
        let lengths = (table * table).sum(axes: [0])
        table = table * Tensor(zip(magnitude.values, lengths.values).map { $0 / $1.squareRoot() })
      }
    }
    model.embeddingTable = table.contiguous()
    changes[name + ".weight"] = WeightChange(replacement: table.contiguous())
    changesSomething = true
    notes.append("it changes the embeddings (\(name))")
  }

  /// Replaces norms and other vectors that `modules_to_save` names.
  private mutating func replace(_ value: inout Tensor, _ name: String, _ model: some TrainableModel) throws {
    let parts = name.split(separator: ".")
    guard let last = parts.last, last == "weight" || last == "bias" else { return }
    let layer = parts.dropLast().joined(separator: ".")
    guard layer != model.embeddingName, let module = module(layer, model),
      let tensor = module.parts[last == "weight" ? .weight : .bias], !used.contains(tensor.name)
    else { return }
    guard let values = try take(last == "weight" ? .weight : .bias, module, shape: value.shape) else { return }
    value = values
    changes[name] = WeightChange(replacement: values)
    (isLowRank, changesSomething) = (false, true)
  }

  /// An adapter of another model is told by the layers that this one lacks, before any layer is missed in the adapter.
  private func checkModulesExist(in model: inout some TrainableModel) throws {
    var names = [model.embeddingName]
    model.visitLinears { name, _ in names.append(name) }
    model.visitParameters { name, _ in names.append(name.split(separator: ".").dropLast().joined(separator: ".")) }
    let known = Set(names.map { model.ownName(AdapterTensors.withoutRoot($0)) })
    let strangers = tensors.modules.filter { name, _ in !known.contains(name) }
    guard let name = strangers.values.flatMap(\.parts.values).map(\.name).min() else { return }
    throw fail("the model has no layer for \(name); the adapter was trained on another model")
  }

  private func checkEveryTensorIsUsed() throws {
    let rest = tensors.modules.values.flatMap { module in
      module.parts.values.filter { !used.contains($0.name) }.map { ($0.name, module) }
    }.sorted { $0.0 < $1.0 }
    guard let (name, module) = rest.first else { return }
    if module.parts[.magnitude]?.name == name {
      throw fail("it has \(name), but use_dora is not set in adapter_config.json; the two files do not belong together")
    }
    throw fail("the model has no layer for \(name); the adapter was trained on another model")
  }
}
