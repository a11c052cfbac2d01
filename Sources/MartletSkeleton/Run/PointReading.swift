/// What happens to one point while it is written.
struct PointPiece: Sendable {
  /// Its place among the points.
  let place: Int
  var text = ""
  var isLast = false
  /// Pieces of text, where the model's own count was not waited for.
  var tokens = 0
  var endedByItself = true
  /// Why the point could not be had, in two tries.
  var problem: (any Error)?
}

/// Reads one point of an answer to its end, and asks for it once more where it broke off or says nothing.
///
/// A back end that can lose its connection gives whole sentences, so that what was given stands when the rest is lost,
/// and a second try need not agree with half a sentence.
struct PointReading: Sendable {
  let backend: any SkeletonBackend
  let place: Int
  let head: String
  /// The second try: the same point in plain words.
  let again: AnswerRequest
  /// Sentences to take; nil takes all of the point.
  let sentences: Int?
  /// Bounds what a point that hangs may take; nil where nothing can hang.
  let patience: PointPatience?
  let into: AsyncStream<PointPiece>.Continuation

  func run(_ stream: AnswerStream) async {
    var last = PointPiece(place: place, isLast: true)
    defer {
      if last.problem == nil { patience?.pointHasEnded() }
      into.yield(last)
    }
    do {
      if try await read(stream, &last) { return }
      last.problem = SkeletonError("a point had no text")
    } catch {
      last.problem = error
    }
    guard !Task.isCancelled, !(last.problem is CancellationError) else { return }
    do {
      let spent = last.tokens
      last.tokens = 0
      let isThere = try await read(try backend.answer(again), &last)
      last.tokens += spent
      if isThere { last.problem = nil }
    } catch is CancellationError {
      last.problem = CancellationError()
    } catch {}  // the first problem is the one to tell
  }

  /// - Returns: whether the point says something; its last piece is left in `last`.
  /// - Throws: where the stream broke before anything was given.
  private func read(_ stream: AnswerStream, _ last: inout PointPiece) async throws -> Bool {
    var point = PointText(
      sentences: sentences, givesWholeSentences: !backend.runsTogetherCheaply, head: head)
    var hasGiven = false
    do {
      for try await piece in patience?.watched(stream) ?? stream {
        switch piece {
        case .text(let text):
          last.tokens += 1
          let certain = point.push(text)
          if certain.isEmpty { break }
          hasGiven = true
          into.yield(PointPiece(place: place, text: certain))
        case .ended(let end):
          last.tokens = end.tokens
          last.endedByItself = end.endedByItself
        }
        if point.isStopped { break }
      }
    } catch {
      guard hasGiven, !Task.isCancelled else { throw error }
      last.endedByItself = false
      return true
    }
    last.text = point.finish()
    return point.saysSomething
  }
}
