import Synchronization

/// An answer that is being generated: an asynchronous sequence of pieces of its text.
///
/// Generation starts when the sequence is made, whether or not it is iterated. Releasing the sequence and its iterator,
/// or cancelling the task that iterates, cancels generation within one step of the model.
///
/// ```swift
/// for try await piece in conversation.reply(to: "Who was Ada Lovelace?") { print(piece, terminator: "") }
/// ```
///
/// The sequence throws ``EngineError``, ``ContextOverflow`` or ``EngineOverloaded`` if generation cannot start,
/// ``SamplingError`` if it cannot continue, and `CancellationError` if it is cancelled while a task waits for the next
/// piece.
public struct Reply: AsyncSequence, Sendable {
  /// A piece of text: complete code points and no part of a stop string.
  public typealias Element = String
  /// Any error that prevents the answer from being completed.
  public typealias Failure = any Error

  private let turn: ReplyTurn

  init(_ turn: ReplyTurn) { self.turn = turn }

  /// An answer that cannot begin.
  init(failing error: any Error) {
    self.init(ReplyTurn(GenerationStream { $0.finish(throwing: error) }, owner: nil, number: 0))
  }

  /// An iterator over the rest of the answer. One task at a time may read a reply; another one gets
  /// ``EngineError``.
  public func makeAsyncIterator() -> Iterator {
    Iterator(turn: turn, events: turn.events.makeAsyncIterator())
  }

  /// The iterator of a ``Reply``.
  public struct Iterator: AsyncIteratorProtocol {
    let turn: ReplyTurn
    var events: GenerationStream.Iterator

    /// The next piece of text; nil at the end of the answer.
    public mutating func next() async throws -> String? { try await next(isolation: nil) }

    /// The next piece of text; nil at the end of the answer.
    public mutating func next(isolation actor: isolated (any Actor)?) async throws -> String? {
      guard turn.beginReading() else { throw EngineError("another task is reading this reply already") }
      defer { turn.endReading() }
      do {
        while let event = try await events.next(isolation: actor) {
          switch event {
          case .text(let piece):
            guard let piece = turn.take(piece) else { throw CancellationError() }
            if !piece.isEmpty { return piece }
          case .token: continue
          case .finished(let completion):
            if completion.reason == .cancelled { throw CancellationError() }
            guard await turn.end(completion) else { throw CancellationError() }
          }
        }
        guard turn.completion != nil else { throw CancellationError() }
        return nil
      } catch {
        turn.breakOff(isFailure: !(error is CancellationError))
        throw error
      }
    }
  }

  /// Waits for the whole answer.
  /// - Returns: the text that no iterator has consumed.
  @discardableResult
  public func text() async throws -> String { try await reduce(into: "") { $0 += $1 } }

  /// The result of the answer; nil before it has ended and if it was cancelled.
  public var completion: Completion? { turn.completion }
}

/// What takes in the reply that it has asked for.
protocol ReplyOwner: AnyObject, Sendable {
  /// Takes in a piece of text.
  /// - Returns: the piece as it is to be handed on; nil where the reply is not wanted any more.
  func take(_ piece: String, ofReply number: Int) -> String?
  /// The reply has come to its end.
  /// - Returns: whether it was taken in; false where it has been superseded.
  func end(_ completion: Completion, ofReply number: Int) async -> Bool
  /// The reply has come to no end. Called at most once, also after it has been superseded.
  /// - Parameter isFailure: it could not begin, or could not go on; otherwise nobody wanted more of it.
  func breakOff(reply number: Int, isFailure: Bool)
}

/// One reply, shared by its sequence and iterators. When the last of them goes before the end, it is broken off.
final class ReplyTurn: Sendable {
  let events: GenerationStream
  private let engine: Engine?
  private let owner: (any ReplyOwner)?
  private let number: Int
  private let state = Mutex(State())

  private struct State {
    var completion: Completion?
    var isBrokenOff = false
    var isBeingRead = false
  }

  /// - Parameter engine: what must live as long as the reply is wanted, where no owner holds it.
  init(_ events: GenerationStream, owner: (any ReplyOwner)?, number: Int, engine: Engine? = nil) {
    self.engine = engine
    self.events = events
    self.owner = owner
    self.number = number
  }

  deinit { breakOff(isFailure: false) }

  var completion: Completion? { state.withLock { $0.completion } }

  /// Whether no other task is reading; the stream of events ends the program where two wait for it.
  func beginReading() -> Bool {
    state.withLock { state in
      defer { state.isBeingRead = true }
      return !state.isBeingRead
    }
  }

  func endReading() { state.withLock { $0.isBeingRead = false } }

  func take(_ piece: String) -> String? {
    guard let owner else { return piece }
    return owner.take(piece, ofReply: number)
  }

  func end(_ completion: Completion) async -> Bool {
    if let owner, await !owner.end(completion, ofReply: number) { return false }
    state.withLock { $0.completion = completion }
    return true
  }

  func breakOff(isFailure: Bool) {
    let isFirst = state.withLock { state in
      defer { state.isBrokenOff = true }
      return !state.isBrokenOff && state.completion == nil
    }
    if isFirst { owner?.breakOff(reply: number, isFailure: isFailure) }
  }
}
