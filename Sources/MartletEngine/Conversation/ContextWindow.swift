import MartletModels

/// The part of a conversation that the model is given when its context cannot hold all of it: what it is told first, and
/// the newest questions with their answers.
package struct ContextWindow: Equatable, Sendable {
  /// How many messages at the beginning are left out, system messages apart.
  package private(set) var forgotten = 0

  package init() {}

  package func seen(of messages: [ChatMessage]) -> [ChatMessage] {
    messages.enumerated().filter { $0.offset >= forgotten || $0.element.role == .system }.map(\.element)
  }

  /// Lets the oldest questions go, with their answers, until the rest fits.
  /// - Parameters:
  ///   - messages: the last one is a question, or an answer to go on with.
  ///   - limit: tokens of the context; nil where there is no end.
  ///   - room: tokens that an answer may take.
  ///   - encode: the tokens of messages.
  /// - Returns: the tokens, and how many more messages were let go.
  /// - Throws: ``EngineError`` when the last question alone does not fit.
  package mutating func fit(
    _ messages: [ChatMessage], limit: Int?, room: Int, encode: ([ChatMessage]) throws -> [Int]
  ) throws -> (tokens: [Int], leaving: Int) {
    // After an answer was taken back there may be fewer.
    forgotten = min(forgotten, messages.lastIndex { $0.role == .user } ?? 0)
    var tokens = try encode(seen(of: messages))
    guard let limit, tokens.count + min(room, limit / 4) > limit || tokens.count >= limit else { return (tokens, 0) }
    let before = forgotten
    // More goes than must, or every question that follows would have the whole conversation read anew.
    while tokens.count + min(room, limit / 2) > limit {
      let questions = messages.indices.dropFirst(forgotten).filter { messages[$0].role == .user }
      // What stands in front of the first question goes with it.
      guard questions.count > 1 else { break }
      forgotten = questions[1]
      tokens = try encode(seen(of: messages))
    }
    guard tokens.count < limit else {
      let isTold = messages.contains { $0.role == .system }
      throw EngineError(
        "this takes \(tokens.count) tokens\(isTold ? " with the system message" : ""), but the context ends at "
          + "\(limit); shorten it\(isTold ? ", or the system message" : "")")
    }
    return (tokens, forgotten - before)
  }
}
