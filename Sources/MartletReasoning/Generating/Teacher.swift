import MartletEngine
import MartletModels

/// A model that answers questions: in this process, or behind an endpoint.
public protocol Teacher: Sendable {
  /// The name that rows keep.
  var name: String { get }
  /// What tells the teacher from every other whose answers may differ; part of the key of kept answers.
  var identity: String { get }
  /// Answers requests, several at a time.
  /// - Parameters:
  ///   - requests: what is asked.
  ///   - finished: called in any order, as soon as an answer is complete, with the request's place and the answer.
  /// - Throws: errors that end the run; an error of one request alone is its answer's ``TeacherAnswer/refusal``.
  func answer(
    _ requests: [TeacherRequest], finished: (_ request: Int, _ answer: TeacherAnswer) throws -> Void
  ) async throws
}

/// What a teacher is asked.
public struct TeacherRequest: Sendable, Equatable {
  /// The conversation, whose last message is the user's.
  public var messages: [ChatMessage]
  /// Texts that end the answer.
  public var stops: [String] = []
  /// The largest number of tokens of the answer.
  public var maxTokens = 256
  /// How tokens are chosen.
  public var sampling = Sampling()

  /// A greedy request.
  public init(_ messages: [ChatMessage]) { self.messages = messages }

  /// The conversation as plain text, for models that were trained on none: `Q: …` and `A: …`, up to where the answer begins.
  public var plainText: String {
    messages.map { message in
      switch message.role {
      case .system: message.content
      case .user: "Q: " + message.content + "\nA:"
      case .assistant: message.content
      }
    }.enumerated().reduce("") { text, part in
      guard part.offset > 0 else { return part.element }
      return text + (messages[part.offset].role == .assistant ? " " : "\n\n") + part.element
    }
  }
}

/// What a teacher answered.
public struct TeacherAnswer: Sendable, Equatable {
  /// The text. Whatever it says is data: it is never read as an instruction or as markup.
  public var text: String
  /// The number of tokens that were read and written; nil where an endpoint does not tell it.
  public var promptTokens, completionTokens: Int?
  /// Whether the text ended because it had reached the largest number of tokens.
  public var isCutOff = false
  /// Why there is no usable text; nil where there is one.
  public var refusal: String?

  /// A text.
  public init(_ text: String) { self.text = text }
}
