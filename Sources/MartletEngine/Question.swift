import MartletModels
import MartletTokenizers

/// The question of a user without the surrounding template, for features that compare words.
public struct Question: Sendable, Equatable {
  /// The message, or a complete raw prompt.
  public var text: String
  /// The format of the prompt.
  public var format: PromptFormat
  /// The user's earlier messages, oldest first.
  public var earlier: [String] = []
  /// The required beginning of the answer; empty if there is none.
  public var begun = ""

  /// A question without context.
  /// - Parameters:
  ///   - text: the message, or a complete raw prompt.
  ///   - format: the format of the prompt.
  public init(_ text: String, format: PromptFormat) {
    self.text = text
    self.format = format
  }

  /// The question of a conversation; nil if its last message is not a user message or contains the result of a
  /// function.
  ///
  /// - Parameters:
  ///   - messages: the conversation so far, the oldest message first.
  ///   - begun: the required beginning of the answer.
  public init?(_ messages: [ChatMessage], begun: String = "") {
    guard let last = messages.last, last.role == .user, !ToolTurns.beginsWithResponse(last) else { return nil }
    self.init(last.content, format: .chat)
    earlier = messages.dropLast().filter { $0.role == .user }.map(\.content)
    self.begun = begun
  }
}

/// The format in which a question is given to the model.
public enum PromptFormat: String, Sendable, Codable, CaseIterable {
  /// The last message of a conversation, in the model's chat format.
  case chat
  /// `Question: ...\nAnswer:`
  case question
  /// Unchanged text, which the model continues.
  case raw

  /// The tokens of a prompt with only this question, up to where the answer begins.
  /// - Throws: `ModelError` if the model's chat template rejects the question.
  public func encode(_ prompt: String, for loaded: LoadedModel) throws -> [Int] {
    switch self {
    case .chat: return try loaded.chatFormat.encode([ChatMessage(.user, prompt)], tokenizer: loaded.tokenizer)
    case .question: return Self.question(prompt, for: loaded)
    case .raw: return Self.raw(prompt, for: loaded)
    }
  }

  /// The tokens of `Question: ...\nAnswer:`, which works with every model.
  public static func question(_ prompt: String, for loaded: LoadedModel) -> [Int] {
    raw("Question: \(prompt)\nAnswer:", for: loaded)
  }

  /// The tokens of an unchanged text.
  public static func raw(_ text: String, for loaded: LoadedModel) -> [Int] {
    (loaded.tokenizer.beginOfText.map { [$0] } ?? []) + loaded.tokenizer.encode(text, special: false)
  }

  /// The tokens of a complete answer with its end token.
  /// - Throws: ``EngineError`` if the tokenizer has no end token.
  public func encode(answer: String, for loaded: LoadedModel) throws -> [Int] {
    if self == .chat {
      let pieces = try loaded.chatFormat.trainingPieces(
        [ChatMessage(.user, ""), ChatMessage(.assistant, answer)], tokenizer: loaded.tokenizer)
      let ids = pieces.last?.ids ?? []
      let ends = loaded.chatFormat.kind == .rwkvWorld || ids.last.map(endTokens(for: loaded).contains) ?? false
      guard ends else { throw cannotEnd }
      return ids
    }
    guard let end = loaded.tokenizer.endOfText.min() else { throw cannotEnd }
    return loaded.tokenizer.encode(" " + answer, special: false) + [end]
  }

  /// The tokens that end an answer.
  public func endTokens(for loaded: LoadedModel) -> Set<Int> {
    guard self == .chat else { return loaded.tokenizer.endOfText }
    return loaded.tokenizer.endOfText.union(loaded.chatFormat.stops.compactMap(loaded.tokenizer.token(named:)))
  }

  private var cannotEnd: EngineError {
    EngineError(
      "the tokenizer has no end-of-text token, so an answer could not end; use a model that has one")
  }
}
