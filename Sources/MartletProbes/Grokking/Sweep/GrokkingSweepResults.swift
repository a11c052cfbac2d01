import Foundation
import MartletData

/// The results of a sweep as far as it has come.
public struct GrokkingSweepResults: Sendable {
  /// The plan.
  public let plan: GrokkingSweepPlan
  /// The results of all configurations with a finished run: baselines first.
  public let results: [GrokkingResult]
  /// Whether all runs are finished.
  public let isComplete: Bool

  /// The test accuracy at which configurations are compared: the highest of those told that runs were to reach.
  public var accuracy: Double { plan.accuracies.last ?? plan.common.target }

  /// The results of plain AdamW.
  public var baselines: [GrokkingResult] { results.filter { $0.configuration.variant == nil } }

  /// The result of plain AdamW at the setting that nobody tuned.
  public var untuned: GrokkingResult? { results.first { $0.configuration == plan.untuned } }

  /// The best of plain AdamW.
  public var best: GrokkingResult? {
    baselines.reduce(nil) { best, result in
      guard let best else { return result }
      return result.isBetter(than: best, at: accuracy) ? result : best
    }
  }

  /// Everything in numbers, for `results.json`.
  package func object() throws -> [String: Any] {
    var object: [String: Any] = [
      "complete": isComplete, "accuracy": accuracy, "seeds": plan.seeds.map(Self.number),
      "configurations": results.map(object), "conclusions": conclusions,
      "settings": try plan.common.metrics.filter { !["seed", "learning_rate", "weight_decay"].contains($0.key) },
    ]
    object["untuned"] = untuned?.configuration.name
    object["best_baseline"] = best?.configuration.name
    return object
  }

  private func object(_ result: GrokkingResult) -> [String: Any] {
    func number(_ value: Double) -> Any { value.isFinite ? value : NSNull() }
    func object(_ spread: GrokkingResult.Spread, _ unit: String) -> [String: Any] {
      [
        "median_\(unit)": number(spread.median), "lowest_\(unit)": number(spread.lowest),
        "highest_\(unit)": number(spread.highest),
      ]
    }
    let configuration = result.configuration
    var all: [String: Any] = [
      "name": configuration.name, "title": configuration.title, "learning_rate": configuration.learningRate,
      "weight_decay": configuration.weightDecay, "variant": configuration.variant?.rawValue ?? "none",
      "reached": plan.accuracies.map { accuracy in
        let steps = result.steps(reaching: accuracy)
        return object(steps, "steps").merging(object(result.seconds(reaching: accuracy), "seconds")) { first, _ in first
        }
        .merging(["accuracy": accuracy, "runs": steps.count, "runs_that_reached": steps.reached]) { first, _ in first }
      },
      "runs": result.outcomes.map { outcome in
        [
          "seed": Self.number(outcome.seed), "ending": outcome.ending.rawValue, "steps": outcome.steps,
          "seconds_per_step": outcome.secondsPerStep ?? NSNull(),
          "reached": plan.accuracies.map { accuracy in
            [
              "accuracy": accuracy, "step": outcome.step(reaching: accuracy) ?? NSNull(),
              "seconds": outcome.seconds(reaching: accuracy) ?? NSNull(),
            ] as [String: Any]
          },
        ] as [String: Any]
      },
    ]
    if let best, best.configuration != configuration {
      let comparison = GrokkingComparison(
        result.steps(reaching: accuracy), against: best.steps(reaching: accuracy))
      all["verdict"] = comparison.verdict.rawValue
      all["ratio_of_steps"] = comparison.ratio ?? NSNull()
    }
    return all
  }

  /// A seed for JSON, whose readers have doubles: beyond them it is a text.
  private static func number(_ seed: UInt64) -> Any { seed < 1 << 53 ? Int(seed) : "\(seed)" }
}
