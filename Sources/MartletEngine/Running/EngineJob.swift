import Synchronization

/// What can be taken back from outside while the worker has it.
///
/// `@unchecked Sendable`: the flag is atomic; what subclasses add belongs to the worker's thread once they are submitted.
class EngineJob: @unchecked Sendable {
  private let cancelled = Atomic(false)
  func cancel() { cancelled.store(true, ordering: .relaxed) }
  var isCancelled: Bool { cancelled.load(ordering: .relaxed) }
}
