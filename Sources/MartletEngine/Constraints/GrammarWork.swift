import Foundation
import MartletData
import Synchronization

/// A limit of the work to compile one grammar, over all of its patterns, formats, lists, references and rules together.
///
/// Work is counted in steps of about ten nanoseconds wherever it depends on the contents of a request; permanently
/// allocated memory costs additional steps. All parts of a grammar add to the same counter, `current`.
/// ``Grammar/init(_:)`` creates one if there is none.
public final class GrammarWork: Sendable {
  /// The default limit for one grammar, in steps.
  public static let mostSteps = 20_000_000

  /// The account that work adds to; nil counts nothing.
  @TaskLocal static var current: GrammarWork?

  private let steps = Atomic<Int>(0)
  private let isCancelled = Atomic<Bool>(false)
  private let mostSteps: Int

  /// A counter at 0.
  public init(mostSteps: Int = GrammarWork.mostSteps) { self.mostSteps = mostSteps }

  /// Stops the compilation at its next step, because its result is no longer needed.
  public func cancel() { isCancelled.store(true, ordering: .relaxed) }

  /// The number of steps taken so far.
  public var count: Int { steps.load(ordering: .relaxed) }

  /// Adds steps before they are taken.
  /// - Throws: ``GrammarWorkExceeded`` beyond the limit, and CancellationError once the work is cancelled.
  func spend(_ amount: Int) throws {
    // More than the limit at once is as good as the limit, and cannot overflow.
    let amount = min(max(amount, 0), mostSteps + 1)
    let count = steps.wrappingAdd(amount, ordering: .relaxed).newValue
    if isCancelled.load(ordering: .relaxed) { throw CancellationError() }
    guard count <= mostSteps else {
      // The sum stays where it is, however often an ended account is asked.
      steps.store(mostSteps + 1, ordering: .relaxed)
      throw GrammarWorkExceeded(mostSteps: mostSteps)
    }
  }

  /// Adds steps to the account of the grammar that is being made.
  /// - Throws: as ``spend(_:)-(Int)``.
  static func spend(_ amount: Int) throws { try current?.spend(amount) }

  /// The same where nothing can be thrown; the next ``spend(_:)-(Int)`` throws.
  /// - Returns: false where the work should end at once.
  @discardableResult static func note(_ amount: Int) -> Bool {
    guard let current else { return true }
    do { try current.spend(amount) } catch { return false }
    return true
  }
}

/// A grammar would take more work than one request may use.
public struct GrammarWorkExceeded: ExplainedError {
  /// The limit in steps.
  public let mostSteps: Int

  /// One sentence that names what is wrong and what helps.
  public var message: String {
    "its conversion to a grammar takes more than \(mostSteps) steps; use fewer and simpler patterns, formats, "
      + "lists, properties and references"
  }
}
