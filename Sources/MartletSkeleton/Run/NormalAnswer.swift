import Synchronization

/// A normal answer that runs from the start; what it writes is kept until somebody reads the stream.
final class NormalAnswer: Sendable {
  /// How far it is, and who waits for that.
  private struct Progress {
    var pieces = 0
    var isWhole = false
    var waiting: (pieces: Int, continuation: CheckedContinuation<Void, Never>)?
  }

  let stream: AnswerStream
  private let task: Task<Void, Never>
  private let progress: ProgressBox

  private final class ProgressBox: Sendable {
    let state = Mutex(Progress())

    func advance(_ change: (inout Progress) -> Void) {
      let done = state.withLock { state -> CheckedContinuation<Void, Never>? in
        change(&state)
        guard let waiting = state.waiting, state.isWhole || state.pieces >= waiting.pieces else { return nil }
        state.waiting = nil
        return waiting.continuation
      }
      done?.resume()
    }
  }

  init(_ answer: AnswerStream) {
    let (stream, continuation) = AnswerStream.makeStream()
    self.stream = stream
    let progress = ProgressBox()
    self.progress = progress
    let task = Task {
      defer { progress.advance { $0.isWhole = true } }
      do {
        for try await piece in answer {
          continuation.yield(piece)
          if case .ended = piece { break }
          progress.advance { $0.pieces += 1 }
        }
        continuation.finish()
      } catch {
        continuation.finish(throwing: error)
      }
    }
    self.task = task
    continuation.onTermination = { _ in task.cancel() }
  }

  var isWhole: Bool { progress.state.withLock { $0.isWhole } }

  /// Waits until so many pieces are there, or all. One caller at a time; its cancellation ends the work.
  func hasPieces(_ count: Int) async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        progress.advance { $0.waiting = (count, continuation) }
      }
    } onCancel: {
      drop()
    }
  }

  /// Ends the work.
  func drop() { task.cancel() }
}
