import MartletCheckpoints
import MartletData

/// Tokenizers as GGUF files carry them, in metadata under `tokenizer.ggml`.
enum GGUFTokenizer {
  /// What `tokenizer.ggml.token_type` says of a token.
  enum TokenType: Int { case normal = 1, unknown, control, userDefined, unused, byte }

  static func read(_ checkpoint: Checkpoint) throws -> any Tokenizer {
    let metadata = checkpoint.metadata
    func fail(_ problem: String) -> FileError { FileError(file: checkpoint.path, problem) }
    guard let texts = metadata["tokenizer.ggml.tokens"]?.array, !texts.isEmpty else {
      throw fail("it contains no tokenizer; give --tokenizer")
    }
    let tokens = try texts.enumerated().map { id, text in
      guard let text = text.string else { throw fail("its token \(id) is not a text; the file is damaged") }
      return text
    }
    let types = metadata["tokenizer.ggml.token_type"]?.array?.map { $0.integer ?? 0 } ?? []
    guard types.isEmpty || types.count == tokens.count else {
      throw fail("its tokenizer has \(types.count) token types for \(tokens.count) tokens; the file is damaged")
    }
    let model = metadata["tokenizer.ggml.model"]?.string ?? "?"
    var added: [AddedToken] = []
    for (id, type) in types.enumerated() where !tokens[id].isEmpty {
      switch TokenType(rawValue: type) {
      case .control?: added.append(AddedToken(text: tokens[id], id: id, isSpecial: true))
      case .unknown? where model == "llama": added.append(AddedToken(text: tokens[id], id: id, isSpecial: true))
      case .userDefined?: added.append(AddedToken(text: tokens[id], id: id))
      default: break
      }
    }
    func id(_ key: String) -> Int? {
      metadata["tokenizer.ggml.\(key)"]?.integer.flatMap { tokens.indices.contains($0) ? $0 : nil }
    }
    let begin = id("bos_token_id")
    let addsBegin = metadata["tokenizer.ggml.add_bos_token"]?.bool
    var end = Set([id("eos_token_id"), id("eot_token_id"), id("eom_token_id")].compactMap { $0 })
    let endings: Set = ["<|im_end|>", "<|eot_id|>", "<|end|>", "<end_of_turn>", "<|endoftext|>"]
    for token in added where endings.contains(token.text) { end.insert(token.id) }
    switch model {
    case "gpt2":
      let kind = metadata["tokenizer.ggml.pre"]?.string ?? "default"
      guard let known = try? GGUFPreTokenizer(named: kind) else {
        throw fail(
          "its pre-tokenizer (tokenizer.ggml.pre) \(kind) is not supported; give --tokenizer with the model's "
            + "tokenizer.json, or convert the model again from its folder with tokenizer.json")
      }
      let adds = !known.neverBegins && addsBegin ?? known.addsBeginOfText
      return try bytePairs(
        checkpoint, tokens: tokens, added: added, known: known, beginOfText: adds ? begin : nil, endOfText: end,
        prefixToken: begin ?? id("eos_token_id"))
    case "llama":
      let scores = metadata["tokenizer.ggml.scores"]?.array?.compactMap { $0.real.map(Float.init) } ?? []
      guard scores.count == tokens.count else {
        throw fail("its tokenizer has \(scores.count) scores for \(tokens.count) tokens; the file is damaged")
      }
      return SentencePieceTokenizer(
        vocabulary: tokens, scores: scores, added: added, unknown: id("unknown_token_id"),
        beginOfText: addsBegin ?? true ? begin : nil, endOfText: end,
        prefixToken: begin ?? id("eos_token_id"),
        prefixesSpace: metadata["tokenizer.ggml.add_space_prefix"]?.bool ?? true)
    default:
      throw fail(
        "its tokenizer (tokenizer.ggml.model) \(model) is not supported (gpt2 and llama are); give --tokenizer")
    }
  }

  private static func bytePairs(
    _ checkpoint: Checkpoint, tokens: [String], added: [AddedToken], known: GGUFPreTokenizer, beginOfText: Int?,
    endOfText: Set<Int>, prefixToken: Int?
  ) throws -> BytePairTokenizer {
    func fail(_ problem: String) -> FileError { FileError(file: checkpoint.path, problem) }
    let vocabulary = tokens.map { Array($0.utf8) }
    var ids: [[UInt8]: Int32] = [:]
    ids.reserveCapacity(vocabulary.count)
    for (id, text) in vocabulary.enumerated() {
      if let earlier = ids.updateValue(Int32(id), forKey: text), !text.isEmpty {
        throw fail("its tokens \(earlier) and \(id) are both \(tokens[id]); the file is damaged")
      }
    }
    guard let list = checkpoint.metadata["tokenizer.ggml.merges"]?.array, !list.isEmpty else {
      throw fail("its tokenizer has no merges; the file is damaged")
    }
    let merges = try list.enumerated().map { index, merge -> (left: [UInt8], right: [UInt8]) in
      // A token may begin with a space that stands for itself, so the separator is the first after a character.
      guard let text = merge.string.map({ Array($0.utf8) }), let space = text.dropFirst().firstIndex(of: 32) else {
        throw fail("its merge \(index + 1) is not a pair; the file is damaged")
      }
      return (Array(text[..<space]), Array(text[(space + 1)...]))
    }
    do {
      let model = try BytePairModel(
        ids: ids, merges: merges, special: Set(added.filter(\.isSpecial).map(\.id)),
        options: BytePairModel.Options(ignoresMerges: known.ignoresMerges), printsBytes: true, prefersLater: false)
      // Added tokens are kept in GGUF as the text they stand for, not printed byte by byte.
      return BytePairTokenizer(
        BytePairTokenizer.Parts(
          vocabulary: vocabulary, added: added, normalizer: known.normalizer, preTokenizer: known.preTokenizer,
          model: model, decoder: TokenDecoder([.printedBytes]), beginOfText: beginOfText, endOfText: endOfText,
          prefixToken: prefixToken, addedAreText: true))
    } catch { throw fail(error.problem) }
  }
}
