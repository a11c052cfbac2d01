import Foundation
import MartletModels
import MartletOptimization
import MartletTensor
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
    case .resumed(let step): line("resuming after step \(step)")
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
        format: "step %d/%d  loss %.4f (smoothed %.4f)  learning rate %.2e  %.0f tokens/s  %@ left", report.step,
        steps, report.loss, mean ?? report.loss, report.learningRate, rate, Self.duration(left))
      if Terminal.isInteractive {
        hasLine = true
        StandardError.write("\r\u{1b}[K\(text)")
      } else {
        Terminal.note(text)
      }
    case .validation(let step, let loss, let isBest):
      line(
        loss.isFinite
          ? String(format: "step %d  validation loss %.4f%@", step, loss, isBest ? " (best)" : "")
          : "step \(step)  the validation loss is not a finite number")
    case .checkpoint: break
    case .stoppedEarly(let step): line("step \(step): the validation loss has stopped improving; the run ends")
    }
  }

  /// What the run is about to do, before it does it.
  func show(_ plan: TrainingPlan, _ trainer: Trainer, training: TrainingData, validation: TrainingData) {
    let settings = trainer.settings, description = trainer.model.description
    let parameters = trainer.trainedParameters.reduce(0) { $0 + $1.value.count }
    let counted = training.examples.indices.reduce(0) { $0 + training.countedTokens($1) }
    if json {
      try? Terminal.printJSON([
        "event": "plan", "architecture": description.architecture, "parameters": description.parameterCount,
        "trained_parameters": parameters, "examples": training.examples.count,
        "validation_examples": validation.examples.count, "tokens": training.predictedTokens, "counted_tokens": counted,
        "steps": settings.steps, "epochs": plan.epochs, "batch": settings.batch, "context": settings.context,
        "accumulation": settings.accumulation, "learning_rate": settings.optimizer.learningRate,
        "warmup": settings.schedule.warmup, "schedule": settings.schedule.shape.rawValue, "notes": training.notes,
        "warnings": plan.warnings,
      ])
    } else {
      let rate = String(format: "%.2g", settings.optimizer.learningRate)
      let epochs = String(format: plan.epochs < 1000 ? "%.3g" : "%.0f", plan.epochs)
      func steps(_ count: Int) -> String { count == 1 ? "1 step" : "\(count) steps" }
      let tokens =
        counted == training.predictedTokens
        ? "\(counted) tokens" : "\(training.predictedTokens) tokens, of which \(counted) count"
      Terminal.note(
        """
        \(description.architecture): \(parameters) of \(description.parameterCount) parameters are trained
        data: \(training.examples.count) examples (\(tokens)); \(validation.examples.count) to validate
        plan: \(steps(settings.steps)) of at most \(settings.batch * settings.accumulation) x \(settings.context) tokens, \
        \(epochs) epochs; learning rate \(rate) (\(settings.schedule.shape.rawValue)) after \
        \(steps(settings.schedule.warmup)) of warm-up
        """)
    }
    for warning in plan.warnings { Terminal.note("Warning: \(warning)") }
  }

  /// What the run has brought, on some of its training examples.
  func show(gain: (before: Double, after: Double), of thing: String) {
    let share = (gain.before - gain.after) / max(gain.before, 1e-9)
    if json {
      try? Terminal.printJSON([
        "event": "gain", "loss_before": Self.number(gain.before), "loss_after": Self.number(gain.after),
        "moved": abs(share) >= Self.leastShare,
      ])
    } else {
      Terminal.note(String(format: "loss on training examples: %.4f before, %.4f now", gain.before, gain.after))
    }
    if !gain.after.isFinite || share <= -Self.leastShare {
      Terminal.note("Warning: \(thing) makes the training examples less probable than before; lower --learning-rate")
    } else if share < Self.leastShare {
      Terminal.note(
        "Warning: \(thing) has changed almost nothing: the loss is the same as before; raise --steps, --epochs or --learning-rate"
      )
    }
  }
  /// Changes of the loss below this share of it are none.
  private static let leastShare = 1e-3

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

  /// A number for JSON, which has no NaN and no infinity: their names stand for them.
  private static func number(_ value: Double) -> Any { value.isFinite ? value : "\(value)" }

  private func printJSON(_ event: TrainingRun.Event) {
    let object: [String: Any]
    switch event {
    case .resumed(let step): object = ["event": "resumed", "step": step]
    case .step(let report, let rate, _):
      object = [
        "event": "step", "step": report.step, "loss": Self.number(report.loss),
        "learning_rate": report.learningRate, "gradient_norm": Self.number(report.gradientNorm),
        "tokens_per_second": rate, "skipped": report.isSkipped,
      ]
    case .validation(let step, let loss, let isBest):
      object = ["event": "validation", "step": step, "validation_loss": Self.number(loss), "best": isBest]
    case .checkpoint(let step): object = ["event": "checkpoint", "step": step]
    case .stoppedEarly(let step): object = ["event": "stopped early", "step": step]
    }
    try? Terminal.printJSON(object)
  }
}
