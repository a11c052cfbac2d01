import MartletData

extension Checkpoint {
  /// Parts of names that wrappers of modules add anywhere: data parallelism, torch.compile, FSDP, activation
  /// checkpointing, Lightning.
  private static let wrappers: Set<Substring> = [
    "module", "_orig_mod", "_forward_module", "_fsdp_wrapped_module", "_checkpoint_wrapped_module",
  ]
  /// How the names of a model begin, told by its embedding and its first layer; `root` is what belongs before them.
  private static let layouts: [(embedding: String, layer: String, root: String)] = [
    ("embed_tokens.weight", "layers.0.input_layernorm.weight", "model."),
    ("emb.weight", "blocks.0.ln1.weight", ""),
    ("embeddings.weight", "blocks.0.ln1.weight", "rwkv."),
  ]

  /// The same tensors under the names that the model itself gives them: what wrappers put in front (`module.`,
  /// `_orig_mod.`, `base_model.model.`, `model.` of Lightning, ...) is taken off. Files that hold no whole model keep
  /// their names, adapters above all.
  func unwrapped() throws -> Checkpoint {
    let short = Dictionary(names.map { ($0, Self.withoutWrappers($0)) }) { first, _ in first }
    let known = Set(short.values)
    for layout in Self.layouts {
      let prefixes = known.filter { $0 == layout.embedding || $0.hasSuffix("." + layout.embedding) }
        .map { String($0.dropLast(layout.embedding.count)) }.filter { known.contains($0 + layout.layer) }
      guard let prefix = prefixes.contains(layout.root) ? layout.root : prefixes.min() else { continue }
      guard prefix == layout.root || prefixes.count == 1 else {
        throw FileError(
          file: path,
          "it contains \(prefixes.count) models (\(prefixes.sorted().prefix(4).joined(separator: ", "))); save only one of them"
        )
      }
      if let adapter = names.first(where: { $0.contains("lora_A") || $0.contains(".base_layer.") }) {
        throw FileError(
          file: path,
          "it contains an adapter besides the weights (\(adapter)); merge it into the weights first, e.g. with merge_and_unload() of PEFT"
        )
      }
      // The output matrix stands beside the root of the layers, not below it.
      let outer =
        layout.root.isEmpty || !prefix.hasSuffix(layout.root) ? prefix : String(prefix.dropLast(layout.root.count))
      return try renamed { name in
        let name = short[name] ?? name
        if name.hasPrefix(prefix), !name.hasPrefix(prefix + "lm_head.") {
          return layout.root + name.dropFirst(prefix.count)
        }
        return name.hasPrefix(outer) ? String(name.dropFirst(outer.count)) : name
      }
    }
    return self
  }

  private static func withoutWrappers(_ name: String) -> String {
    guard name.contains("mod") || name.contains("_module") else { return name }
    return name.split(separator: ".", omittingEmptySubsequences: false).filter { !wrappers.contains($0) }
      .joined(separator: ".")
  }

  /// - Throws: ``FileError`` where two tensors come to have one name.
  private func renamed(_ name: (String) -> String) throws -> Checkpoint {
    guard names.contains(where: { name($0) != $0 }) else { return self }
    let tensors = names.compactMap { self.tensors[$0] }.map { tensor in
      CheckpointTensor(
        name: name(tensor.name), type: tensor.type, shape: tensor.shape, file: tensor.file, range: tensor.range,
        strides: tensor.strides)
    }
    var result = try Checkpoint(
      format: format, path: path, tensors: tensors, metadata: metadata,
      unreadable: Dictionary(unreadable.map { (name($0.key), $0.value) }) { first, _ in first }, beside: beside)
    result.configuration = configuration
    return result
  }
}
