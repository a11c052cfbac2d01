import MartletModels
import MartletTokenizers

/// What a person asked, without the template around it, for features that look at words.
public struct Question: Sendable, Equatable {
  /// The message, or a raw prompt whole.
  public var text: String
  /// How the prompt that asks it is written.
  public var format: PromptFormat
  /// What the person said in earlier turns, the oldest first.
  public var earlier: [String] = []
  /// How the answer must begin, where that was given.
  public var begun = ""

  /// A question by itself.
  /// - Parameters:
  ///   - text: the message, or a raw prompt whole.
  ///   - format: how the prompt that asks it is written.
  public init(_ text: String, format: PromptFormat) {
    self.text = text
    self.format = format
  }

  /// What a conversation asks; nil where its last message is not the user's, or holds what a function has returned.
  ///
  /// - Parameters:
  ///   - messages: the conversation so far, the oldest message first.
  ///   - begun: how the answer must begin.
  public init?(_ messages: [ChatMessage], begun: String = "") {
    guard let last = messages.last, last.role == .user, !ToolTurns.beginsWithResponse(last) else { return nil }
    self.init(last.content, format: .chat)
    earlier = messages.dropLast().filter { $0.role == .user }.map(\.content)
    self.begun = begun
  }
}

/// How a question is written for the model.
public enum PromptFormat: String, Sendable, Codable, CaseIterable {
  /// As a conversation's last turn, in the model's own chat format.
  case chat
  /// `Question: ...\nAnswer:`
  case question
  /// As it is: the model goes on with the text.
  case raw

  /// The tokens of a prompt that asks nothing else, ending where the answer begins.
  /// - Throws: `ModelError` when the model's chat template refuses the question.
  public func encode(_ prompt: String, for loaded: LoadedModel) throws -> [Int] {
    switch self {
    case .chat: return try loaded.chatFormat.encode([ChatMessage(.user, prompt)], tokenizer: loaded.tokenizer)
    case .question: return Self.question(prompt, for: loaded)
    case .raw: return Self.raw(prompt, for: loaded)
    }
  }

  /// The tokens of `Question: ...\nAnswer:`, which every model takes.
  public static func question(_ prompt: String, for loaded: LoadedModel) -> [Int] {
    raw("Question: \(prompt)\nAnswer:", for: loaded)
  }

  /// The tokens of a text as it is.
  public static func raw(_ text: String, for loaded: LoadedModel) -> [Int] {
    (loaded.tokenizer.beginOfText.map { [$0] } ?? []) + loaded.tokenizer.encode(text, special: false)
  }

  /// The tokens of a whole answer with what ends it.
  /// - Throws: ``EngineError`` when nothing in the tokenizer ends an answer.
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

  /// What ends an answer.
  public func endTokens(for loaded: LoadedModel) -> Set<Int> {
    guard self == .chat else { return loaded.tokenizer.endOfText }
    return loaded.tokenizer.endOfText.union(loaded.chatFormat.stops.compactMap(loaded.tokenizer.token(named:)))
  }

  private var cannotEnd: EngineError {
    EngineError(
      "the tokenizer has no end-of-text token, so an answer could not end; use a model that has one")
  }
}
