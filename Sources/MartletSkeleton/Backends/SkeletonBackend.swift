import MartletEngine
import MartletModels

/// What is asked of a back end: a conversation, how its next answer begins, and where the answer ends.
public struct AnswerRequest: Sendable {
  /// What was said, the oldest first.
  public var messages: [ChatMessage]
  /// The answer begins with this; it is not part of the text that comes back.
  public var begun = ""
  /// Most tokens of the answer.
  public var maxTokens: Int
  /// The text must begin with a word: no number, list sign or line break. Back ends that cannot see to it pass it over.
  public var beginsWithWord = false
  /// Part of an answer that has begun: a back end with a queue of its own does not refuse it.
  public var isContinuation = false
  /// It asks the person's own question and nothing else: edits of the model answer it. Prompts for outlines and points
  /// hold the question too, and mean something else.
  public var isQuestion = false
  /// A back end that can lose its connection asks for the whole answer in one piece.
  public var prefersWhole = false

  /// A request for an answer.
  public init(_ messages: [ChatMessage], begun: String = "", maxTokens: Int) {
    self.messages = messages
    self.begun = begun
    self.maxTokens = maxTokens
  }
}

/// An answer while it is written.
public enum AnswerPiece: Sendable {
  /// Text that follows what came before.
  case text(String)
  /// The end of the answer.
  case ended(AnswerEnd)
}

/// How an answer ended, and what it cost.
public struct AnswerEnd: Sendable {
  /// By an end token or a stop string; false where the limit of tokens or the context cut it.
  public var endedByItself: Bool
  /// Tokens of the prompt, those that were read anew, and tokens generated.
  public var promptTokens = 0, readTokens = 0, tokens = 0
  /// Seconds until the first token, and from there to the end.
  public var promptSeconds = 0.0, seconds = 0.0
  /// What interventions have said of the answer, such as the edit of the model that changed it.
  public var notes: [any Sendable] = []
  /// What the back end needs to go on behind the answer; nil where it cannot.
  public var continuation: (any Sendable)?

  /// An end of which nothing more is known.
  public init(endedByItself: Bool) { self.endedByItself = endedByItself }
}

/// An answer, piece by piece.
public typealias AnswerStream = AsyncThrowingStream<AnswerPiece, any Error>

/// Where answers are written: the model at hand, or an endpoint elsewhere.
public protocol SkeletonBackend: Sendable {
  /// Whether an answer costs little more when others are written at the same time.
  var runsTogetherCheaply: Bool { get }

  /// Whether white space in front of an answer belongs to the format and is no part of it.
  var answersBeginWithSpace: Bool { get }

  /// Whether an edit of the model answers the conversation's last message: then there is nothing to outline.
  func hasEdit(for messages: [ChatMessage]) -> Bool

  /// Dropping the stream ends the work.
  func answer(_ request: AnswerRequest) throws -> AnswerStream

  /// Answers that begin alike, at the same time. What they share is read once, where the back end can.
  func answers(_ requests: [AnswerRequest]) async throws -> [AnswerStream]

  /// Answers to further turns behind an answer that has ended; each request holds the new messages only.
  func answers(_ requests: [AnswerRequest], after end: AnswerEnd) async throws -> [AnswerStream]?

  /// Tokens that ``answers(_:)`` and ``answers(_:after:)`` read so far.
  var readTokens: Int { get }
}

extension SkeletonBackend {
  public var answersBeginWithSpace: Bool { true }
  public func hasEdit(for messages: [ChatMessage]) -> Bool { false }
}
