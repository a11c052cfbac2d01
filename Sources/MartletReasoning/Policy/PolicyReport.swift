import Foundation
import MartletData
import MartletEvaluation
import MartletOptimization

extension PolicyStepReport {
  /// The members of a line of metrics; what was not computed is left out.
  var metrics: [String: Any] {
    var line: [String: Any] = [
      "step": step, "loss": loss, "gradient_norm": gradientNorm, "learning_rate": learningRate,
      "completions": completions, "tokens": tokens, "skipped": isSkipped,
    ]
    if let reward { line["reward"] = reward }
    if let correctShare { line["correct"] = correctShare }
    if let completeShare { line["complete"] = completeShare }
    if let divergence { line["divergence"] = divergence }
    if let clippedShare { line["clipped"] = clippedShare }
    if let rankedShare { line["ranked"] = rankedShare }
    return line
  }
}

extension RunReport {
  /// The page of a run that trains a policy.
  static let policy = RunReport(
    title: "Policy run",
    charts: [
      Chart(
        "Reward of the answers of a step",
        [
          Curve("reward", "reward", color: "#8aa4c8"), Curve("smoothed", "reward", color: "#1f5fbf", isSmoothed: true),
        ], isOptional: true),
      Chart(
        "Pairs that the policy ranks as given",
        [Curve("share", "ranked", color: "#1f5fbf", isSmoothed: true)], isOptional: true),
      Chart(
        "Divergence a token (nats)", [Curve("divergence", "divergence", color: "#d2691e")], isOptional: true),
      Chart("Tokens learnt from", [Curve("tokens", "tokens", color: "#2e8b57")]),
      Chart("Loss", [Curve("loss", "loss", color: "#8aa4c8")]),
      Chart("Norm of the gradient", [Curve("norm", "gradient_norm", color: "#8b5fbf")]),
    ],
    further: { metrics in
      let found = metrics.lines.compactMap { PolicyMeasurement($0) }
      guard !found.isEmpty else { return [] }
      func line(
        _ name: String, _ color: String, _ value: (PolicyMeasurement) -> (value: Double, interval: ConfidenceInterval)
      ) -> LineChart.Line {
        LineChart.Line(
          name, found.map { (Double($0.step), value($0).value) }, color: color,
          intervals: found.map { (Double($0.step), value($0).interval.lower, value($0).interval.upper) })
      }
      return [
        LineChart(
          "Share of right answers to held-out questions, with intervals of 95 %",
          [
            line("most likely tokens", "#1f5fbf") { $0.accuracy },
            line("sampled", "#d2691e") { $0.sampledAccuracy },
          ], over: "step")
      ]
    }
  ) { metrics in
    let found = metrics.lines.compactMap { PolicyMeasurement($0) }
    guard let first = found.first, let last = found.last else { return "No held-out questions were asked." }
    return
      "Of \(first.questions) held-out questions \(first.correct) were answered rightly before and \(last.correct) after step \(last.step) (most likely tokens); sampled, \(first.sampledCorrect) and \(last.sampledCorrect)."
  }
}
