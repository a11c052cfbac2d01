import Foundation
import MartletCheckpoints
import MartletData

/// Finds the tokenizer that belongs to a model.
public enum TokenizerLoading {
  /// Opens a tokenizer by name (`rwkv-world`, `bytes`) or from a file: `tokenizer.json`, a GGUF model, a World
  /// vocabulary (.txt), or a folder that contains a tokenizer.json.
  public static func open(_ nameOrPath: String) throws -> any Tokenizer {
    switch nameOrPath {
    case "rwkv-world": return WorldTokenizer.shared
    case "bytes": return ByteTokenizer()
    default: break
    }
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: nameOrPath, isDirectory: &isFolder), isFolder.boolValue {
      return try open((nameOrPath as NSString).appendingPathComponent("tokenizer.json"))
    }
    let file = try MappedFile(path: nameOrPath)
    defer { withExtendedLifetime(file) {} }
    if file.bytes.prefix(4).elementsEqual("GGUF".utf8) { return try GGUFTokenizer.read(GGUF.open(nameOrPath)) }
    if file.bytes.first == UInt8(ascii: "{") { return try fromJSON(nameOrPath) }
    if file.bytes.first.map({ (48...57).contains($0) }) == true {
      return try WorldTokenizer(vocabulary: file.bytes, file: nameOrPath)
    }
    throw FileError(
      file: nameOrPath,
      "this is not a tokenizer that Martlet supports; give rwkv-world, bytes, a tokenizer.json or a GGUF file")
  }

  /// The tokenizer of a checkpoint with `vocabularySize` tokens: from its metadata, from a tokenizer.json in the same
  /// folder, else RWKV World for 65,536 tokens and bytes for 256.
  public static func forModel(_ checkpoint: Checkpoint, vocabularySize: Int) throws -> any Tokenizer {
    if checkpoint.format == .gguf, checkpoint.metadata["tokenizer.ggml.tokens"] != nil {
      return try GGUFTokenizer.read(checkpoint)
    }
    if vocabularySize == 65_536 { return WorldTokenizer.shared }
    let folder = checkpoint.path.parentFolder
    let beside = (folder as NSString).appendingPathComponent("tokenizer.json")
    if FileManager.default.fileExists(atPath: beside) { return try fromJSON(beside) }
    if vocabularySize == 256 { return ByteTokenizer() }
    throw FileError(
      file: checkpoint.path,
      "there is no tokenizer for its \(vocabularySize) tokens in its folder; put tokenizer.json there or give --tokenizer"
    )
  }

  private static func fromJSON(_ path: String) throws -> BytePairTokenizer {
    let special = try specialTokens(beside: path)
    return try TokenizerFile(path).tokenizer(
      endings: endings(beside: path), prefixes: ["bos_token", "eos_token"].compactMap { special[$0] })
  }

  /// The settings in a file of that name beside a tokenizer.json; nil where there is none.
  /// - Throws: ``FileError`` for one that is damaged: without it answers would have no end.
  private static func settings(_ name: String, beside path: String) throws -> OrderedJSON? {
    let path = (path.parentFolder as NSString).appendingPathComponent(name)
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    guard let value = OrderedJSON(Array(try MappedFile.contents(of: path))), case .object = value else {
      throw FileError(file: path, "it is not a JSON object; fetch it again, or remove it")
    }
    return value
  }

  /// Names of the end tokens, from the configuration files beside tokenizer.json.
  private static func endings(beside path: String) throws -> [String] {
    var names = ["<|im_end|>", "<|eot_id|>", "<|endoftext|>", "</s>", "<|end_of_text|>"]
    let token = try settings("tokenizer_config.json", beside: path)?["eos_token"]
    if let name = token?.text ?? token?["content"]?.text { names.append(name) }
    return names
  }

  /// The tokenizer in a GGUF file, as the text of a tokenizer.json; nil if the file has no tokenizer.
  ///
  /// - Throws: `FileError` for a tokenizer that a tokenizer.json cannot express.
  public static func hubTokenizer(of checkpoint: Checkpoint) throws -> [UInt8]? {
    guard checkpoint.metadata["tokenizer.ggml.tokens"] != nil else { return nil }
    // What cannot be read must not be written either.
    return try GGUFTokenizer.hubFile(checkpoint, GGUFTokenizer.read(checkpoint))
  }

  /// The tokenizer that ``forModel(_:vocabularySize:)`` finds for a checkpoint, as GGUF metadata: that of a GGUF file as it stands,
  /// else the tokenizer.json in its folder. Empty for RWKV World, which needs none, and where there is none.
  ///
  /// - Throws: `FileError` for a tokenizer that GGUF cannot express.
  public static func metadataForGGUF(of checkpoint: Checkpoint, vocabularySize: Int) throws -> [(String, MetadataValue)]
  {
    if checkpoint.format == .gguf, checkpoint.metadata["tokenizer.ggml.tokens"] != nil {
      return checkpoint.metadata.filter { $0.key.hasPrefix("tokenizer.") }.sorted { $0.key < $1.key }
    }
    if vocabularySize == 65_536 { return [] }
    return try metadataForGGUF(beside: checkpoint.path, vocabularySize: vocabularySize)
  }

  /// The tokenizer.json in the folder of a model, as GGUF metadata; empty if there is none.
  static func metadataForGGUF(beside path: String, vocabularySize: Int) throws -> [(String, MetadataValue)] {
    let path = (path.parentFolder as NSString).appendingPathComponent("tokenizer.json")
    guard FileManager.default.fileExists(atPath: path) else { return [] }
    let file = try TokenizerFile(path)
    return try GGUFTokenizer.metadata(
      for: file, tokenizer: file.tokenizer(endings: endings(beside: path)),
      special: specialTokens(beside: path), vocabularySize: vocabularySize)
  }

  /// The texts of special tokens, by the names of the hub (`bos_token` ...), from the configuration files beside a
  /// tokenizer.json.
  private static func specialTokens(beside path: String) throws -> [String: String] {
    var found: [String: String] = [:]
    for file in ["special_tokens_map.json", "tokenizer_config.json"] {
      guard let value = try settings(file, beside: path) else { continue }
      for name in ["bos_token", "eos_token", "unk_token", "pad_token"] {
        if let text = value[name]?.text ?? value[name]?["content"]?.text { found[name] = text }
      }
    }
    return found
  }
}
