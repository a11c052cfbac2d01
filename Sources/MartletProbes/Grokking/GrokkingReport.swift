import Foundation
import MartletData
import MartletOptimization

extension RunReport {
  private static let blue = "#1f5fbf", orange = "#d2691e", green = "#2e8b57"

  /// The page of a grokking run.
  static func grokking(_ settings: GrokkingSettings) -> RunReport {
    RunReport(
      title: "Grokking: \(settings.operation.rawValue) modulo \(settings.modulus), run",
      charts: [
        Chart(
          "Accuracy",
          [Curve("training", "training_accuracy", color: blue), Curve("test", "test_accuracy", color: orange)],
          isLogarithmicX: true),
        Chart(
          "Loss", [Curve("training", "training_loss", color: blue), Curve("test", "test_loss", color: orange)],
          isLogarithmicX: true, isLogarithmicY: true),
        Chart(
          "Progress measures",
          [
            Curve("restricted loss", "restricted_loss", color: green),
            Curve("excluded loss", "excluded_loss", color: orange),
          ], isLogarithmicX: true, isLogarithmicY: true, isOptional: true),
        Chart(
          "Gini coefficient of Fourier norms",
          [
            Curve("embedding", "embedding_gini", color: blue), Curve("W_out W_U", "unembedding_gini", color: green),
          ], isLogarithmicX: true, isOptional: true),
        Chart(
          "Sum of squared weights", [Curve("weights", "squared_weights", color: blue)], isLogarithmicX: true),
      ],
      further: { metrics in
        func spectrum(_ key: String) -> [(x: Double, y: Double)] {
          (metrics.last(key)?.array ?? []).enumerated().compactMap { place, share in
            share.number.map { (Double(place + 1), $0) }
          }
        }
        return [
          LineChart(
            "Share of each Fourier frequency",
            [
              .init("embedding", spectrum("embedding_spectrum"), color: blue),
              .init("W_out W_U", spectrum("unembedding_spectrum"), color: green),
            ], over: "frequency")
        ]
      }
    ) { metrics in
      let end = metrics.lines.last { $0["ending"] != nil }
      let memorised = end?["memorised_at"]?.integer.map { "memorised at step \($0)" } ?? "not yet memorised"
      let generalised = end?["generalised_at"]?.integer.map { "generalised at step \($0)" } ?? "not yet generalised"
      let keys = (end?["key_frequencies"]?.array ?? []).compactMap(\.integer).map(String.init)
      let diverged = end?["ending"]?.string == "diverged" ? " The loss stopped being a finite number." : ""
      return """
        \(String(format: "%.3g", settings.share * 100)) % of the pairs, seed \(settings.seed): \(memorised), \
        \(generalised). Key frequencies: \(keys.isEmpty ? "none" : keys.joined(separator: ", ")).\(diverged)
        """
    }
  }
}
