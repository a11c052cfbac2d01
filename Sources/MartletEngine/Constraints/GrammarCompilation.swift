import Foundation
import Synchronization

extension Grammar {
  /// Compiles a grammar, or a value that contains one, on a dedicated thread, so that the tasks of other requests are
  /// not blocked. Throws `CancellationError` soon after the task is cancelled.
  /// - Throws: the errors of `build`.
  public static func compiling<Value: Sendable>(
    _ build: @escaping @Sendable () throws -> Value
  ) async throws -> Value {
    let work = GrammarWork()
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        GrammarThreads.shared.run {
          continuation.resume(
            with: Result {
              try GrammarWork.$current.withValue(work) {
                try work.spend(0)
                return try build()
              }
            })
        }
      }
    } onCancel: {
      work.cancel()
    }
  }
}

/// A few threads that come when there is work, take it in its order, and go when there is none.
private final class GrammarThreads: Sendable {
  static let shared = GrammarThreads()

  private struct State {
    var waiting: [@Sendable () -> Void] = []
    var threads = 0
  }
  private let state = Mutex(State())
  private let mostThreads = max(2, ProcessInfo.processInfo.activeProcessorCount / 2)

  func run(_ work: @escaping @Sendable () -> Void) {
    let needsThread = state.withLock { state in
      state.waiting.append(work)
      guard state.threads < mostThreads else { return false }
      state.threads += 1
      return true
    }
    guard needsThread else { return }
    let thread = Thread { [self] in while let work = next() { work() } }
    thread.name = "martlet.grammar"
    // Schemas are nested, and so are the calls that read them.
    thread.stackSize = 8 << 20
    thread.start()
  }

  /// The oldest work; nil where there is none, and then the thread counts as gone.
  private func next() -> (@Sendable () -> Void)? {
    state.withLock { state in
      guard !state.waiting.isEmpty else {
        state.threads -= 1
        return nil
      }
      return state.waiting.removeFirst()
    }
  }
}
