import MartletCheckpoints
import MartletData

// From a tokenizer.json to GGUF.
extension GGUFTokenizer {
  /// - Throws: ``FileError`` naming what GGUF cannot express.
  static func metadata(
    for file: TokenizerFile, tokenizer: BytePairTokenizer, special: [String: String], vocabularySize: Int
  ) throws -> [(String, MetadataValue)] {
    func fail(_ problem: String) -> FileError {
      FileError(file: file.path, "\(problem), which GGUF cannot say; write .safetensors")
    }
    guard !file.options.fallsBackToBytes, file.options.continuingPrefix.isEmpty, file.options.endSuffix.isEmpty else {
      throw fail("its model is not byte-level BPE")
    }
    let kind = GGUFPreTokenizer.name(
      of: file.preTokenizer, ignoresMerges: file.options.ignoresMerges, normalizer: file.normalizer)
    guard let kind else {
      let merges = file.options.ignoresMerges
      let isNormalizer =
        !file.normalizer.steps.isEmpty
        && GGUFPreTokenizer.name(of: file.preTokenizer, ignoresMerges: merges, normalizer: TextNormalizer([])) != nil
      throw fail(
        isNormalizer
          ? "it has a normalizer" : "its pre-tokenizer (with ignore_merges \(merges)) is not one that has a name")
    }
    if let token = file.added.first(where: { $0.stripsLeft || $0.stripsRight || $0.singleWord }) {
      throw fail("its added token \(token.text) has lstrip, rstrip or single_word")
    }
    guard file.vocabulary.count <= vocabularySize else {
      throw FileError(
        file: file.path,
        "its \(file.vocabulary.count) tokens are more than the model's \(vocabularySize), so it belongs to another model; move it to another folder"
      )
    }
    var tokens = (0..<vocabularySize).map { "[PAD\($0)]" }
    var types = [Int](repeating: TokenType.unused.rawValue, count: vocabularySize)
    for (id, text) in file.vocabulary.enumerated() where !text.isEmpty {
      (tokens[id], types[id]) = (String(decoding: text, as: UTF8.self), TokenType.normal.rawValue)
    }
    for token in file.added {
      types[token.id] = (token.isSpecial ? TokenType.control : .userDefined).rawValue
    }
    let merges = file.merges.map { String(decoding: $0.left + [32] + $0.right, as: UTF8.self) }
    var metadata: [(String, MetadataValue)] = [
      ("tokenizer.ggml.model", .string("gpt2")), ("tokenizer.ggml.pre", .string(kind)),
      ("tokenizer.ggml.tokens", .array(tokens.map { .string($0) })),
      ("tokenizer.ggml.merges", .array(merges.map { .string($0) })),
      ("tokenizer.ggml.add_bos_token", .bool(tokenizer.beginOfText != nil)),
      ("tokenizer.ggml.token_type", .array(types.map { .integer($0) })),
    ]
    func id(_ name: String) -> Int? { special[name].flatMap { file.ids[Array($0.utf8)] }.map(Int.init) }
    let ids = [
      ("bos", tokenizer.beginOfText ?? id("bos_token")), ("eos", id("eos_token") ?? tokenizer.endOfText.min()),
      ("unknown", id("unk_token")), ("padding", id("pad_token")),
    ]
    for case (let name, let id?) in ids { metadata.append(("tokenizer.ggml.\(name)_token_id", .integer(id))) }
    return metadata
  }
}
