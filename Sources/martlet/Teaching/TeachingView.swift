import Foundation
import MartletData
import MartletReasoning
import Synchronization

/// Shows the stages of a recipe: a line for each, and how far it is where people watch.
final class TeachingView: Sendable {
  private struct State {
    var progress: Progress?
    var unit = ""
    var lastStep = Date.distantPast
  }

  private let state = Mutex(State())

  func show(_ event: TeachingRun.Event) {
    switch event {
    case .stage(let number, let count, let name):
      finish()
      Terminal.note("\(number)/\(count) \(name.printable)")
    case .note(let text): Terminal.note("  \(text.printable)")
    case .progress(let unit, let done, let total):
      let progress = state.withLock { state in
        if state.progress == nil || state.unit != unit || done == 0 {
          state.progress?.finish()
          state.progress = Progress("  ")
          state.unit = unit
        }
        return state.progress
      }
      progress?.update(done, of: total, unit: unit, scale: 1)
    case .step(let step, let loss, let rate, let left):
      // Not every step of small models.
      let isTime = state.withLock { state in
        guard Date().timeIntervalSince(state.lastStep) > 5 else { return false }
        state.lastStep = Date()
        return true
      }
      guard isTime else { return }
      Terminal.note(
        String(format: "  step %d  loss %.4f  %.0f tokens/s  %@ left", step, loss, rate, TrainingView.duration(left)))
    }
  }

  func finish() {
    state.withLock { state in
      state.progress?.finish()
      state.progress = nil
    }
  }
}
