import Foundation
import MartletCheckpoints
import MartletTensor
import MartletTokenizers

/// Writes a model in another container and weight format.
public struct Conversion {
  public enum Container: String, Sendable, CaseIterable {
    case gguf, safetensors
    /// PyTorch's.
    case pth
  }

  private struct Item {
    let name: String
    let source: CheckpointTensor
    var type: FileType
    /// Its name among the model's parameters, where that is not the hub's name of the source.
    var canonical: String?
    /// Rows in another order, for rotary pairs: row `order(i)` of the source becomes row i.
    var order: ((Int) -> Int)?
    /// Applied to every value.
    var map: ((Float) -> Float)?
    /// Whether the last two axes, which are equal, are exchanged.
    var isExchanged = false
  }

  private let checkpoint: Checkpoint
  private let container: Container
  /// Added to tensors, by canonical name (RWKV) or the hub's, with the hub's order of rows: merged adapters.
  private var additions: [String: Tensor] = [:]
  private var items: [Item] = []
  private var metadata: [(String, MetadataValue)] = []
  private var configuration: [String: Any]?

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
    if let names = try RWKV5Names.canonical(checkpoint) {
      try planRWKV(names, format)
    } else if checkpoint.format == .gguf {
      try planGGUF(format)
    } else if container != .gguf {
      items = checkpoint.names.compactMap { checkpoint[$0] }.map {
        Item(name: $0.name, source: $0, type: type(for: $0, format))
      }
    } else {
      try planHub(format)
    }
  }

  /// Type that a tensor is written in: small ones stay exact.
  private func type(for tensor: CheckpointTensor, _ format: WeightFormat?) -> FileType {
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
      item.isExchanged =
        canonical.hasSuffix("att.time_state") && RWKV5StartState.isKeyFirst(checkpoint, names, isWholeModel: true)
      items.append(item)
    }
    metadata = [
      ("general.architecture", .string("rwkv5")), ("rwkv5.version", .string(c.version.rawValue)),
      ("rwkv5.group_norm_epsilon", .real(Double(c.groupNormEpsilon))),
    ]
  }

  private mutating func planGGUF(_ format: WeightFormat?) throws {
    let tensors = checkpoint.names.compactMap { checkpoint[$0] }
    if container == .gguf {
      items = tensors.map { Item(name: $0.name, source: $0, type: type(for: $0, format)) }
      metadata = checkpoint.metadata.filter { $0.key != "general.alignment" && $0.key != "general.file_type" }
        .sorted { $0.key < $1.key }
      return
    }
    let c = try LlamaConfiguration(gguf: checkpoint)
    guard !c.hasUnnamedScaling else {
      throw ModelError(
        "\(checkpoint.path): its rotary scaling, a table and a named kind, cannot be written outside GGUF")
    }
    for tensor in tensors where !tensor.name.hasPrefix("rope_") {
      var item = Item(name: Llama.hubName(tensor.name), source: tensor, type: type(for: tensor, format))
      if c.interleaved, Self.isRotated(tensor.name) { item.order = c.interleavedRow(ofHub:) }
      items.append(item)
    }
    configuration = c.hubConfiguration(isTied: checkpoint["output.weight"] == nil)
  }

  /// Whether a tensor, by GGUF's name, holds rows in an order of rotary pairs.
  private static func isRotated(_ name: String) -> Bool { name.contains(".attn_q.") || name.contains(".attn_k.") }

  /// From the hub's layout to GGUF's: llama.cpp's names, rotary pairs side by side, the tokenizer inside.
  private mutating func planHub(_ format: WeightFormat?) throws {
    let c = try LlamaConfiguration(hub: checkpoint)
    let architecture = c.modelType == "mistral" ? "llama" : c.modelType
    for tensor in checkpoint.names.compactMap({ checkpoint[$0] }) where !Llama.isBuffer(tensor.name) {
      var item = Item(name: Llama.ggufName(tensor.name), source: tensor, type: type(for: tensor, format))
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
    default:
      throw ModelError(
        "\(checkpoint.path): its rope scaling cannot be written as GGUF yet (linear and yarn can); write .safetensors")
    }
    metadata += try TokenizerLoading.metadataForGGUF(beside: checkpoint.path, vocabularySize: c.vocabularySize)
  }

  /// Adds matrices to weights while they are written.
  ///
  /// - Parameter additions: `[outputs, inputs]` each, by canonical name (RWKV) or the hub's (Llama).
  /// - Throws: ``ModelError`` naming a matrix that fits no weight.
  public mutating func add(_ additions: [String: Tensor]) throws {
    let known = Dictionary(items.map { (canonicalName($0), $0.source.shape) }) { first, _ in first }
    for (name, value) in additions where known[name] != value.shape {
      throw ModelError("\(checkpoint.path): it has no weight \(name) of shape \(value.shape) to merge into")
    }
    self.additions = additions
    // What is changed is written in a type that holds the change.
    for index in items.indices where additions[canonicalName(items[index])] != nil {
      let type = items[index].type
      if WeightFormat.allCases.allSatisfy({ $0.fileType != type.rawValue }) { items[index].type = .f16 }
    }
  }

  private func canonicalName(_ item: Item) -> String {
    item.canonical ?? Llama.hubName(item.source.name)
  }

  /// Which row of a merged matrix belongs to a row of the source.
  private func additionRow(_ item: Item, _ row: Int) -> Int {
    guard checkpoint.format == .gguf, let c = try? LlamaConfiguration(gguf: checkpoint), c.interleaved,
      Self.isRotated(item.source.name)
    else { return row }
    return c.hubRow(ofInterleaved: row)
  }

  /// Bytes of all tensors as they will be written.
  public var byteCount: Int {
    items.reduce(0) { $0 + $1.source.count / $1.type.blockValues * $1.type.blockByteCount }
  }

  /// Writes the file; `progress` hears how many bytes are done.
  public func write(to path: String, replaces: Bool = true, progress: (Int) -> Void = { _ in }) throws {
    let list = items.map { ($0.name, $0.type, $0.source.shape) }
    var done = 0
    let bytes = { (index: Int, write: (UnsafeRawBufferPointer) throws -> Void) in
      try send(items[index]) {
        try write($0)
        done += $0.count
        progress(done)
      }
    }
    switch container {
    case .gguf: try GGUF.write(to: path, tensors: list, metadata: metadata, replaces: replaces, bytes: bytes)
    case .pth: try PyTorch.write(to: path, tensors: list, replaces: replaces, bytes: bytes)
    case .safetensors:
      let strings = metadata.compactMap { key, value in
        value.string.map { (key, $0) } ?? value.real.map { (key, "\($0)") }
      }
      try Safetensors.write(
        to: path, tensors: list, metadata: Dictionary(uniqueKeysWithValues: strings + [("format", "pt")]),
        replaces: replaces, bytes: bytes)
      if let configuration {
        let beside = ((path as NSString).deletingLastPathComponent as NSString).appendingPathComponent("config.json")
        let json = try JSONSerialization.data(withJSONObject: configuration, options: [.prettyPrinted, .sortedKeys])
        let file = try AtomicFile(path: beside)
        try json.withUnsafeBytes { try file.write($0) }
        try file.commit()
      }
    }
  }

  /// One tensor's bytes in its new type, some rows at a time.
  private func send(_ item: Item, _ write: (UnsafeRawBufferPointer) throws -> Void) throws {
    let source = item.source
    defer { source.release() }
    let addition = additions[canonicalName(item)]
    let keepsValues = item.map == nil && addition == nil && !item.isExchanged
    if item.type == source.type, item.order == nil, keepsValues, source.isContiguous {
      return try write(source.bytes)
    }
    guard source.type.isReal, let format = WeightFormat.allCases.first(where: { $0.fileType == item.type.rawValue })
    else {
      throw ModelError("tensor \(source.name) of type \(source.type) cannot be written as \(item.type)")
    }
    // A bias whose values move is as many rows of one value.
    let width = item.order != nil && source.shape.count == 1 ? 1 : source.shape.last ?? 1
    let rows = source.count / max(1, width)
    let moved = addition.map { _ in (0..<rows).map { additionRow(item, $0) } }
    let exchanged = item.isExchanged ? try source.floats() : []
    var bytes = [UInt8](repeating: 0, count: format.rowByteCount(inputs: width))
    for row in 0..<rows {
      let from = item.order?(row) ?? row
      var outcome = RepackingOutcome()
      bytes.withUnsafeMutableBytes { buffer in
        guard let base = buffer.baseAddress else { return }
        if keepsValues {
          outcome = source.repackRow(from, width: width, as: format, into: base, measuring: false)
          return
        }
        outcome.isFinite = source.isFinite(from * width..<(from + 1) * width)
        outcome.fits = format.encode(inputs: width, into: base) { values in
          source.expand(from * width..<(from + 1) * width, into: values)
          if item.isExchanged {
            for place in 0..<width { values[place] = exchanged[(row / width * width + place) * width + row % width] }
          }
          if let addition, let moved {
            addition.withFloats { added in
              for place in 0..<width { values[place] += added[moved[from] * width + place] }
            }
          }
          if let map = item.map { for place in 0..<width { values[place] = map(values[place]) } }
        }
      }
      guard outcome.isFinite else { throw WeightLoader.notFinite(source) }
      guard outcome.fits else { throw WeightLoader.beyondRange(source, format) }
      try bytes.withUnsafeBytes { try write($0) }
    }
  }
}
