import Foundation

/// A range that holds a quantity with a stated confidence.
public struct ConfidenceInterval: Sendable, Equatable {
  /// The lower end.
  public var lower: Double
  /// The upper end.
  public var upper: Double
  /// The confidence, from 0 to 1: 0.95 for an interval of 95 %.
  public var level: Double

  /// A range with its confidence.
  public init(lower: Double, upper: Double, level: Double = 0.95) {
    self.lower = lower
    self.upper = upper
    self.level = level
  }

  /// Whether a value lies in the range, its ends included.
  public func contains(_ value: Double) -> Bool { lower <= value && value <= upper }

  /// Wilson's score interval of a proportion (Wilson, 1927), which keeps inside 0 and 1 and holds for few rows as well:
  /// `(p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n)`.
  ///
  /// - Parameters:
  ///   - successes: the number of successes, from 0 to `count`.
  ///   - count: the number of trials; for 0 the interval is all of 0 to 1.
  ///   - level: the confidence of the interval, from 0 to 1.
  public static func wilson(_ successes: Int, of count: Int, level: Double = 0.95) -> ConfidenceInterval {
    guard count > 0 else { return ConfidenceInterval(lower: 0, upper: 1, level: level) }
    let n = Double(count), p = Double(successes) / n, z = normalQuantile((1 + level) / 2)
    let middle = p + z * z / (2 * n)
    let reach = z * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
    return ConfidenceInterval(
      lower: max(0, (middle - reach) / (1 + z * z / n)), upper: min(1, (middle + reach) / (1 + z * z / n)), level: level
    )
  }

  /// The value below which a standard normal variable lies with a probability between 0 and 1, to the precision of `erfc`.
  static func normalQuantile(_ probability: Double) -> Double {
    guard probability > 0 else { return -.infinity }
    guard probability < 1 else { return .infinity }
    // The distribution function is monotone; bisection needs no table of coefficients.
    var low = -40.0, high = 40.0
    while true {
      let middle = (low + high) / 2
      guard middle > low, middle < high else { return middle }
      if erfc(-middle / 2.0.squareRoot()) / 2 < probability { low = middle } else { high = middle }
    }
  }
}
