import Foundation
import MartletCheckpoints
import MartletData

// From GGUF to a tokenizer.json.
extension GGUFTokenizer {
  /// The text of a tokenizer.json that Hugging Face's library reads as the same tokenizer.
  ///
  /// - Parameter tokenizer: what Martlet reads from the same file.
  static func hubFile(_ checkpoint: Checkpoint, _ tokenizer: any Tokenizer) throws -> [UInt8] {
    let metadata = checkpoint.metadata
    let tokens = (metadata["tokenizer.ggml.tokens"]?.array ?? []).map { $0.string ?? "" }
    let types = metadata["tokenizer.ggml.token_type"]?.array?.map { $0.integer ?? 1 } ?? []
    let isSentencePiece = metadata["tokenizer.ggml.model"]?.string == "llama"
    var added: [JSONValue] = []
    for (id, type) in types.enumerated() where tokens.indices.contains(id) && !tokens[id].isEmpty {
      let kind = TokenType(rawValue: type)
      guard kind == .control || kind == .userDefined || (kind == .unknown && isSentencePiece) else { continue }
      added.append([
        "id": .integer(id), "content": .string(tokens[id]), "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": false, "special": .bool(kind != .userDefined),
      ])
    }
    var vocabulary = JSONObject()
    for (id, text) in tokens.enumerated() where !text.isEmpty { vocabulary.append(text, .integer(id)) }
    let parts = try isSentencePiece ? sentencePiece(metadata, tokens, types) : bytePairs(metadata)
    var model = parts.model
    model.append("vocab", .object(vocabulary))
    model.append("merges", .array(parts.merges))
    var root = JSONObject()
    root.append("version", "1.0")
    root.append("truncation", nil)
    root.append("padding", nil)
    root.append("added_tokens", .array(added))
    root.append("normalizer", parts.normalizer)
    root.append("pre_tokenizer", parts.preTokenizer)
    root.append("post_processor", beginning(tokenizer.beginOfText, tokens))
    root.append("decoder", parts.decoder)
    root.append("model", .object(model))
    return Array((JSONValue.object(root).text + "\n").utf8)
  }

  private struct Parts {
    var normalizer, preTokenizer, decoder: JSONValue
    var model: JSONObject
    var merges: [JSONValue]
  }

  private static func model(bytes: Bool, ignoresMerges: Bool, unknown: String?) -> JSONObject {
    var model = JSONObject()
    model.append("type", "BPE")
    model.append("dropout", nil)
    model.append("unk_token", unknown.map { .string($0) } ?? nil)
    model.append("continuing_subword_prefix", nil)
    model.append("end_of_word_suffix", nil)
    model.append("fuse_unk", .bool(bytes))
    model.append("byte_fallback", .bool(bytes))
    model.append("ignore_merges", .bool(ignoresMerges))
    return model
  }

  private static func sequence(_ key: String, _ parts: [JSONValue]) -> JSONValue {
    var object = JSONObject()
    object.append("type", "Sequence")
    object.append(key, .array(parts))
    return .object(object)
  }

  private static func replace(_ from: String, _ to: String) -> JSONValue {
    ["type": "Replace", "pattern": ["String": .string(from)], "content": .string(to)]
  }

  private static func bytePairs(_ metadata: [String: MetadataValue]) throws -> Parts {
    let known = try GGUFPreTokenizer(named: metadata["tokenizer.ggml.pre"]?.string ?? "default")
    let normalizes = known?.normalizer.steps.isEmpty == false
    return Parts(
      normalizer: normalizes ? ["type": "NFC"] : nil, preTokenizer: sequence("pretokenizers", known?.hubParts ?? []),
      decoder: ["type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true],
      model: model(bytes: false, ignoresMerges: known?.ignoresMerges ?? false, unknown: nil),
      merges: (metadata["tokenizer.ggml.merges"]?.array ?? []).map { .string($0.string ?? "") })
  }

  /// SentencePiece merges the pair whose result scores highest; a tokenizer.json lists the pairs in that order.
  private static func sentencePiece(
    _ metadata: [String: MetadataValue], _ tokens: [String], _ types: [Int]
  ) throws -> Parts {
    let scores = metadata["tokenizer.ggml.scores"]?.array?.map { $0.real ?? 0 } ?? []
    let isMade = { (id: Int) in
      !types.indices.contains(id)
        || ![TokenType.control.rawValue, TokenType.unknown.rawValue, TokenType.byte.rawValue].contains(types[id])
    }
    var ids: [String: Int] = [:]
    for (id, text) in tokens.enumerated() where isMade(id) && !text.isEmpty { ids[text] = ids[text] ?? id }
    var merges: [(score: Double, left: Int, right: Int, text: JSONValue)] = []
    for (text, id) in ids where text.unicodeScalars.count > 1 {
      let scalars = Array(text.unicodeScalars)
      for cut in 1..<scalars.count {
        var left = String.UnicodeScalarView(), right = String.UnicodeScalarView()
        left.append(contentsOf: scalars[..<cut])
        right.append(contentsOf: scalars[cut...])
        guard let first = ids[String(left)], let second = ids[String(right)] else { continue }
        merges.append(
          (scores.indices.contains(id) ? scores[id] : 0, first, second, .string(String(left) + " " + String(right))))
      }
    }
    merges.sort { ($1.score, $0.left, $0.right) < ($0.score, $1.left, $1.right) }
    let prefixes = metadata["tokenizer.ggml.add_space_prefix"]?.bool ?? true
    let space = "\u{2581}"
    let unknown = metadata["tokenizer.ggml.unknown_token_id"]?.integer.flatMap {
      tokens.indices.contains($0) ? tokens[$0] : nil
    }
    let strip: JSONValue = ["type": "Strip", "content": " ", "start": 1, "stop": 0]
    let decoder: [JSONValue] = [replace(space, " "), ["type": "ByteFallback"], ["type": "Fuse"]]
    return Parts(
      normalizer: sequence(
        "normalizers",
        (prefixes ? [["type": "Prepend", "prepend": .string(space)]] : []) + [replace(" ", space)]),
      preTokenizer: nil, decoder: sequence("decoders", decoder + (prefixes ? [strip] : [])),
      model: model(bytes: true, ignoresMerges: false, unknown: unknown), merges: merges.map(\.text))
  }

  /// What puts the token for a text's beginning in front.
  private static func beginning(_ id: Int?, _ tokens: [String]) -> JSONValue {
    guard let id, tokens.indices.contains(id) else { return nil }
    let name = JSONValue.string(tokens[id])
    func token(_ type: Int) -> JSONValue { ["SpecialToken": ["id": name, "type_id": .integer(type)]] }
    func text(_ letter: String, _ type: Int) -> JSONValue {
      ["Sequence": ["id": .string(letter), "type_id": .integer(type)]]
    }
    var known = JSONObject()
    known.append(tokens[id], ["id": name, "ids": [.integer(id)], "tokens": [name]])
    return [
      "type": "TemplateProcessing", "single": [token(0), text("A", 0)],
      "pair": [token(0), text("A", 0), token(1), text("B", 1)], "special_tokens": .object(known),
    ]
  }
}
