import MartletEngine

/// Many requests put to one engine, whose batch is refilled as answers end.
struct EngineBatch: Sendable {
  /// A finished answer.
  struct Answer: Sendable {
    /// The text, which ends before the first stop.
    let text: String
    /// How it ended, and its tokens.
    let completion: Completion
  }

  let engine: Engine

  /// Answers requests.
  /// - Parameters:
  ///   - count: the number of requests.
  ///   - request: makes the request of a place.
  ///   - finished: called in any order as soon as an answer is complete; what it throws ends the others.
  func answer(
    _ count: Int, request: (_ place: Int) throws -> Request,
    finished: (_ place: Int, _ answer: Answer) throws -> Void
  ) async throws {
    try await withThrowingTaskGroup(of: (Int, Answer).self) { group in
      var next = 0
      func add() throws {
        guard next < count else { return }
        let place = next, request = try request(place)
        next += 1
        group.addTask { (place, try await answer(request)) }
      }
      // Twice the batch: the engine never waits for the next prompt.
      for _ in 0..<2 * engine.options.maxSequences { try add() }
      while let (place, answer) = try await group.next() {
        try finished(place, answer)
        try add()
      }
    }
  }

  private func answer(_ request: Request) async throws -> Answer {
    var text = ""
    for try await event in try engine.generate(request) {
      switch event {
      case .text(let piece): text += piece
      case .finished(let completion) where completion.reason != .cancelled:
        return Answer(text: text, completion: completion)
      default: break
      }
    }
    throw CancellationError()
  }
}
