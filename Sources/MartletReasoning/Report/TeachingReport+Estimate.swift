import MartletData
import MartletEvaluation

extension TeachingReport {
  /// A mean over seeds and questions.
  public struct Estimate: Sendable, Equatable {
    /// The mean.
    public var value: Double
    /// An interval of 95 % over draws of seeds and of questions. Of a share that is 0 or 1 in every draw it is Wilson's interval over the
    /// questions instead, as draws of values that are all alike say nothing.
    public var interval: ConfidenceInterval
    /// The mean of each seed.
    public var seeds: [Double]
  }

  /// Draws behind each interval.
  public static let draws = 2000

  /// The means of `table`, `[seed][question]`, over all draws of questions and of seeds; `seed` is that of the draws of seeds.
  private static func means(_ table: [[Double]], seed: UInt64) -> [Double] {
    let questions = Bootstrap(repeats: draws, seed: 1), seeds = Bootstrap(repeats: draws, seed: seed)
    let count = table.first?.count ?? 0
    return (0..<draws).map { repetition in
      // The questions drawn are those of every arm; seeds of different arms have nothing in common.
      let drawn = questions.draw(repetition, of: count)
      let chosen = seeds.draw(repetition, of: table.count)
      let sum = chosen.reduce(0.0) { sum, seed in sum + drawn.reduce(0.0) { $0 + table[seed][$1] } }
      return sum / Double(max(1, count * table.count))
    }
  }

  private static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(max(1, values.count)) }

  /// The mean of `table`, `[seed][question]`, with its interval.
  /// - Parameter isShare: whether the values are 0 or 1 each, and the mean is a share.
  static func estimate(_ table: [[Double]], isShare: Bool = true) -> Estimate {
    let seeds = table.map(mean), count = table.first?.count ?? 0
    let value = mean(seeds)
    let isConstant =
      isShare && table.allSatisfy { $0.allSatisfy { $0 == value } } && (value == 0 || value == 1)
    return Estimate(
      value: value,
      interval: isConstant
        ? .wilson(value == 1 ? count : 0, of: count)
        : Bootstrap(repeats: draws).interval(ofValues: means(table, seed: 2)),
      seeds: seeds)
  }

  /// How much higher the share of `other` is than that of `one`, both `[seed][question]` of the same questions.
  ///
  /// Where all draws are alike, such as where both arms are always right, the interval is that of the difference of two shares by their
  /// own intervals (Newcombe, 1998), which says how much so many questions can show.
  static func difference(_ one: [[Double]], _ other: [[Double]]) -> Estimate {
    let draws = zip(means(other, seed: 3), means(one, seed: 2)).map { $0 - $1 }
    var interval = Bootstrap(repeats: Self.draws).interval(ofValues: draws)
    let first = estimate(one), second = estimate(other)
    let value = second.value - first.value
    if interval.lower == interval.upper {
      func reach(_ one: Double, _ other: Double) -> Double { (one * one + other * other).squareRoot() }
      interval.lower =
        value - reach(second.value - second.interval.lower, first.interval.upper - first.value)
      interval.upper =
        value + reach(second.interval.upper - second.value, first.value - first.interval.lower)
    }
    return Estimate(value: value, interval: interval, seeds: [])
  }

  /// A share in points with one decimal.
  static func points(_ share: Double) -> String { EvaluationFormat.tenths(100 * share) }
}

/// Numbers with one decimal.
enum EvaluationFormat {
  static func tenths(_ value: Double) -> String {
    guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
    let tenths = Int((value * 10).rounded())
    return "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
  }
}
