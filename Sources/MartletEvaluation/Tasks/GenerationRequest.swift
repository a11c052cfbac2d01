import MartletEngine
import MartletModels

/// A text that a model is asked to continue on its own, with the most likely tokens unless it says otherwise.
public struct GenerationRequest: Sendable, Equatable {
  /// What the model reads. Of a conversation: the conversation as the model's format writes it, up to where the answer begins.
  public var context: String
  /// The conversation itself, for programs that write it in a format of their own; nil where the task is put as plain text.
  public var messages: [ChatMessage]?
  /// Texts that end the answer, which is cut at the first of them.
  public var stops: [String]
  /// Most tokens of the answer.
  public var maxTokens: Int
  /// What the model reads, as tokens; nil for those of `context`. A conversation with texts of strangers is written by its chat format,
  /// so that control tokens come from the format alone.
  public var tokens: [Int]?
  /// How tokens are chosen; the most likely ones by default.
  public var sampling = Sampling()

  /// A request.
  public init(context: String, messages: [ChatMessage]? = nil, stops: [String], maxTokens: Int) {
    self.context = context
    self.messages = messages
    self.stops = stops
    self.maxTokens = maxTokens
  }
}
