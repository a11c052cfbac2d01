import Foundation

/// Which of the files in a folder is the model.
enum ModelFolder {
  private static let endings = [".safetensors", ".gguf", ".pth", ".st", ".bin"]
  /// Files that belong to a hub model and are not it: states of a training, adapters, the same weights once more.
  private static let companions = [
    "training_args", "optimizer", "scheduler", "scaler", "rng_state", "random_states", "adapter_model", "consolidated",
    "pytorch_model", "flax_model", "tf_model",
  ]

  /// The name of the model's file, or of its index of shards.
  ///
  /// Of the hub's names safetensors come before PyTorch's, as transformers takes them. Parts of one model count once.
  /// - Throws: ``CheckpointError`` where there is none, and where several could be meant.
  static func modelFile(in folder: String) throws -> String {
    func fail(_ problem: String) -> CheckpointError { CheckpointError(file: folder, problem) }
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    } catch {
      throw fail("the folder cannot be read; check its permissions")
    }
    let hub = [
      "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json",
    ].first { names.contains($0) }
    // What the index names belongs to it.
    let shards =
      hub.flatMap { $0.hasSuffix(".index.json") ? (folder as NSString).appendingPathComponent($0) : nil }
      .flatMap { try? readJSONObject($0)["weight_map"]?.object }
    let shardNames = Set((shards ?? [:]).values.compactMap(\.string))
    var candidates = names.filter { name in
      endings.contains { name.hasSuffix($0) } && !name.hasPrefix(".") && !shardNames.contains(name)
        && !companions.contains { name.hasPrefix($0) && (hub != nil || !$0.hasSuffix("model")) }
    }
    if let hub, !candidates.contains(hub) { candidates.insert(hub, at: 0) }
    if hub == "model.safetensors", names.contains("model.safetensors.index.json") {
      candidates.append("model.safetensors.index.json")
    }
    var stems: Set<String> = []
    let models = candidates.filter { name in
      guard let parts = FileParts(name) else { return true }
      return stems.insert(parts.stem + parts.ending).inserted
    }
    guard let first = models.first else {
      throw fail("the folder holds no model file (.safetensors, .gguf, .pth, .st or .bin)")
    }
    guard models.count == 1 else {
      let list = models.prefix(4).joined(separator: ", ") + (models.count > 4 ? " and \(models.count - 4) more" : "")
      throw fail("the folder holds several models (\(list)); give the path of the one that is meant")
    }
    return first
  }
}
