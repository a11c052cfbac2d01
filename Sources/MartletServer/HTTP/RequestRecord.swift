import Foundation
import MartletEditing
import MartletEngine
import Synchronization

/// What a route notes of a request for the log and the metrics.
final class RequestRecord: Sendable {
  struct Values {
    let started = Date()
    var firstText: Double?
    var usage: Usage?
    var prompt: String?
    var answer = ""
    var skeleton: String?
    /// Edits that changed the answer, and those that held back with the reason.
    var edits: [Int] = [], heldEdits: [String] = []
  }
  private let values = Mutex(Values())
  var current: Values { values.withLock { $0 } }

  func note(usage: Usage) { values.withLock { $0.usage = usage } }
  func note(prompt: String) { values.withLock { $0.prompt = prompt } }
  func note(skeleton: String) { values.withLock { $0.skeleton = skeleton } }
  /// - Parameter keepsText: whether the log shows the answer.
  func note(_ event: AnswerEvent, keepsText: Bool) {
    values.withLock {
      switch event {
      case .text(_, let text, _):
        if $0.firstText == nil { $0.firstText = Date().timeIntervalSince($0.started) }
        if keepsText { $0.answer += text }
      case .finished(let usage): $0.usage = usage
      case .edited(_, let edit): $0.edits.append(edit.id)
      case .heldBack(_, let edit): $0.heldEdits.append("\(edit.id): \(edit.reason)")
      default: break
      }
    }
  }
}
