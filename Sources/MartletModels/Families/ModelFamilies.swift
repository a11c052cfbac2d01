import MartletCheckpoints
import MartletData
import Synchronization

/// The registry of model families.
public enum ModelFamilies {
  /// The families that are part of Martlet; a new one is one line here. They are tried in this order. The Llama family is
  /// the last one, because it accepts every GGUF file and then reports what is not supported.
  private static let builtIn: [any ModelFamily] = [
    RWKV5Family(),
    LlamaFamily(),
  ]

  /// The default family of a new model.
  public static let standard: any ModelFamily = RWKV5Family()

  private static let registered = Mutex<[any ModelFamily]>([])

  /// All families in the order in which they are tried: the registered ones, starting with the newest, and then the
  /// built-in ones.
  public static var all: [any ModelFamily] { registered.withLock { $0 } + builtIn }

  /// Registers a family of your own, which takes precedence over the built-in ones and over those registered before it.
  /// A family with the name of a registered one replaces it.
  public static func register(_ family: any ModelFamily) {
    registered.withLock { families in
      families.removeAll { $0.name == family.name }
      families.insert(family, at: 0)
    }
  }

  /// The family with a name, as used on the command line; nil if there is none.
  public static func named(_ name: String) -> (any ModelFamily)? { all.first { $0.name == name } }

  /// All families in a sentence, e.g. `RWKV-5 and the Llama family`.
  static var titles: String {
    let titles = all.map(\.title)
    return (titles.count > 1 ? titles.dropLast().joined(separator: ", ") + " and " : "") + (titles.last ?? "nothing")
  }

  /// The family that a checkpoint is of, with the names of the tensors in the file by the family's own.
  ///
  /// - Throws: `FileError` saying what it is instead.
  static func recognize(_ checkpoint: Checkpoint) throws -> (family: any ModelFamily, names: [String: String]) {
    let families = all
    for family in families {
      if let names = try family.recognize(checkpoint) { return (family, names) }
    }
    for family in families {
      if let refusal = family.refusal(of: checkpoint) { throw refusal }
    }
    let file = checkpoint.path.split(separator: "/").last ?? ""
    if checkpoint.names.contains(where: { $0.contains(".lora_") }) || file.hasPrefix("adapter_model.") {
      throw FileError.adapter(checkpoint.path)
    }
    throw FileError(
      file: checkpoint.path,
      "its tensors (\(checkpoint.names.prefix(3).joined(separator: ", ")) ...) belong to no architecture that Martlet supports: \(titles)"
    )
  }
}
