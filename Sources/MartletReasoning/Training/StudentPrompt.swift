import MartletEngine
import MartletModels
import MartletTokenizers
import MartletTraining

/// How a question is put to a student, in training as in evaluation: as messages of the model's chat template, or as plain text that
/// ends where the answer begins.
///
///     Q: A coin is heads up. Luis flips the coin. Is the coin still heads up?
///     A:
public struct StudentPrompt: Sendable {
  /// The words in front of a question in two-task training (Hsieh et al., "Distilling Step-by-Step", 2023): what the answer shall be.
  public enum Prefix: String, Sendable, CaseIterable {
    /// No words.
    case none = ""
    /// The answer alone.
    case label = "[label] "
    /// The reasoning alone.
    case rationale = "[rationale] "
  }

  /// The model's tokenizer and chat format.
  private let loaded: LoadedModel
  /// Whether questions are messages.
  public let isChat: Bool

  /// Prompts for a model.
  /// - Parameters:
  ///   - loaded: the model, for its tokenizer and chat format.
  ///   - isChat: whether questions are messages of its chat template; otherwise they are plain text.
  public init(_ loaded: LoadedModel, isChat: Bool) {
    self.loaded = loaded
    self.isChat = isChat
  }

  /// Texts that end an answer, beside the end tokens.
  public var stops: [String] { isChat ? loaded.chatFormat.stops : ["\nQ:"] }

  /// The tokens that a student reads, up to where its answer begins.
  /// - Parameters:
  ///   - row: the question, with its choices.
  ///   - system: the system message; nil for none.
  ///   - prefix: words in front of the question.
  /// - Throws: `ModelError` if the chat template refuses the messages, ``TeachingError`` if the row's `history` is no list of messages.
  public func tokens(asking row: TeachingRow, system: String?, prefix: Prefix = .none) throws -> [Int] {
    guard isChat else { return PromptFormat.raw(try text(asking: row, system: system, prefix: prefix), for: loaded) }
    return try loaded.chatFormat.encode(messages(row, system, prefix), tokenizer: loaded.tokenizer)
  }

  /// An example to learn from: the prompt, the answer and the token that ends it.
  /// - Parameters:
  ///   - row: the question, with its choices.
  ///   - system: the system message; nil for none.
  ///   - prefix: words in front of the question.
  ///   - answer: what the student shall write.
  /// - Returns: the tokens, and for each whether its prediction counts: those of the answer alone.
  /// - Throws: `ModelError` if the chat template refuses the messages, ``TeachingError`` if the row's `history` is no list of messages.
  public func example(
    asking row: TeachingRow, system: String?, prefix: Prefix = .none, answer: String
  ) throws -> (tokens: [Int], counts: [Bool]) {
    let pieces: [(ids: [Int], isAnswer: Bool)]
    if isChat {
      let all = try loaded.chatFormat.trainingPieces(
        messages(row, system, prefix) + [ChatMessage(.assistant, answer)], tokenizer: loaded.tokenizer)
      // Earlier answers of a conversation are read and not learnt.
      pieces = all.enumerated().map { (ids: $1.ids, isAnswer: $1.isAnswer && $0 == all.count - 1) }
    } else {
      let tokens = loaded.tokenizer.encode(" " + answer, special: false)
      pieces = [
        (try self.tokens(asking: row, system: system, prefix: prefix), false),
        (tokens + (loaded.tokenizer.endOfText.min().map { [$0] } ?? []), true),
      ]
    }
    return (pieces.flatMap(\.ids), pieces.flatMap { [Bool](repeating: $0.isAnswer, count: $0.ids.count) })
  }

  private func text(asking row: TeachingRow, system: String?, prefix: Prefix) throws -> String {
    var before = system.map { $0.isEmpty ? "" : $0 + "\n\n" } ?? ""
    for message in try row.history() {
      before += message.role == .assistant ? "A: \(message.content)\n\n" : "Q: \(message.content)\n"
    }
    return "\(before)Q: \(prefix.rawValue)\(row.questionWithChoices)\nA:"
  }

  private func messages(_ row: TeachingRow, _ system: String?, _ prefix: Prefix) throws -> [ChatMessage] {
    try (system.map { [ChatMessage(.system, $0)] } ?? [])
      + row.history() + [ChatMessage(.user, prefix.rawValue + row.questionWithChoices)]
  }
}
