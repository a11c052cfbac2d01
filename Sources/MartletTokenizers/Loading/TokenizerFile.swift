import Foundation
import MartletData

/// A tokenizer.json, read and checked.
///
/// `truncation` and `padding` are passed over: they are for batches of texts, and transformers does not apply them where
/// one text is encoded.
struct TokenizerFile {
  let path: String
  /// Texts of tokens by id; empty for ids that no token has.
  private(set) var vocabulary: [[UInt8]] = []
  private(set) var ids: [[UInt8]: Int32] = [:]
  private(set) var merges: [(left: [UInt8], right: [UInt8])] = []
  private(set) var added: [AddedToken] = []
  let normalizer: TextNormalizer
  let preTokenizer: PreTokenizer
  let decoder: TokenDecoder
  let beginOfText: Int?
  private(set) var options = BytePairModel.Options()

  /// Ids are below this: vocabularies have few holes, and a file must not take memory that it does not fill.
  private var idLimit = 100_000

  init(_ path: String) throws {
    self.path = path
    let bytes = try MappedFile.contents(of: path)
    func fail(_ problem: String) -> FileError { FileError(file: path, problem) }
    guard bytes.count <= 256 << 20 else {
      throw fail("\(bytes.count) bytes are more than the limit for a tokenizer.json")
    }
    guard let root = OrderedJSON(Array(bytes)), case .object(let members) = root, let model = root["model"],
      case .object = model
    else { throw fail("it is not a tokenizer.json; fetch it again") }
    if let version = root["version"], version.text != "1.0" {
      throw fail("its version is not 1.0, the supported one")
    }
    let known = [
      "version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder",
      "model",
    ]
    for member in members where !member.value.isNull {
      let name = String(decoding: member.name, as: UTF8.self)
      if !known.contains(name) { throw fail("its part \(name) is not supported") }
    }
    normalizer = try TextNormalizer(root["normalizer"], file: path)
    preTokenizer = try PreTokenizer(root["pre_tokenizer"], file: path)
    decoder = try TokenDecoder(root["decoder"], file: path)
    beginOfText = try PostProcessor(root["post_processor"], file: path).beginOfText
    try readModel(model)
    try readAdded(root["added_tokens"])
    if let id = beginOfText, !vocabulary.indices.contains(id) || vocabulary[id].isEmpty {
      throw fail("its post-processor puts token \(id) in front, which is not in its vocabulary")
    }
  }

  private func fail(_ problem: String) -> FileError { FileError(file: path, problem) }

  // MARK: model

  private mutating func readModel(_ model: OrderedJSON) throws {
    guard model["type"].map({ $0.text == "BPE" }) ?? (model["merges"] != nil) else {
      let type = model["type"]?.text ?? "without a type"
      throw fail("its model \(type) is not byte-pair encoding; Martlet reads BPE tokenizers")
    }
    let part = try TokenizerPart(
      model["type"] == nil ? .object([(Array("type".utf8), .string(Array("BPE".utf8)))] + Self.members(model)) : model,
      kind: "model", file: path)
    try part.allow(
      "vocab", "merges", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk",
      "byte_fallback", "ignore_merges")
    switch part["dropout"] {
    case nil, .integer(0), .real(0): break
    default: throw part.fail("drops merges at random (dropout), which makes results random; set it to null")
    }
    try readVocabulary(part)
    try readMerges(part)
    options.fusesUnknown = try part.bool("fuse_unk", default: false)
    options.fallsBackToBytes = try part.bool("byte_fallback", default: false)
    options.ignoresMerges = try part.bool("ignore_merges", default: false)
    if part["continuing_subword_prefix"] != nil {
      options.continuingPrefix = Array(try part.text("continuing_subword_prefix").utf8)
    }
    if part["end_of_word_suffix"] != nil { options.endSuffix = Array(try part.text("end_of_word_suffix").utf8) }
    if let unknown = part["unk_token"] {
      guard let text = unknown.bytes, let id = ids[text] else {
        throw part.fail("has an unk_token that its vocabulary lacks; fetch it again")
      }
      options.unknown = id
    }
  }

  private static func members(_ value: OrderedJSON) -> [(name: [UInt8], value: OrderedJSON)] {
    if case .object(let members) = value { members } else { [] }
  }

  private mutating func readVocabulary(_ part: TokenizerPart) throws {
    guard case .object(let tokens)? = part["vocab"] else { throw part.fail("has no vocab; fetch it again") }
    ids.reserveCapacity(tokens.count)
    idLimit += 2 * tokens.count
    for (text, value) in tokens {
      let name = String(decoding: text, as: UTF8.self)
      guard let id = value.integer, id >= 0, id < idLimit else {
        throw fail("its token \(name) has no id from 0 to \(idLimit - 1); fetch it again")
      }
      guard ids.updateValue(Int32(id), forKey: text) == nil else { throw fail("its token \(name) is listed twice") }
      try place(text, id)
    }
  }

  private mutating func place(_ text: [UInt8], _ id: Int) throws {
    if id >= vocabulary.count {
      vocabulary += [[UInt8]](repeating: [], count: id + 1 - vocabulary.count)
    } else if !vocabulary[id].isEmpty {
      let (first, second) = (String(decoding: vocabulary[id], as: UTF8.self), String(decoding: text, as: UTF8.self))
      throw fail("its tokens \(first) and \(second) have the same id \(id); fetch it again")
    }
    vocabulary[id] = text
  }

  private mutating func readMerges(_ part: TokenizerPart) throws {
    guard let list = part["merges"]?.array else { throw part.fail("has no merges; fetch it again") }
    merges.reserveCapacity(list.count)
    for (index, merge) in list.enumerated() {
      if let pair = merge.array, pair.count == 2, let left = pair[0].bytes, let right = pair[1].bytes {
        merges.append((left, right))
      } else if let text = merge.bytes {
        if text.starts(with: "#version".utf8) { continue }
        let parts = text.split(separator: 32, omittingEmptySubsequences: false)
        guard parts.count == 2 else { throw part.fail("has a merge \(index + 1) that is not a pair; fetch it again") }
        merges.append((Array(parts[0]), Array(parts[1])))
      } else {
        throw part.fail("has a merge \(index + 1) that is not a pair; fetch it again")
      }
    }
  }

  // MARK: added tokens

  private mutating func readAdded(_ value: OrderedJSON?) throws {
    guard let value, !value.isNull else { return }
    guard let list = value.array else { throw fail("its added_tokens are not a list; fetch it again") }
    // `tokenizers` numbers tokens that the vocabulary lacks from its size upwards, whatever their entry says.
    var nextId = ids.count
    var seen: [[UInt8]: Int] = [:]
    var spellings: [[Unicode.Scalar]: String] = [:]
    for (index, item) in list.enumerated() {
      guard let content = item["content"]?.bytes, let id = item["id"]?.integer, case .object(let members) = item else {
        throw fail("its added token \(index + 1) has no id or content; fetch it again")
      }
      if content.isEmpty { continue }
      var token = AddedToken(text: String(decoding: content, as: UTF8.self), id: id)
      for (name, value) in members {
        let name = String(decoding: name, as: UTF8.self)
        if name == "id" || name == "content" { continue }
        guard let flag = value.bool else {
          throw fail("its added token \(token.text) has a \(name) that is neither true nor false")
        }
        switch name {
        case "single_word": token.singleWord = flag
        case "lstrip": token.stripsLeft = flag
        case "rstrip": token.stripsRight = flag
        case "normalized": token.isNormalized = flag
        case "special": token.isSpecial = flag
        default: throw fail("its added token \(token.text) has a setting \(name) that Martlet does not support")
        }
      }
      if let earlier = seen[content] {
        if earlier == id { continue }
        throw fail("its added token \(token.text) is listed with the ids \(earlier) and \(id); fetch it again")
      }
      seen[content] = id
      if token.isNormalized {
        let spelling = normalizer.normalized(token.text)
        if spelling.isEmpty {
          throw fail("its added token \(token.text) is empty after normalisation; set its normalized to false")
        }
        if let other = spellings.updateValue(token.text, forKey: spelling) {
          throw fail("its added tokens \(other) and \(token.text) are the same after normalisation; remove one")
        }
      }
      let expected = ids[content].map(Int.init) ?? nextId
      guard id == expected, id < idLimit else {
        throw fail("its added token \(token.text) has id \(id), but its vocabulary has \(expected); fetch it again")
      }
      if ids[content] == nil {
        try place(content, id)
        nextId += 1
      }
      added.append(token)
    }
  }

  // MARK: the tokenizer

  /// - Parameters:
  ///   - endings: names of tokens that end an answer.
  ///   - prefixes: names of the token that begins texts and of the one that ends them, as far as files name them.
  func tokenizer(endings: [String], prefixes: [String] = []) throws -> BytePairTokenizer {
    let printsBytes: Bool
    if case .printBytes? = preTokenizer.steps.last { printsBytes = true } else { printsBytes = false }
    let model: BytePairModel
    do {
      model = try BytePairModel(
        ids: ids, merges: merges, special: Set(added.filter(\.isSpecial).map(\.id)), options: options,
        printsBytes: printsBytes, prefersLater: true)
    } catch { throw fail(error.problem) }
    func id(_ name: String) -> Int? { added.first { $0.text == name }?.id ?? ids[Array(name.utf8)].map(Int.init) }
    return BytePairTokenizer(
      BytePairTokenizer.Parts(
        vocabulary: vocabulary, added: added, normalizer: normalizer, preTokenizer: preTokenizer, model: model,
        decoder: decoder, beginOfText: beginOfText, endOfText: Set(endings.compactMap(id)),
        prefixToken: prefixes.lazy.compactMap(id).first, name: options.fallsBackToBytes ? "sentencepiece" : "bpe"))
  }
}
