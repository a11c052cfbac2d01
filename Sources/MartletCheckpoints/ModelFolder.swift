import Foundation
import MartletData

/// Which of the files in a folder is the model.
enum ModelFolder {
  private static let endings = [".safetensors", ".gguf", ".pth", ".st", ".bin"]
  /// What the hub calls a folder's model, in the order of transformers.
  private static let hubNames = [
    "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json",
  ]
  /// Files that belong to a model and are not it: states of a training, the same weights once more.
  private static let companions = [
    "training_args", "optimizer", "scheduler", "scaler", "rng_state", "random_states", "consolidated",
  ]

  /// The name of the model's file, or of its index of shards.
  ///
  /// A file with the hub's name is taken whatever lies beside it, safetensors before PyTorch's, as transformers does. Parts
  /// of one model count once.
  /// - Throws: ``FileError`` where there is none, and where several could be meant and none has the hub's name.
  static func modelFile(in folder: String) throws -> String {
    func fail(_ problem: String) -> FileError { FileError(file: folder, problem) }
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    } catch {
      throw fail("the folder cannot be read; check its permissions")
    }
    let canonical = hubNames.filter { names.contains($0) }
    if let first = canonical.first {
      // Where the index names other files, the two are equally the model.
      if let index = canonical.dropFirst().first, index == first + ".index.json",
        try shards(of: (folder as NSString).appendingPathComponent(index)) != [first]
      {
        throw fail("the folder contains several models (\(first), \(index)); give the path of one of them")
      }
      return first
    }
    let candidates = names.filter { name in
      endings.contains { name.hasSuffix($0) } && !name.hasPrefix(".") && !companions.contains { name.hasPrefix($0) }
    }
    var stems: Set<String> = []
    let models = candidates.filter { name in
      guard let parts = FileParts(name) else { return true }
      return stems.insert(parts.stem + parts.ending).inserted
    }
    if names.contains("adapter_config.json"), models.allSatisfy({ $0.hasPrefix("adapter_model.") }) {
      throw FileError.adapter(folder)
    }
    guard let first = models.first else {
      throw fail("the folder contains no model file (.safetensors, .gguf, .pth, .st or .bin)")
    }
    guard models.count == 1 else {
      let list = models.prefix(4).joined(separator: ", ") + (models.count > 4 ? " and \(models.count - 4) more" : "")
      throw fail("the folder contains several models (\(list)); give the path of one of them")
    }
    return first
  }

  /// The files that an index names.
  private static func shards(of index: String) throws -> Set<String> {
    let map = try readJSONObject(index)["weight_map"]?.object ?? [:]
    return Set(map.values.compactMap(\.string))
  }
}
