import Foundation
import MartletCheckpoints
import MartletData
import MartletTokenizers

// The format of a model: its own template where it has one, else what its vocabulary speaks for.
extension ChatFormat {
  /// The format that a model's file asks for, or `kind`.
  static func detect(_ checkpoint: Checkpoint, tokenizer: any Tokenizer, kind: Kind?) -> ChatFormat {
    if let kind { return ChatFormat(kind) }
    guard let template = template(of: checkpoint), !template.isEmpty else {
      if tokenizer is WorldTokenizer { return ChatFormat(.rwkvWorld, source: .usual) }
      if tokenizer is ByteTokenizer { return ChatFormat(.plain, source: .usual) }
      if tokenizer.token(named: "<|im_start|>") != nil { return ChatFormat(.chatML, source: .noTemplate) }
      if tokenizer.token(named: "<|start_header_id|>") != nil { return ChatFormat(.llama3, source: .noTemplate) }
      return ChatFormat(.plain, source: .noTemplate)
    }
    return own(template, specialTokens: specialTokens(of: checkpoint))
  }

  /// The format of a model as far as it can be determined without its tokenizer; nil if its files contain no template.
  public static func ofTemplate(in checkpoint: Checkpoint) -> ChatFormat? {
    guard let template = template(of: checkpoint), !template.isEmpty else { return nil }
    return own(template, specialTokens: specialTokens(of: checkpoint))
  }

  /// The format that a template writes, or the nearest by name where the template is not understood.
  static func own(_ template: String, specialTokens: [String: String]) -> ChatFormat {
    do {
      return try ChatFormat(nil, .template, ChatTemplate(template, specialTokens: specialTokens))
    } catch {
      return ChatFormat(nearest(template), source: .notUnderstood("\(error)"))
    }
  }

  private static func nearest(_ template: String) -> Kind {
    let signs: [(String, Kind)] = [
      ("<|im_start|>", .chatML), ("<|start_header_id|>", .llama3), ("<start_of_turn>", .gemma),
      ("<|start_of_role|>", .granite), ("<｜User｜>", .deepSeekR1), ("<<SYS>>", .llama2),
      ("[SYSTEM_PROMPT]", .mistralV7), ("[INST]", .mistralV3), ("<|end|>", .phi3), ("<|user|>", .zephyr),
    ]
    return signs.first { template.contains($0.0) }?.1 ?? .plain
  }

  /// The template as it stands in a GGUF file, or in the hub's files beside the weights.
  static func template(of checkpoint: Checkpoint) -> String? {
    if let text = checkpoint.metadata["tokenizer.chat_template"]?.string { return text }
    let folder = checkpoint.path.parentFolder as NSString
    if let data = FileManager.default.contents(atPath: folder.appendingPathComponent("chat_template.jinja")) {
      return String(decoding: data, as: UTF8.self)
    }
    switch object(folder.appendingPathComponent("tokenizer_config.json"))?["chat_template"] {
    case .string(let text): return text
    case .array(let list):
      // Several by name: `default`, `tool_use`, `rag`.
      let named = list.compactMap(\.object)
      let chosen = named.first { $0["name"]?.string == "default" } ?? (named.count == 1 ? named.first : nil)
      return chosen?["template"]?.string
    default: return nil
    }
  }

  private static func object(_ path: String) -> [String: MetadataValue]? {
    FileManager.default.contents(atPath: path).flatMap { (try? MetadataValue(json: $0))?.object }
  }

  /// The texts of special tokens, by the names that templates use.
  static func specialTokens(of checkpoint: Checkpoint) -> [String: String] {
    let names = ["bos", "eos", "unk", "sep", "pad", "cls", "mask"]
    var found: [String: String] = [:]
    if checkpoint.format == .gguf {
      let tokens = checkpoint.metadata["tokenizer.ggml.tokens"]?.array ?? []
      let keys = ["unk": "unknown", "sep": "seperator", "pad": "padding"]
      for name in names {
        guard let id = checkpoint.metadata["tokenizer.ggml.\(keys[name] ?? name)_token_id"]?.integer,
          tokens.indices.contains(id), let text = tokens[id].string
        else { continue }
        found["\(name)_token"] = text
      }
      return found
    }
    let folder = checkpoint.path.parentFolder as NSString
    for file in ["special_tokens_map.json", "tokenizer_config.json"] {
      guard let object = object(folder.appendingPathComponent(file)) else { continue }
      for name in names.map({ "\($0)_token" }) {
        if let text = object[name]?.string ?? object[name]?.object?["content"]?.string { found[name] = text }
      }
    }
    return found
  }
}
