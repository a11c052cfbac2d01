import MartletCheckpoints
import MartletData
import MartletTensor

// Merging: what an adapter changes is changed while the model is written.
extension Conversion {
  /// Takes up what becomes of tensors.
  ///
  /// - Parameter changes: by canonical name (RWKV) or the hub's (Llama), with the hub's order of rows.
  /// - Throws: ``ModelError`` naming a change that fits no tensor.
  public mutating func add(_ changes: [String: WeightChange]) throws {
    func fail(_ problem: String) -> ModelError { ModelError("\(checkpoint.path): \(problem)") }
    let head = "lm_head.weight", embedding = "model.embed_tokens.weight"
    if changes[head] != nil || changes[embedding] != nil, isLlama, !items.contains(where: { $0.canonical == head }),
      let table = items.first(where: { $0.canonical == embedding })
    {
      // What is changed, embeddings or head, leaves the other as it was: the head becomes a matrix of its own.
      isUntied = true
      items.append(
        Item(
          name: container == .gguf ? "output.weight" : head, source: table.source, type: table.type, canonical: head))
    }
    let known = Dictionary(items.map { ($0.canonical, $0.source.count) }) { first, _ in first }
    for name in changes.keys.sorted() {
      guard let count = known[name] else {
        throw fail(
          name.hasSuffix(".bias")
            ? "lora_bias of the adapter cannot be merged: \(name.dropLast(5)) has no bias (PEFT refuses it too); use the adapter with --adapter"
            : "it has no weight \(name) to merge into")
      }
      if let replacement = changes[name]?.replacement, replacement.count != count {
        throw fail("\(name) has \(count) values, and \(replacement.count) are to replace them")
      }
    }
    self.changes = changes
    for index in items.indices where changes[items[index].canonical] != nil {
      items[index].type = writtenFormat(of: items[index]).map { FileType(rawValue: $0.fileType) ?? .f32 } ?? .f16
    }
  }

  /// Chooses the format of all matrices that are changed.
  public mutating func setFormatOfChanges(_ format: WeightFormat) {
    for index in items.indices where changes[items[index].canonical] != nil {
      items[index].type = type(for: items[index].source, format)
    }
  }

  /// The format in which a tensor will be written, by canonical name, or would be were `format` chosen for it; nil for
  /// one that is not written, or is kept in a block type that Martlet only copies.
  public func writtenFormat(of name: String, choosing format: WeightFormat? = nil) -> WeightFormat? {
    guard var item = items.first(where: { $0.canonical == name }) else { return nil }
    if let format { item.type = type(for: item.source, format) }
    return writtenFormat(of: item)
  }

  private func writtenFormat(of item: Item) -> WeightFormat? {
    WeightFormat.allCases.first { $0.fileType == item.type.rawValue }
  }

  /// Which row of the hub's is a row of the source: GGUF keeps rotary pairs in another order.
  func hubRow(_ item: Item) throws -> (Int) -> Int {
    guard checkpoint.format == .gguf, isLlama, Self.isRotated(item.source.name) else { return { $0 } }
    let configuration = try LlamaConfiguration(gguf: checkpoint)
    return { configuration.interleaved ? configuration.hubRow(ofInterleaved: $0) : $0 }
  }
}

extension Checkpoint {
  /// - Throws: ``CheckpointError`` for tensors without values, and for an adapter beside the weights: a copy would lack
  ///   them without a word.
  func refuseParts() throws {
    if let (name, reason) = unreadable.min(by: { $0.key < $1.key }) {
      throw CheckpointError(file: path, "its tensor \(name) \(reason)")
    }
    if let adapter = beside.first(where: { name in
      ["lora", "bone", "disha"].contains { name.lowercased().contains($0) }
    }) {
      throw CheckpointError(
        file: path,
        "it holds an adapter beside the weights (\(adapter)); merge it into them first, or save it as an adapter of its own"
      )
    }
  }
}
