import Dispatch
import HTTPTypes
import MartletData
import Synchronization

/// Measures and recovers images on a thread of its own, one request after the other: a search takes seconds, in which the server's threads
/// would answer nobody.
actor RecoveryWorker {
  private static let mostRequests = 16
  private nonisolated let executor = RecoveryExecutor()
  private nonisolated let requests = Mutex(0)

  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  /// Runs `work`, which ends early where it looks at `Task.isCancelled`, when the client goes.
  /// - Throws: an error of status 429 where too many wait, and `CancellationError` where the client has gone.
  nonisolated func run<Value: Sendable>(
    _ context: ServerContext, _ work: @escaping @Sendable () -> Value
  ) async throws -> Value {
    let waiting = requests.withLock { count in
      count += 1
      return count - 1
    }
    defer { requests.withLock { $0 -= 1 } }
    guard waiting < Self.mostRequests else {
      throw APIError(
        status: .tooManyRequests, type: "rate_limit_error",
        message: "\(waiting) images are being measured or recovered already; try again later", code: "queue_full",
        retryAfter: 1)
    }
    return try await context.watch.cancelling { try await self.isolated(work) }
  }

  private func isolated<Value: Sendable>(_ work: @Sendable () -> Value) throws -> Value {
    try Task.checkCancellation()
    let value = work()
    try Task.checkCancellation()
    return value
  }
}

private final class RecoveryExecutor: SerialExecutor {
  private let queue = DispatchQueue(label: "martlet.recovery")

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
  }
}
