import MartletEngine
import MartletModels

/// A request to a back end: a conversation, how its next answer begins, and where the answer ends.
public struct AnswerRequest: Sendable {
  /// The messages, oldest first.
  public var messages: [ChatMessage]
  /// The beginning of the answer, which is not part of the returned text.
  public var begun = ""
  /// The largest number of tokens of the answer.
  public var maxTokens: Int
  /// Whether the text must begin with a word and not with a number, a list mark or a line break. Back ends that cannot
  /// enforce this ignore it.
  public var beginsWithWord = false
  /// Whether the request is part of an answer that has already started, so that a back end with a queue does not reject
  /// it.
  public var isContinuation = false
  /// Whether the request is the user's question itself, so that edits of the model apply. Prompts for outlines and
  /// points also contain the question but ask for something else.
  public var isQuestion = false
  /// Whether a remote back end should request the whole answer in one piece instead of streaming it.
  public var prefersWhole = false

  /// A request for an answer.
  public init(_ messages: [ChatMessage], begun: String = "", maxTokens: Int) {
    self.messages = messages
    self.begun = begun
    self.maxTokens = maxTokens
  }
}

/// A piece of an answer that is being generated.
public enum AnswerPiece: Sendable {
  /// The next piece of text.
  case text(String)
  /// The end of the answer.
  case ended(AnswerEnd)
}

/// How an answer ended, with its token counts and times.
public struct AnswerEnd: Sendable {
  /// Whether an end token or a stop string ended the answer; false if the token limit or the context length did.
  public var endedByItself: Bool
  /// The numbers of prompt tokens, of prompt tokens that were not served by a cache, and of generated tokens.
  public var promptTokens = 0, readTokens = 0, tokens = 0
  /// The seconds until the first token, and from the first token to the end.
  public var promptSeconds = 0.0, seconds = 0.0
  /// The notes of interventions in the answer, such as the edit that changed it.
  public var notes: [any Sendable] = []
  /// The state with which the back end can continue after the answer; nil if it cannot.
  public var continuation: (any Sendable)?

  /// An end without counts and times.
  public init(endedByItself: Bool) { self.endedByItself = endedByItself }
}

/// The stream of the pieces of an answer.
public typealias AnswerStream = AsyncThrowingStream<AnswerPiece, any Error>

/// Generates answers: with a local model or a remote endpoint.
public protocol SkeletonBackend: Sendable {
  /// Whether several answers at the same time cost little more than one.
  var runsTogetherCheaply: Bool { get }

  /// Whether leading white space of an answer belongs to the chat format and is not part of the answer.
  var answersBeginWithSpace: Bool { get }

  /// Whether an edit of the model answers the conversation's last message: in which case no skeleton is made.
  func hasEdit(for messages: [ChatMessage]) -> Bool

  /// Generates one answer. Releasing the stream cancels it.
  func answer(_ request: AnswerRequest) throws -> AnswerStream

  /// Generates several answers with common prompt prefixes at the same time. The back end reads the common prefix only
  /// once if it can.
  func answers(_ requests: [AnswerRequest]) async throws -> [AnswerStream]

  /// Generates answers to further messages after an answer that has ended; each request contains only the new messages.
  /// Returns nil if the back end cannot continue.
  func answers(_ requests: [AnswerRequest], after end: AnswerEnd) async throws -> [AnswerStream]?

  /// The number of tokens that ``answers(_:)`` and ``answers(_:after:)`` have read so far.
  var readTokens: Int { get }
}

extension SkeletonBackend {
  public var answersBeginWithSpace: Bool { true }
  public func hasEdit(for messages: [ChatMessage]) -> Bool { false }
}
