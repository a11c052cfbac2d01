/// Which requests enter the running batch, and how many rows of each the next forward pass reads: decided from counts
/// alone, without a model.
struct Schedule: Sendable, Equatable {
  /// Most sequences that run together, and most requests that wait for a place.
  let maxSequences, maxWaiting: Int
  /// Most prompt rows in one step.
  let promptChunk: Int
  /// Most rows of texts that are scored in one step, as they need the logits of every row.
  private static let scoredChunk = 128

  /// A running request, as far as the schedule is concerned.
  struct Sequence: Equatable {
    /// Tokens that have not been read: the rest of a prompt, or the last token of an answer.
    var unread: Int
    /// Tokens of the prompt that have been read.
    var read = 0
    /// Lengths of the prompt's beginnings at which reading pauses, so that the state there can be remembered, in rising
    /// order.
    var pauses: [Int] = []
    /// How many of the prompt's last rows have to be read in one step.
    var together = 1
    /// The prompt is read, and the answer has begun.
    var isAnswering = false
    /// Another sequence reads the same prompt, and this one goes on from where that ends.
    var isReadElsewhere = false
  }

  /// Whether so many requests more may be submitted. Free places of the batch count, so that a queue of length 0 still
  /// takes what can run at once.
  func hasRoom(for requests: Int, waiting: Int, running: Int) -> Bool {
    let free = max(0, maxSequences - running)
    return waiting + requests - free <= maxWaiting
  }

  /// How many of those that wait enter the batch now.
  func admissions(waiting: Int, running: Int) -> Int { max(0, min(waiting, maxSequences - running)) }

  /// How many rows of each sequence the next step reads: the last token of every answer, and pieces of unread prompts as
  /// far as there is room; 0 for those that have to wait for the next step.
  func rows(of sequences: [Sequence]) -> [Int] {
    var room = promptChunk
    return sequences.map { sequence in
      if sequence.isReadElsewhere { return 0 }
      let unread = sequence.unread
      var count = unread == 1 ? 1 : min(unread, room)
      // A piece ends where a state is to be remembered.
      if !sequence.isAnswering, let pause = sequence.pauses.first(where: { $0 > sequence.read }) {
        count = min(count, pause - sequence.read)
      }
      // Rows that have to be read together are not parted.
      if unread > count, unread - count < sequence.together {
        count = unread > sequence.together ? unread - sequence.together : unread
      }
      guard count > 0 else { return 0 }
      if unread > 1 { room -= count }
      return count
    }
  }

  /// How many rows of each text the next step reads, where texts get no answer.
  /// - Parameter areScored: the logits of every row are needed.
  func pieces(of unread: [Int], areScored: Bool) -> [Int] {
    var room = areScored ? min(promptChunk, Self.scoredChunk) : promptChunk
    return unread.map { unread in
      let count = max(0, min(unread, room))
      room -= count
      return count
    }
  }
}
