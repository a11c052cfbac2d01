import Foundation
import MartletCheckpoints

/// Finds the tokenizer that belongs to a model.
public enum TokenizerLoading {
  /// By name (`rwkv-world`, `bytes`) or by file: `tokenizer.json`, a GGUF model, a World vocabulary (.txt), or a
  /// folder that holds a tokenizer.json.
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
    if file.bytes.prefix(4).elementsEqual("GGUF".utf8) { return try fromGGUF(GGUF.open(nameOrPath)) }
    if file.bytes.first == UInt8(ascii: "{") { return try fromJSON(nameOrPath) }
    if file.bytes.first.map({ (48...57).contains($0) }) == true {
      return try WorldTokenizer(vocabulary: file.bytes, file: nameOrPath)
    }
    throw CheckpointError(
      file: nameOrPath, "this is no tokenizer Martlet knows; give rwkv-world, bytes, a tokenizer.json or a GGUF file")
  }

  /// For a checkpoint with `vocabularySize` tokens: from its own metadata, from a tokenizer.json beside it, else
  /// World for 65,536 tokens and bytes for 256.
  public static func forModel(_ checkpoint: Checkpoint, vocabularySize: Int) throws -> any Tokenizer {
    if checkpoint.format == .gguf, checkpoint.metadata["tokenizer.ggml.tokens"] != nil {
      return try fromGGUF(checkpoint)
    }
    if vocabularySize == 65_536 { return WorldTokenizer.shared }
    let folder = (checkpoint.path as NSString).deletingLastPathComponent
    let beside = (folder as NSString).appendingPathComponent("tokenizer.json")
    if FileManager.default.fileExists(atPath: beside) { return try fromJSON(beside) }
    if vocabularySize == 256 { return ByteTokenizer() }
    throw CheckpointError(
      file: checkpoint.path,
      "no tokenizer for its \(vocabularySize) tokens lies beside it; put tokenizer.json there or give --tokenizer")
  }

  // MARK: GGUF

  private static func fromGGUF(_ checkpoint: Checkpoint) throws -> any Tokenizer {
    let metadata = checkpoint.metadata
    func fail(_ problem: String) -> CheckpointError { CheckpointError(file: checkpoint.path, problem) }
    guard let tokens = metadata["tokenizer.ggml.tokens"]?.array?.compactMap(\.string), !tokens.isEmpty else {
      throw fail("it carries no tokenizer; give --tokenizer")
    }
    let types = metadata["tokenizer.ggml.token_type"]?.array?.compactMap(\.integer) ?? []
    var added: [String: Int] = [:]
    var control: Set<Int> = []
    for (id, type) in types.enumerated() where id < tokens.count {
      if type == 3 || type == 4 { added[tokens[id]] = id }  // control, user-defined
      if type == 3 { control.insert(id) }
    }
    func id(_ key: String) -> Int? {
      metadata["tokenizer.ggml.\(key)"]?.integer.flatMap { tokens.indices.contains($0) ? $0 : nil }
    }
    let model = metadata["tokenizer.ggml.model"]?.string ?? "?"
    let begin = id("bos_token_id")
    let addsBegin = metadata["tokenizer.ggml.add_bos_token"]?.bool ?? (model == "llama")
    var end = Set([id("eos_token_id"), id("eot_token_id"), id("eom_token_id")].compactMap { $0 })
    for name in ["<|im_end|>", "<|eot_id|>", "<|end|>", "<end_of_turn>", "<|endoftext|>"] {
      if let id = added[name] { end.insert(id) }
    }
    switch model {
    case "gpt2":
      let merges = (metadata["tokenizer.ggml.merges"]?.array ?? []).compactMap { $0.string.flatMap(pair) }
      guard !merges.isEmpty else { throw fail("its tokenizer has no merges; the file is damaged") }
      let kind = metadata["tokenizer.ggml.pre"]?.string ?? "default"
      let preTokenizer: PreTokenizer =
        switch kind {
        case "smollm", "starcoder", "refact", "command-r", "codeshell": .digitsThenGPT2
        case "llama-bpe", "llama3", "llama-v3", "smaug-bpe", "dbrx": .llama3(digits: 3)
        case "qwen2", "deepseek-r1-qwen", "stablelm2", "megrez": .llama3(digits: 1)
        case "gpt-2", "gpt2", "default", "olmo", "phi-2", "mpt", "roberta-bpe", "jina-v1-en": .gpt2
        default:
          throw fail("its pre-tokenizer \(kind) is not known to Martlet; give --tokenizer with its tokenizer.json")
        }
      return BytePairTokenizer(
        vocabulary: tokens, merges: merges, added: added, control: control, preTokenizer: preTokenizer,
        beginOfText: addsBegin ? begin : nil, endOfText: end,
        composes: kind == "qwen2", ignoresMerges: ["llama-bpe", "llama3", "llama-v3"].contains(kind))
    case "llama":
      let scores = metadata["tokenizer.ggml.scores"]?.array?.compactMap { $0.real.map(Float.init) } ?? []
      guard scores.count == tokens.count else {
        throw fail("its tokenizer has \(scores.count) scores for \(tokens.count) tokens; the file is damaged")
      }
      return SentencePieceTokenizer(
        vocabulary: tokens, ranks: .scores(scores), added: added, control: control, unknown: id("unknown_token_id"),
        beginOfText: addsBegin ? begin : nil, endOfText: end,
        prefixesSpace: metadata["tokenizer.ggml.add_space_prefix"]?.bool ?? true)
    default: throw fail("its tokenizer \(model) is not one Martlet knows (gpt2, llama); give --tokenizer")
    }
  }

  private static func pair(_ text: String) -> (String, String)? {
    let parts = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
    return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
  }

  // MARK: tokenizer.json

  private static func fromJSON(_ path: String) throws -> any Tokenizer {
    func fail(_ problem: String) -> CheckpointError { CheckpointError(file: path, problem) }
    let bytes = try MappedFile.contents(of: path)
    guard let root = (try? MetadataValue(json: Data(bytes)))?.object, let model = root["model"]?.object else {
      throw fail("it is not a tokenizer.json; fetch it again")
    }
    guard model["type"]?.string ?? "BPE" == "BPE", let map = model["vocab"]?.object else {
      throw fail("its model \(model["type"]?.string ?? "?") is not byte-pair encoding; Martlet reads BPE tokenizers")
    }
    var size = 0
    var ids: [String: Int] = [:]
    for (text, value) in map {
      guard let id = value.integer, id >= 0, id < 10_000_000 else {
        throw fail("token \(text) has no id; it is damaged")
      }
      ids[text] = id
      size = max(size, id + 1)
    }
    var added: [String: Int] = [:]
    var control: Set<Int> = []
    for token in root["added_tokens"]?.array ?? [] {
      guard let object = token.object, let id = object["id"]?.integer, let text = object["content"]?.string, id >= 0,
        id < 10_000_000
      else { throw fail("an added token has no id or content; it is damaged") }
      added[text] = id
      if object["special"]?.bool == true { control.insert(id) }
      size = max(size, id + 1)
    }
    var vocabulary = [String](repeating: "", count: size)
    for (text, id) in ids { vocabulary[id] = text }
    for (text, id) in added { vocabulary[id] = text }
    let merges: [(String, String)] = (model["merges"]?.array ?? []).compactMap { merge in
      if let text = merge.string { return pair(text) }
      guard let parts = merge.array?.compactMap(\.string), parts.count == 2 else { return nil }
      return (parts[0], parts[1])
    }
    let endNames = endings(beside: path)
    let end = Set(endNames.compactMap { added[$0] ?? ids[$0] })
    let begin = begins(root, added)
    if model["byte_fallback"]?.bool == true {
      var table: [UInt64: PairMerger.Merge] = [:]
      for (rank, merge) in merges.enumerated() {
        guard let left = ids[merge.0], let right = ids[merge.1], let result = ids[merge.0 + merge.1] else { continue }
        table[UInt64(left) << 32 | UInt64(right)] = PairMerger.Merge(rank: Int32(rank), result: Int32(result))
      }
      let description = "\(root["normalizer"] ?? .null) \(root["pre_tokenizer"] ?? .null)"
      let prefixes =
        description.contains("Prepend") || description.contains("\"first\"") || description.contains("always")
      return SentencePieceTokenizer(
        vocabulary: vocabulary, ranks: .pairs(table), added: added, control: control,
        unknown: model["unk_token"]?.string.flatMap { ids[$0] }, beginOfText: begin, endOfText: end,
        prefixesSpace: prefixes)
    }
    return BytePairTokenizer(
      vocabulary: vocabulary, merges: merges, added: added, control: control,
      preTokenizer: try preTokenizer(root["pre_tokenizer"], path: path), beginOfText: begin, endOfText: end,
      composes: root["normalizer"]?.object?["type"]?.string == "NFC",
      ignoresMerges: model["ignore_merges"]?.bool == true)
  }

  private static func preTokenizer(_ value: MetadataValue?, path: String) throws -> PreTokenizer {
    let parts = value?.object?["pretokenizers"]?.array ?? value.map { [$0] } ?? []
    var digits = false, gpt2 = false
    for part in parts {
      switch part.object?["type"]?.string {
      case "Digits": digits = part.object?["individual_digits"]?.bool == true
      case "ByteLevel": gpt2 = gpt2 || part.object?["use_regex"]?.bool != false
      case "Split":
        let pattern = part.object?["pattern"]?.object?["Regex"]?.string ?? ""
        if pattern.contains("\\p{N}{1,3}") { return .llama3(digits: 3) }
        if pattern.contains("[\\r\\n]*|\\s*[\\r\\n]+") { return .llama3(digits: 1) }
        if pattern.contains("'s|'t|'re") { gpt2 = true }
      default: break
      }
    }
    if digits { return .digitsThenGPT2 }
    if gpt2 { return .gpt2 }
    throw CheckpointError(file: path, "its pre-tokenizer is not one Martlet knows (GPT-2, Digits, Llama 3, Qwen2)")
  }

  /// The token that the post-processor puts in front.
  private static func begins(_ root: [String: MetadataValue], _ added: [String: Int]) -> Int? {
    var processors = [root["post_processor"]?.object]
    processors += root["post_processor"]?.object?["processors"]?.array?.map(\.object) ?? []
    for processor in processors {
      let first = processor?["single"]?.array?.first?.object?["SpecialToken"]?.object?["id"]?.string
      if let first { return added[first] }
    }
    return nil
  }

  /// Names of the end tokens, from the configuration files beside tokenizer.json.
  private static func endings(beside path: String) -> [String] {
    let folder = (path as NSString).deletingLastPathComponent
    var names = ["<|im_end|>", "<|eot_id|>", "<|endoftext|>", "</s>", "<|end_of_text|>"]
    let configuration = (folder as NSString).appendingPathComponent("tokenizer_config.json")
    if let data = FileManager.default.contents(atPath: configuration), let value = try? MetadataValue(json: data) {
      let token = value.object?["eos_token"]
      if let name = token?.string ?? token?.object?["content"]?.string { names.append(name) }
    }
    return names
  }

  /// The tokenizer.json beside a model as GGUF metadata; empty where there is none.
  public static func metadataForGGUF(beside path: String, vocabularySize: Int) throws -> [(String, MetadataValue)] {
    let file = ((path as NSString).deletingLastPathComponent as NSString).appendingPathComponent("tokenizer.json")
    guard let data = FileManager.default.contents(atPath: file) else { return [] }
    let loaded = try fromJSON(file)
    guard let root = (try? MetadataValue(json: data))?.object, let model = root["model"]?.object,
      let vocabulary = model["vocab"]?.object, model["byte_fallback"]?.bool != true
    else {
      throw CheckpointError(file: file, "only byte-level BPE tokenizers can be written into GGUF; write .safetensors")
    }
    var tokens = (0..<vocabularySize).map { "[PAD\($0)]" }
    var types = [Int](repeating: 5, count: vocabularySize)  // unused
    for (text, id) in vocabulary {
      guard let id = id.integer, tokens.indices.contains(id) else { continue }
      (tokens[id], types[id]) = (text, 1)
    }
    for token in root["added_tokens"]?.array ?? [] {
      guard let id = token.object?["id"]?.integer, let text = token.object?["content"]?.string,
        tokens.indices.contains(id)
      else { continue }
      (tokens[id], types[id]) = (text, token.object?["special"]?.bool == true ? 3 : 4)
    }
    let merges = (model["merges"]?.array ?? []).compactMap { merge in
      merge.string ?? merge.array.map { $0.compactMap(\.string).joined(separator: " ") }
    }
    let pre =
      switch try preTokenizer(root["pre_tokenizer"], path: file) {
      case .digitsThenGPT2: "smollm"
      case .llama3(let digits): digits == 1 ? "qwen2" : "llama-bpe"
      case .gpt2, .none: "gpt-2"
      }
    var metadata: [(String, MetadataValue)] = [
      ("tokenizer.ggml.model", .string("gpt2")), ("tokenizer.ggml.pre", .string(pre)),
      ("tokenizer.ggml.tokens", .array(tokens.map { .string($0) })),
      ("tokenizer.ggml.merges", .array(merges.map { .string($0) })),
      ("tokenizer.ggml.add_bos_token", .bool(loaded.beginOfText != nil)),
      ("tokenizer.ggml.token_type", .array(types.map { .integer($0) })),
    ]
    if let begin = loaded.beginOfText { metadata.append(("tokenizer.ggml.bos_token_id", .integer(begin))) }
    if let end = loaded.endOfText.min() { metadata.append(("tokenizer.ggml.eos_token_id", .integer(end))) }
    return metadata
  }
}
