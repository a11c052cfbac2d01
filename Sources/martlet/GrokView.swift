import Foundation
import MartletProbes

/// Shows a grokking run: one line that is rewritten on a terminal, a line now and then elsewhere, or JSON.
final class GrokView {
  private let steps: Int
  private let json: Bool
  private var lastShown = Date.distantPast

  init(steps: Int, json: Bool) {
    self.steps = steps
    self.json = json
  }

  func show(_ event: GrokkingFolder.Event) {
    switch event {
    case .resumed(let step):
      if json { try? Terminal.printJSON(["event": "resumed", "step": step]) }
      if !json { Terminal.note("resuming after step \(step)") }
    case .checkpoint(let step):
      if json { try? Terminal.printJSON(["event": "checkpoint", "step": step]) }
    case .evaluation(let point, let rate): show(point, rate)
    }
  }

  private func show(_ point: GrokkingPoint, _ rate: Double) {
    if json {
      try? Terminal.printJSON([
        "event": "evaluation", "step": point.step, "training_loss": point.trainingLoss, "test_loss": point.testLoss,
        "training_accuracy": point.trainingAccuracy, "test_accuracy": point.testAccuracy, "steps_per_second": rate,
      ])
      return
    }
    guard Date().timeIntervalSince(lastShown) > (Terminal.isInteractive ? 0.2 : 5) else { return }
    lastShown = Date()
    let text = String(
      format: "step %d/%d  loss %.2e / %.2e  accuracy %.1f / %.1f %% (training / test)  %.0f steps/s, at most %@ left",
      point.step, steps, point.trainingLoss, point.testLoss, point.trainingAccuracy * 100,
      point.testAccuracy * 100, rate, TrainingView.duration(Double(steps - point.step) / max(rate, 1e-9)))
    if Terminal.isInteractive {
      StandardError.write("\r\u{1b}[K\(text)")
    } else {
      Terminal.note(text)
    }
  }

  func finish() {
    if Terminal.isInteractive, !json { StandardError.write("\r\u{1b}[K") }
  }
}
