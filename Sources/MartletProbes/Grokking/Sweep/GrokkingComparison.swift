import Foundation

/// What may be concluded of a configuration against the best tuned baseline, from the ranges over seeds alone.
public struct GrokkingComparison: Sendable {
  /// The conclusions.
  public enum Verdict: String, Sendable, Codable {
    /// Every seed was there before the first seed of the baseline.
    case faster
    /// Every seed was there after the last seed of the baseline, or never.
    case slower
    /// The ranges overlap: nothing may be concluded.
    case overlapping
    /// One seed on either side: nothing may be concluded.
    case tooFewSeeds = "too few seeds"
  }

  /// The conclusion.
  public let verdict: Verdict
  /// The baseline's median divided by this configuration's: above 1 is faster. nil where a median is infinite, or
  /// nothing may be concluded.
  public let ratio: Double?
  /// The probability that ranges of two methods that do not differ are apart: `2 / C(n + m, n)`.
  public let chance: Double

  /// - Parameters:
  ///   - spread: of the configuration.
  ///   - baseline: of the best tuned baseline.
  init(_ spread: GrokkingResult.Spread, against baseline: GrokkingResult.Spread) {
    let both = spread.count + baseline.count
    var ways = 1.0
    for index in 0..<spread.count { ways *= Double(both - index) / Double(index + 1) }
    chance = min(1, 2 / ways)
    if min(spread.count, baseline.count) < 2 {
      verdict = .tooFewSeeds
    } else if spread.highest < baseline.lowest {
      verdict = .faster
    } else if spread.lowest > baseline.highest {
      verdict = .slower
    } else {
      verdict = .overlapping
    }
    let isConcluded = verdict == .faster || verdict == .slower
    let quotient = baseline.median / spread.median
    ratio = isConcluded && baseline.median.isFinite && spread.median.isFinite && quotient.isFinite ? quotient : nil
  }
}
