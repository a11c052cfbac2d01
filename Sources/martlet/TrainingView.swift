import Foundation
import MartletTraining

/// Shows a run: one line that is rewritten on a terminal, a line now and then elsewhere, or JSON.
final class TrainingView {
  private let steps: Int
  private let json: Bool
  private var lastShown = Date.distantPast
  private var mean: Double?
  private var hasLine = false

  init(steps: Int, json: Bool) {
    self.steps = steps
    self.json = json
  }

  func show(_ event: TrainingRun.Event) {
    if json { return printJSON(event) }
    switch event {
    case .resumed(let step): line("going on after step \(step)")
    case .step(let report, let rate, let left):
      if report.isSkipped {
        line("step \(report.step): the loss is not a finite number; the step was skipped")
        return
      }
      mean = mean.map { $0 * 0.95 + report.loss * 0.05 } ?? report.loss
      let interval = Terminal.isInteractive ? 0.2 : 10
      let isEdge = report.step == 1 || report.step == steps
      guard isEdge || Date().timeIntervalSince(lastShown) > interval else { return }
      lastShown = Date()
      let text = String(
        format: "step %d/%d  loss %.4f  learning rate %.2e  %.0f tokens/s  %@ left", report.step, steps,
        mean ?? report.loss, report.learningRate, rate, Self.duration(left))
      if Terminal.isInteractive {
        hasLine = true
        StandardError.write("\r\u{1b}[K\(text)")
      } else {
        Terminal.note(text)
      }
    case .validation(let step, let loss, let isBest):
      line(String(format: "step %d  validation loss %.4f%@", step, loss, isBest ? " (best)" : ""))
    case .checkpoint: break
    case .stoppedEarly(let step): line("step \(step): the validation loss has stopped improving; the run ends")
    }
  }

  func finish() {
    if hasLine { StandardError.write("\r\u{1b}[K") }
    hasLine = false
  }

  private func line(_ text: String) {
    finish()
    Terminal.note(text)
  }

  static func duration(_ seconds: Double) -> String {
    let whole = seconds < 1e12 ? Int(max(0, seconds).rounded()) : 1_000_000_000_000
    if whole >= 3600 { return "\(whole / 3600) h \(whole % 3600 / 60) min" }
    return whole >= 60 ? "\(whole / 60) min \(whole % 60) s" : "\(whole) s"
  }

  private func printJSON(_ event: TrainingRun.Event) {
    let object: [String: Any]
    switch event {
    case .resumed(let step): object = ["event": "resumed", "step": step]
    case .step(let report, let rate, _):
      object = [
        "event": "step", "step": report.step, "loss": report.loss.isFinite ? report.loss : "\(report.loss)",
        "learning_rate": report.learningRate, "gradient_norm": report.gradientNorm.isFinite ? report.gradientNorm : -1,
        "tokens_per_second": rate, "skipped": report.isSkipped,
      ]
    case .validation(let step, let loss, let isBest):
      object = ["event": "validation", "step": step, "validation_loss": loss, "best": isBest]
    case .checkpoint(let step): object = ["event": "checkpoint", "step": step]
    case .stoppedEarly(let step): object = ["event": "stopped early", "step": step]
    }
    try? Terminal.printJSON(object)
  }
}
