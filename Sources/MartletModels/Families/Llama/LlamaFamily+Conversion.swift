import Foundation
import MartletCheckpoints
import MartletTensor
import MartletTokenizers

extension LlamaFamily {
  /// Plans the conversion between the names, rotary pairs and settings of the hub and those of GGUF.
  ///
  /// - Throws: ``ModelError`` for rotary scalings that a container cannot express, `FileError` for settings that
  ///   are not supported.
  public func plan(_ request: ConversionRequest) throws -> ConversionPlan {
    var plan =
      switch (request.checkpoint.format == .gguf, request.container == .gguf) {
      case (true, true): try planCopy(request)
      case (true, false): try planHub(request)
      case (false, true): try planGGUF(request)
      case (false, false): try planHubCopy(request)
      }
    let head = Llama.Names.hub.head
    if !plan.items.contains(where: { $0.canonical == head }) {
      plan.tiedHead = ConversionPlan.TiedHead(
        embedding: Llama.Names.hub.embedding, head: head,
        name: request.container == .gguf ? Llama.Names.gguf.head : head)
    }
    return plan
  }

  private func tensors(_ checkpoint: Checkpoint) -> [CheckpointTensor] {
    checkpoint.names.compactMap { checkpoint[$0] }
  }

  /// From GGUF to GGUF.
  private func planCopy(_ request: ConversionRequest) throws -> ConversionPlan {
    let checkpoint = request.checkpoint
    var plan = ConversionPlan()
    var configuration: LlamaConfiguration?
    // A copy needs no configuration, so models that Martlet cannot run are copied as well; only changes need the rows.
    do { configuration = try LlamaConfiguration(gguf: checkpoint) } catch { plan.changeRefusal = error }
    plan.items = tensors(checkpoint).map { tensor in
      var item = ConversionPlan.Item(
        name: tensor.name, source: tensor, type: request.type(for: tensor),
        canonical: Llama.Names.hubName(tensor.name))
      // llama.cpp aborts if norms have 16 bits.
      if tensor.shape.count == 1, tensor.type.isReal { item.type = .f32 }
      if let c = configuration, c.interleaved, Llama.Names.isRotated(gguf: tensor.name) {
        item.hubRow = c.hubRow(ofInterleaved:)
      }
      return item
    }
    plan.metadata =
      checkpoint.metadata.filter { key, _ in
        // One file is written, whatever the number of parts that were read.
        key != "general.alignment" && key != "general.file_type" && !key.hasPrefix("split.")
      }.sorted { $0.key < $1.key }
    return plan
  }

  /// From GGUF to the hub's layout: its names, rotary pairs half a head apart, and settings.
  private func planHub(_ request: ConversionRequest) throws -> ConversionPlan {
    let checkpoint = request.checkpoint
    let c = try LlamaConfiguration(gguf: checkpoint)
    guard !c.hasUnnamedScaling else {
      throw ModelError(
        "\(checkpoint.path): its rotary scaling, a table and a named kind, cannot be written outside GGUF")
    }
    guard c.hasHubBiases else {
      throw ModelError(
        "\(checkpoint.path): config.json cannot say which of its layers have biases (\(c.biases.sorted().joined(separator: ", "))); write .gguf"
      )
    }
    var plan = ConversionPlan()
    plan.items = tensors(checkpoint).filter { !Llama.Names.isRotaryTable($0.name) }.map { tensor in
      let name = Llama.Names.hubName(tensor.name)
      var item = ConversionPlan.Item(name: name, source: tensor, type: request.type(for: tensor), canonical: name)
      if c.interleaved, Llama.Names.isRotated(gguf: tensor.name) {
        item.order = c.interleavedRow(ofHub:)
        item.hubRow = c.hubRow(ofInterleaved:)
      }
      return item
    }
    plan.hubConfiguration = c.hubConfiguration(isTied: checkpoint[Llama.Names.gguf.head] == nil)
    return plan
  }

  /// From the hub's layout to the same layout, with its own settings.
  private func planHubCopy(_ request: ConversionRequest) throws -> ConversionPlan {
    // What cannot be loaded must not be written either.
    _ = try LlamaConfiguration(hub: request.checkpoint)
    var plan = ConversionPlan()
    plan.items = tensors(request.checkpoint).map {
      ConversionPlan.Item(name: $0.name, source: $0, type: request.type(for: $0), canonical: $0.name)
    }
    plan.hubConfiguration = request.checkpoint.configuration.mapValues(\.foundation)
    return plan
  }

  /// From the hub's layout to GGUF's: llama.cpp's names, rotary pairs side by side, the tokenizer inside.
  private func planGGUF(_ request: ConversionRequest) throws -> ConversionPlan {
    let checkpoint = request.checkpoint
    let c = try LlamaConfiguration(hub: checkpoint)
    let architecture = c.modelType == "mistral" ? "llama" : c.modelType
    var plan = ConversionPlan()
    plan.items = tensors(checkpoint).filter { !Llama.Names.isBuffer($0.name) }.map { tensor in
      var item = ConversionPlan.Item(
        name: Llama.Names.ggufName(tensor.name), source: tensor, type: request.type(for: tensor),
        canonical: tensor.name)
      if architecture == "llama", Llama.Names.isRotated(gguf: item.name) { item.order = c.hubRow(ofInterleaved:) }
      // llama.cpp supports vectors in single precision only, and aborts for others.
      if tensor.shape.count == 1, tensor.type.isReal { item.type = .f32 }
      return item
    }
    plan.metadata = c.ggufMetadata(architecture)
    try c.writeScaling(architecture, checkpoint, to: &plan)
    let tokenizer = try TokenizerLoading.metadataForGGUF(
      of: checkpoint, vocabularySize: c.vocabularySize)
    // llama.cpp requires a statement that there is none.
    plan.metadata += tokenizer.isEmpty ? [("tokenizer.ggml.model", .string("none"))] : tokenizer
    if let template = ChatFormat.template(of: checkpoint), !tokenizer.isEmpty {
      plan.metadata.append(("tokenizer.chat_template", .string(template)))
    }
    return plan
  }
}

extension LlamaConfiguration {
  /// Sizes and constants as GGUF says them.
  ///
  /// - Parameter architecture: GGUF's name of it.
  fileprivate func ggufMetadata(_ architecture: String) -> [(String, MetadataValue)] {
    [
      ("general.architecture", .string(architecture)), ("\(architecture).block_count", .integer(layers)),
      ("\(architecture).context_length", .integer(contextLength)),
      ("\(architecture).embedding_length", .integer(width)),
      ("\(architecture).feed_forward_length", .integer(feedForwardWidth)),
      ("\(architecture).attention.head_count", .integer(heads)),
      ("\(architecture).attention.head_count_kv", .integer(keyValueHeads)),
      ("\(architecture).attention.key_length", .integer(headSize)),
      ("\(architecture).attention.value_length", .integer(headSize)),
      ("\(architecture).attention.layer_norm_rms_epsilon", .real(Double(normEpsilon))),
      ("\(architecture).rope.dimension_count", .integer(rotated)),
      ("\(architecture).rope.freq_base", .real(rotaryBase)),
      ("\(architecture).vocab_size", .integer(vocabularySize)),
    ]
  }

  /// The rotary scaling as GGUF says it: metadata, or tables of divisors.
  fileprivate func writeScaling(
    _ architecture: String, _ checkpoint: Checkpoint, to plan: inout ConversionPlan
  ) throws {
    func scaling(_ key: String, _ value: MetadataValue) {
      plan.metadata.append(("\(architecture).rope.scaling.\(key)", value))
    }
    switch rotaryScaling {
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
        "\(checkpoint.path): its YaRN scaling with truncate = false cannot be written as GGUF; write .safetensors")
    // Nothing is scaled within the window, which is all that is used.
    case .dynamic: break
    case .llama3:
      let unscaled = Self.frequencies(rotated, base: rotaryBase)
      plan.tables.append(("rope_freqs.weight", zip(unscaled, frequencies).map { Float($0 / $1) }))
    case .divisors(let short, let long, let magnitude, _) where short == long && magnitude == 1:
      plan.tables.append(("rope_freqs.weight", short.map(Float.init)))
    case .divisors(let short, let long, let magnitude, let original):
      scaling("type", .string("longrope"))
      scaling("original_context_length", .integer(original))
      scaling("attn_factor", .real(magnitude))
      plan.tables.append(("rope_factors_long.weight", long.map(Float.init)))
      plan.tables.append(("rope_factors_short.weight", short.map(Float.init)))
    }
  }
}
