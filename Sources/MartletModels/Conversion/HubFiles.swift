import Foundation
import MartletCheckpoints
import MartletData
import MartletTensor
import MartletTokenizers

/// The files that accompany a model's weights in a folder of the hub: `config.json`, the tokenizer's files and the
/// generation settings. They are copied from a hub folder, or made from the metadata of a GGUF file.
public enum HubFiles {
  /// A file to write.
  public struct File: Sendable {
    /// The path to write to.
    public let path: String
    /// The contents.
    public let contents: Data
  }

  /// Files that say something of a model and hold no weights.
  private static let taken = [
    "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json", "chat_template.jinja", "chat_template.json", "vocab.json", "merges.txt", "tokenizer.model",
  ]

  /// What belongs beside the file that a conversion writes to `path`. In the source's own folder that is nothing, as all
  /// of it is there.
  static func files(for conversion: Conversion, beside path: String) throws -> [File] {
    let checkpoint = conversion.checkpoint
    let folder = path.parentFolder
    func file(_ name: String, _ contents: Data) -> File {
      File(path: (folder as NSString).appendingPathComponent(name), contents: contents)
    }
    if checkpoint.format == .gguf {
      var files = try tokenizerFiles(of: checkpoint).map { file($0.name, $0.contents) }
      if let configuration = try configuration(conversion) {
        files.append(file("config.json", configuration))
        files.append(file("generation_config.json", try json(generation(checkpoint))))
      }
      return files
    }
    let source = checkpoint.path.parentFolder
    func place(_ folder: String) -> String {
      URL(fileURLWithPath: folder.isEmpty ? "." : folder).standardizedFileURL.resolvingSymlinksInPath().path
    }
    let isHome = place(source) == place(folder)
    if isHome, !conversion.isUntied { return [] }
    var files: [File] = []
    if let configuration = try configuration(conversion) { files.append(file("config.json", configuration)) }
    guard !isHome else { return files }
    for name in taken {
      if let contents = FileManager.default.contents(atPath: (source as NSString).appendingPathComponent(name)) {
        files.append(file(name, contents))
      }
    }
    return files
  }

  /// The tokenizer of a GGUF file as files of the hub; empty if it has no tokenizer.
  /// - Throws: `FileError` that names what a tokenizer.json cannot express.
  public static func tokenizerFiles(of checkpoint: Checkpoint) throws -> [(name: String, contents: Data)] {
    guard let tokenizer = try TokenizerLoading.hubTokenizer(of: checkpoint) else { return [] }
    var settings: [String: MetadataValue] = [
      "tokenizer_class": .string("PreTrainedTokenizerFast"), "clean_up_tokenization_spaces": .bool(false),
    ]
    var special: [String: MetadataValue] = [:]
    for (name, text) in ChatFormat.specialTokens(of: checkpoint) { special[name] = .string(text) }
    settings.merge(special) { $1 }
    if let context = context(checkpoint) { settings["model_max_length"] = .integer(context) }
    if let template = ChatFormat.template(of: checkpoint) { settings["chat_template"] = .string(template) }
    return [
      ("tokenizer.json", Data(tokenizer)), ("tokenizer_config.json", try json(settings)),
      ("special_tokens_map.json", try json(special)),
    ]
  }

  private static func context(_ checkpoint: Checkpoint) -> Int? {
    checkpoint.metadata["general.architecture"]?.string.flatMap {
      checkpoint.metadata["\($0).context_length"]?.integer
    }
  }

  /// The ids of special tokens, by the hub's names.
  private static func tokenIDs(_ checkpoint: Checkpoint) -> [String: MetadataValue] {
    var ids: [String: MetadataValue] = [:]
    for (key, name) in [("bos", "bos"), ("eos", "eos"), ("padding", "pad")] {
      if let id = checkpoint.metadata["tokenizer.ggml.\(key)_token_id"]?.integer {
        ids["\(name)_token_id"] = .integer(id)
      }
    }
    return ids
  }

  private static func generation(_ checkpoint: Checkpoint) -> [String: MetadataValue] {
    tokenIDs(checkpoint).merging(["_from_model_config": .bool(true)]) { $1 }
  }

  /// The `config.json` of what is written: the family's, with the ids of special tokens, the type and the head as they
  /// become; nil where the family has none.
  private static func configuration(_ conversion: Conversion) throws -> Data? {
    guard var settings = conversion.plan.hubConfiguration else { return nil }
    if conversion.checkpoint.format == .gguf {
      settings.merge(tokenIDs(conversion.checkpoint).mapValues(\.foundation)) { $1 }
    }
    if conversion.isUntied { settings["tie_word_embeddings"] = false }
    if let type = conversion.mainType {
      // transformers 4 reads torch_dtype, 5 dtype.
      for key in ["dtype", "torch_dtype"] where key == "torch_dtype" || settings[key] != nil {
        settings[key] = type
      }
      if settings["dtype"] != nil { settings["torch_dtype"] = nil }
    }
    return try json(settings)
  }

  private static func json(_ settings: [String: MetadataValue]) throws -> Data {
    try json(settings.mapValues(\.foundation))
  }

  private static func json(_ settings: [String: Any]) throws -> Data {
    try JSONSerialization.data(
      withJSONObject: settings, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]) + Data("\n".utf8)
  }
}

extension Conversion {
  /// PyTorch's name of the type that most values are written in.
  var mainType: String? {
    let counts = Dictionary(plan.items.map { ($0.type, $0.source.count) }, uniquingKeysWith: +)
    return switch counts.max(by: { $0.value < $1.value })?.key {
    case .f32: "float32"
    case .f16: "float16"
    case .bf16: "bfloat16"
    default: nil
    }
  }
}
