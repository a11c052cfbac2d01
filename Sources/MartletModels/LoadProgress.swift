import Synchronization

/// Counts the bytes of a model that have been loaded, and tells.
final class LoadProgress: Sendable {
  private let done = Atomic<Int>(0)
  private let total: Int
  private let report: @Sendable (_ done: Int, _ total: Int) -> Void

  init(total: Int, report: @escaping @Sendable (_ done: Int, _ total: Int) -> Void) {
    self.total = total
    self.report = report
  }

  func add(_ bytes: Int) { report(done.wrappingAdd(bytes, ordering: .relaxed).newValue, total) }
}
