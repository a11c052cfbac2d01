import MartletCheckpoints
import MartletData
import MartletTensor

// Merging: the changes of an adapter are applied while the model is written.
extension Conversion {
  /// Adds changes of tensors, such as those of an adapter that is merged.
  ///
  /// - Parameter changes: the changes by the names of the model's parameters, with rows in the order of the hub.
  /// - Throws: ``ModelError`` that names a change that fits no tensor; the error that says why the layout of the rows of
  ///   this model is not known.
  public mutating func add(_ changes: [String: WeightChange]) throws {
    if !changes.isEmpty, let refusal = plan.changeRefusal { throw refusal }
    func fail(_ problem: String) -> ModelError { ModelError("\(checkpoint.path): \(problem)") }
    if let tied = plan.tiedHead, changes[tied.head] != nil || changes[tied.embedding] != nil,
      let table = plan.items.first(where: { $0.canonical == tied.embedding })
    {
      // A change of the embeddings or of the head must not change the other, so the head becomes a separate matrix.
      isUntied = true
      plan.tiedHead = nil
      plan.items.append(
        ConversionPlan.Item(name: tied.name, source: table.source, type: table.type, canonical: tied.head))
    }
    let known = Dictionary(plan.items.map { ($0.canonical, $0.source.count) }) { first, _ in first }
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
    for index in plan.items.indices where changes[plan.items[index].canonical] != nil {
      plan.items[index].type =
        writtenFormat(of: plan.items[index]).map { FileType(rawValue: $0.fileType) ?? .f32 } ?? .f16
    }
  }

  /// Sets the format of all changed matrices.
  public mutating func setFormatOfChanges(_ format: WeightFormat) {
    for index in plan.items.indices
    where changes[plan.items[index].canonical] != nil && plan.items[index].source.shape.count == 2 {
      plan.items[index].type = request.type(for: plan.items[index].source, choosing: format)
    }
  }

  /// The format in which a tensor, given by its canonical name, will be written, or would be written with `format`; nil
  /// for a tensor that is not written or is copied in a block type that Martlet does not encode.
  public func writtenFormat(of name: String, choosing format: WeightFormat? = nil) -> WeightFormat? {
    guard var item = plan.items.first(where: { $0.canonical == name }) else { return nil }
    if let format, item.source.shape.count == 2 { item.type = request.type(for: item.source, choosing: format) }
    return writtenFormat(of: item)
  }

  private func writtenFormat(of item: ConversionPlan.Item) -> WeightFormat? {
    WeightFormat.allCases.first { $0.fileType == item.type.rawValue }
  }
}

extension Checkpoint {
  /// - Throws: ``FileError`` for tensors without values, and for an adapter beside the weights: a copy would lack
  ///   them without a word.
  func refuseParts() throws {
    if let (name, reason) = unreadable.min(by: { $0.key < $1.key }) {
      throw FileError(file: path, "its tensor \(name) \(reason)")
    }
    if let adapter = beside.first(where: { name in
      ["lora", "bone", "disha"].contains { name.lowercased().contains($0) }
    }) {
      throw FileError(
        file: path,
        "it contains an adapter besides the weights (\(adapter)); merge it into the weights first, or save it as a separate adapter"
      )
    }
  }
}
