import Foundation

/// McNemar's exact test of two models on the same rows (McNemar, 1947): rows on which both are right, or both wrong, say nothing
/// about which is better, and the others are coin tosses if neither is.
public struct McNemarTest: Sendable, Equatable {
  /// The number of rows that the first model alone answers correctly.
  public let onlyFirst: Int
  /// The number of rows that the second model alone answers correctly.
  public let onlySecond: Int

  /// A test by the counts of rows on which the models differ.
  public init(onlyFirst: Int, onlySecond: Int) {
    self.onlyFirst = onlyFirst
    self.onlySecond = onlySecond
  }

  /// A test by what each model got right, row by row; what is beyond the shorter list does not count.
  public init(first: [Bool], second: [Bool]) {
    let pairs = zip(first, second)
    self.init(onlyFirst: pairs.count { $0 && !$1 }, onlySecond: pairs.count { !$0 && $1 })
  }

  /// The two-sided p-value: how likely a split at least as uneven as this one is, by the binomial distribution with p = 1/2.
  public var pValue: Double {
    let total = onlyFirst + onlySecond, fewer = min(onlyFirst, onlySecond)
    guard total > 0, onlyFirst != onlySecond else { return 1 }
    let whole = lgamma(Double(total) + 1) - Double(total) * log(2)
    let tail = (0...fewer).reduce(0.0) { sum, k in
      sum + exp(whole - lgamma(Double(k) + 1) - lgamma(Double(total - k) + 1))
    }
    return min(1, 2 * tail)
  }
}
