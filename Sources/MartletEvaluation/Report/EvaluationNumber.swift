import Foundation

/// How numbers of evaluations are written in tables: shares in percent with one decimal, perplexities with two.
public enum EvaluationNumber {
  /// A share as a percentage.
  public static func percent(_ share: Double) -> String { share.isFinite ? String(format: "%.1f", 100 * share) : "" }

  /// A share with its standard error, in percent.
  public static func percent(_ estimate: MeanEstimate) -> String {
    guard estimate.standardError.isFinite else { return percent(estimate.value) }
    return String(format: "%.1f ± %.1f", 100 * estimate.value, 100 * estimate.standardError)
  }

  /// A metric's value with its standard error.
  public static func text(_ estimate: MeanEstimate, _ metric: Metric) -> String {
    guard metric.kind == .perplexity else { return percent(estimate) }
    // A perplexity may be any size.
    let places = estimate.value < 1000 ? 2 : 0
    guard estimate.standardError.isFinite else { return String(format: "%.*f", places, estimate.value) }
    return String(format: "%.*f ± %.*f", places, estimate.value, places, estimate.standardError)
  }

  /// A p-value.
  public static func probability(_ value: Double) -> String {
    value < 0.0001 ? "< 0.0001" : String(format: "%.4f", value)
  }

  /// The difference of two models: in points, or in nats for a row where log-likelihoods are compared.
  public static func difference(_ comparison: ModelComparison, _ results: EvaluationResults) -> String {
    let unit = results.unit(of: comparison)
    return String(format: "%+.*f%@", unit.places, unit.scale * comparison.difference, unit.name)
  }

  /// The interval of ``difference(_:_:)``.
  public static func interval(_ comparison: ModelComparison, _ results: EvaluationResults) -> String {
    let unit = results.unit(of: comparison)
    return String(
      format: "[%+.*f, %+.*f]", unit.places, unit.scale * comparison.interval.lower, unit.places,
      unit.scale * comparison.interval.upper)
  }
}

extension EvaluationResults {
  /// How a difference is written.
  fileprivate func unit(of comparison: ModelComparison) -> (scale: Double, places: Int, name: String) {
    let metric = tasks.first { $0.task.name == comparison.task }?.task.metrics.first { $0.name == comparison.metric }
    return metric?.kind == .perplexity ? (1, 3, " nats") : (100, 1, "")
  }
}
