import Synchronization

/// How long a point may say nothing before it counts as lost: four times what the slowest of the others took, so that
/// one request that hangs does not hold the whole answer. Before any point has ended, the back end's own timeout
/// applies.
final class PointPatience: Sendable {
  private struct State: Sendable {
    var slowest: Duration?
    /// When something last came, by the watched stream.
    var heard: [Int: ContinuousClock.Instant] = [:]
    var streams = 0
  }

  private let least: Duration
  private let started = ContinuousClock.now
  private let state = Mutex(State())

  /// - Parameter least: seconds that every point may be silent.
  init(least: Double) { self.least = .seconds(least) }

  /// A point has ended as it should.
  func pointHasEnded() {
    let taken = started.duration(to: .now)
    state.withLock { $0.slowest = max($0.slowest ?? taken, taken) }
  }

  /// The same pieces, until nothing comes for too long.
  func watched(_ stream: AnswerStream) -> AnswerStream {
    AnswerStream { continuation in
      let number = begin()
      let reading = Task {
        defer { forget(number) }
        do {
          for try await piece in stream {
            hear(number)
            continuation.yield(piece)
          }
          continuation.finish()
        } catch {
          continuation.finish(throwing: error)
        }
      }
      let watching = Task {
        while isWatched(number) {
          try await Task.sleep(for: min(least / 4, .milliseconds(250)))
          guard let silence = tooLong(number) else { continue }
          // This ends the reading as well, whose own end must not come first.
          let seconds = silence.components.seconds
          return continuation.finish(
            throwing: SkeletonError("a point had no text for \(seconds) s, far longer than the others took"))
        }
      }
      continuation.onTermination = { [self] _ in
        reading.cancel()
        watching.cancel()
        forget(number)
      }
    }
  }

  private func begin() -> Int {
    state.withLock { state in
      state.streams += 1
      state.heard[state.streams] = .now
      return state.streams
    }
  }

  private func isWatched(_ number: Int) -> Bool { state.withLock { $0.heard[number] != nil } }

  private func forget(_ number: Int) { state.withLock { $0.heard[number] = nil } }

  private func hear(_ number: Int) {
    state.withLock { if $0.heard[number] != nil { $0.heard[number] = .now } }
  }

  /// For how long the stream has been silent, where that is too long.
  private func tooLong(_ number: Int) -> Duration? {
    state.withLock { state in
      guard let slowest = state.slowest, let heard = state.heard[number] else { return nil }
      let silence = heard.duration(to: .now)
      return silence > max(least, slowest * 4) ? silence : nil
    }
  }
}
