import Foundation
import MartletCheckpoints
import MartletTokenizers

/// One turn of a conversation.
public struct ChatMessage: Sendable, Equatable, Codable {
  public enum Role: String, Sendable, Codable { case system, user, assistant }
  public var role: Role
  public var content: String

  public init(_ role: Role, _ content: String) {
    self.role = role
    self.content = content
  }
}

/// How a model wants a conversation written.
public struct ChatFormat: Sendable {
  public enum Kind: String, Sendable, CaseIterable {
    case rwkvWorld = "rwkv-world"
    case chatML = "chatml"
    case llama2, llama3, zephyr, plain
  }

  public let kind: Kind
  /// What the model is told when the conversation does not begin with a system message.
  public let defaultSystem: String?

  public init(_ kind: Kind, defaultSystem: String? = nil) {
    self.kind = kind
    self.defaultSystem = defaultSystem
  }

  /// Texts that end an answer, beside the tokenizer's end tokens.
  public var stops: [String] {
    switch kind {
    case .rwkvWorld: ["\n\nUser:", "\n\nUser", "\n\n"]
    case .chatML: ["<|im_end|>"]
    case .llama2, .zephyr: ["</s>"]
    case .llama3: ["<|eot_id|>"]
    case .plain: []
    }
  }

  /// A piece of a written conversation: a control token by name, or text in which no control token is seen.
  enum Piece: Equatable {
    case control(String)
    case text(String)
  }

  /// The conversation as tokens, ending where the assistant's next answer begins, behind `begun` where that is how it
  /// must begin.
  public func encode(_ messages: [ChatMessage], begun: String = "", tokenizer: any Tokenizer) -> [Int] {
    var pieces = pieces(messages)
    if !begun.isEmpty { pieces.append(beginning(begun)) }
    return (tokenizer.beginOfText.map { [$0] } ?? []) + encode(pieces, tokenizer: tokenizer)
  }

  /// What comes behind an answer that the model has just given and not ended: the end of its turn, then `messages`,
  /// to where the next answer begins.
  public func encodeNext(_ messages: [ChatMessage], begun: String = "", tokenizer: any Tokenizer) -> [Int] {
    let end: [Piece] =
      switch kind {
      case .rwkvWorld, .plain: [.text("\n\n")]
      case .chatML: [.control("<|im_end|>"), .text("\n")]
      case .llama3: [.control("<|eot_id|>")]
      case .llama2: [.text(" "), .control("</s>"), .control("<s>")]
      case .zephyr: [.control("</s>"), .text("\n")]
      }
    var pieces = end + ChatFormat(kind).pieces(messages)
    if !begun.isEmpty { pieces.append(beginning(begun)) }
    return encode(pieces, tokenizer: tokenizer)
  }

  /// The first words of an answer, behind what ends a conversation.
  private func beginning(_ text: String) -> Piece {
    // Where a space stands between the assistant's name and its words.
    let spaced = kind == .rwkvWorld || kind == .llama2
    return .text(spaced && text.first?.isWhitespace == false ? " " + text : text)
  }

  /// Whether an answer begins with a space that belongs to the format.
  public var answersBeginWithSpace: Bool { kind == .rwkvWorld || kind == .llama2 }

  private func encode(_ pieces: [Piece], tokenizer: any Tokenizer) -> [Int] {
    // Neighbouring texts are encoded as one, as in a template rendered to a string.
    var joined: [Piece] = []
    for piece in pieces {
      if case .text(let new) = piece, case .text(let old)? = joined.last {
        joined[joined.count - 1] = .text(old + new)
      } else {
        joined.append(piece)
      }
    }
    return joined.flatMap { piece in
      switch piece {
      case .control(let name): tokenizer.token(named: name).map { [$0] } ?? tokenizer.encode(name)
      case .text(let text): tokenizer.encode(text, special: false)
      }
    }
  }

  /// A whole conversation as tokens, and which of them the assistant says: each answer with the token that ends it.
  public func trainingPieces(
    _ messages: [ChatMessage], tokenizer: any Tokenizer
  ) -> [(ids: [Int], isAnswer: Bool)] {
    var result: [(ids: [Int], isAnswer: Bool)] = []
    var written: [Int] = []
    for (place, message) in messages.enumerated() where message.role == .assistant {
      let prompt = encode(Array(messages[..<place]), tokenizer: tokenizer)
      // Where a turn's end and the next one's start make other tokens together, the later reading wins.
      let common = zip(prompt, written).prefix { $0 == $1 }.count
      result.append((Array(prompt[min(common, written.count)...]), false))
      let answer: [Piece] =
        switch kind {
        case .rwkvWorld: [.text(" \(clean(message.content))\n\n")]
        case .chatML: [.text(message.content), .control("<|im_end|>")]
        case .llama3: [.text(message.content.trimmed), .control("<|eot_id|>")]
        case .llama2: [.text(" \(message.content.trimmed) "), .control("</s>")]
        case .zephyr: [.text(message.content), .control("</s>")]
        case .plain: [.text(message.content)]
        }
      var ids = answer.flatMap { piece -> [Int] in
        switch piece {
        case .control(let name): tokenizer.token(named: name).map { [$0] } ?? tokenizer.encode(name)
        case .text(let text): tokenizer.encode(text, special: false)
        }
      }
      if kind == .plain, let end = tokenizer.endOfText.min() { ids.append(end) }
      result.append((ids, true))
      written = prompt + ids
    }
    return result
  }

  func pieces(_ messages: [ChatMessage]) -> [Piece] {
    var messages = messages
    if let defaultSystem, messages.first?.role != .system {
      messages.insert(ChatMessage(.system, defaultSystem), at: 0)
    }
    switch kind {
    case .rwkvWorld: return world(messages)
    case .chatML:
      return messages.flatMap { message -> [Piece] in
        [
          .control("<|im_start|>"), .text("\(message.role.rawValue)\n\(message.content)"), .control("<|im_end|>"),
          .text("\n"),
        ]
      } + [.control("<|im_start|>"), .text("assistant\n")]
    case .llama3:
      return messages.flatMap { message -> [Piece] in
        [
          .control("<|start_header_id|>"), .text(message.role.rawValue), .control("<|end_header_id|>"),
          .text("\n\n" + message.content.trimmed), .control("<|eot_id|>"),
        ]
      } + [.control("<|start_header_id|>"), .text("assistant"), .control("<|end_header_id|>"), .text("\n\n")]
    case .llama2: return llama2(messages)
    case .zephyr:
      return messages.flatMap { message -> [Piece] in
        [.text("<|\(message.role.rawValue)|>\n\(message.content)"), .control("</s>"), .text("\n")]
      } + [.text("<|assistant|>\n")]
    case .plain: return [.text(messages.map(\.content).joined(separator: "\n\n"))]
    }
  }

  private func clean(_ text: String) -> String {
    var text = text.trimmed.replacing("\r\n", with: "\n")
    while text.contains("\n\n") { text = text.replacing("\n\n", with: "\n") }
    return text
  }

  /// `User: ...\n\nAssistant: ...`; a blank line ends a turn, so none may stand inside one.
  private func world(_ messages: [ChatMessage]) -> [Piece] {
    let turns = messages.map { message in
      switch message.role {
      case .system: clean(message.content)
      case .user: "User: \(clean(message.content))"
      case .assistant: "Assistant: \(clean(message.content))"
      }
    }
    return [.text((turns + ["Assistant:"]).joined(separator: "\n\n"))]
  }

  private func llama2(_ messages: [ChatMessage]) -> [Piece] {
    var pieces: [Piece] = []
    var system = ""
    for message in messages {
      switch message.role {
      case .system: system = "<<SYS>>\n\(message.content)\n<</SYS>>\n\n"
      case .user:
        if !pieces.isEmpty { pieces.append(.control("<s>")) }
        pieces.append(.text("[INST] \(system)\(message.content.trimmed) [/INST]"))
        system = ""
      case .assistant: pieces += [.text(" \(message.content.trimmed) "), .control("</s>")]
      }
    }
    return pieces
  }

  /// The format that a model's file asks for, or `kind`.
  static func detect(_ checkpoint: Checkpoint, tokenizer: any Tokenizer, kind: Kind?) -> ChatFormat {
    let template = checkpoint.metadata["tokenizer.chat_template"]?.string ?? templateBeside(checkpoint) ?? ""
    let detected: Kind
    if tokenizer is WorldTokenizer {
      detected = .rwkvWorld
    } else if template.contains("<|im_start|>") || (template.isEmpty && tokenizer.token(named: "<|im_start|>") != nil) {
      detected = .chatML
    } else if template.contains("<|start_header_id|>")
      || (template.isEmpty && tokenizer.token(named: "<|start_header_id|>") != nil)
    {
      detected = .llama3
    } else if template.contains("[INST]") {
      detected = .llama2
    } else if template.contains("<|user|>") {
      detected = .zephyr
    } else {
      detected = .plain
    }
    return ChatFormat(
      kind ?? detected, defaultSystem: kind.map { $0 == detected } ?? true ? defaultSystem(template) : nil)
  }

  /// The template in the hub's files beside the weights.
  private static func templateBeside(_ checkpoint: Checkpoint) -> String? {
    let folder = (checkpoint.path as NSString).deletingLastPathComponent as NSString
    if let data = FileManager.default.contents(atPath: folder.appendingPathComponent("chat_template.jinja")) {
      return String(decoding: data, as: UTF8.self)
    }
    guard let data = FileManager.default.contents(atPath: folder.appendingPathComponent("tokenizer_config.json")) else {
      return nil
    }
    return (try? MetadataValue(json: data))?.object?["chat_template"]?.string
  }

  /// A system message written out in a ChatML template, as SmolLM2 and Qwen2 have one.
  private static func defaultSystem(_ template: String) -> String? {
    // Inside a template a line break is written as it is or escaped.
    let heads = ["<|im_start|>system\n", "<|im_start|>system\\n"]
    guard let start = heads.lazy.compactMap({ template.firstRange(of: $0) }).first,
      let end = template[start.upperBound...].firstRange(of: "<|im_end|>")
    else { return nil }
    let text = template[start.upperBound..<end.lowerBound]
    return text.contains("'") || text.contains("{") ? nil : String(text).replacing("\\n", with: "\n")
  }
}

extension String {
  fileprivate var trimmed: String {
    var view = self[...]
    while view.first?.isWhitespace == true { view.removeFirst() }
    while view.last?.isWhitespace == true { view.removeLast() }
    return String(view)
  }
}
