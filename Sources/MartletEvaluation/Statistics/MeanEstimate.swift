import Foundation

/// A mean of measurements with its standard error.
public struct MeanEstimate: Sendable, Equatable {
  /// The mean; NaN if there are no measurements.
  public var value: Double
  /// The standard error; NaN where fewer than two measurements give none.
  public var standardError: Double
  /// The number of measurements.
  public var count: Int

  /// An estimate that was computed elsewhere.
  public init(value: Double, standardError: Double, count: Int) {
    self.value = value
    self.standardError = standardError
    self.count = count
  }

  /// The mean of values and its standard error `s / √n`, with the sample's standard deviation `s` (division by n − 1).
  public init(of values: [Double]) {
    count = values.count
    let n = Double(values.count)
    let mean = values.isEmpty ? .nan : values.reduce(0, +) / n
    value = mean
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    standardError = values.count > 1 ? (squares / (n - 1)).squareRoot() / n.squareRoot() : .nan
  }

  /// `exp(−mean)` of log-likelihoods, a perplexity, with the standard error of the delta method: `exp(−mean)` times the mean's.
  public var perplexity: MeanEstimate {
    let perplexity = exp(-value)
    return MeanEstimate(value: perplexity, standardError: perplexity * standardError, count: count)
  }

  /// The mean over groups, each weighted by its size, as if all rows were one set. The error is that of the pooled variance:
  /// `√(Σ nᵢ(nᵢ − 1) seᵢ² / (Σ nᵢ − k) / Σ nᵢ)` for k groups, as the field's harness computes it.
  public static func weighted(_ groups: [MeanEstimate]) -> MeanEstimate {
    let groups = groups.filter { $0.count > 0 }
    let total = groups.reduce(0) { $0 + $1.count }
    guard total > 0 else { return MeanEstimate(value: .nan, standardError: .nan, count: 0) }
    let mean = groups.reduce(0) { $0 + $1.value * Double($1.count) } / Double(total)
    // A group of one row has no variance of its own, and takes no part in the pooled one.
    let squares = groups.filter { $0.count > 1 }.reduce(0) {
      $0 + Double($1.count) * Double($1.count - 1) * $1.standardError * $1.standardError
    }
    let freedom = total - groups.count
    let error = freedom > 0 ? (squares / Double(freedom) / Double(total)).squareRoot() : .nan
    return MeanEstimate(value: mean, standardError: error, count: total)
  }

  /// The plain mean of independent estimates, such as of the tasks of a table: `√(Σ seᵢ²) / k`.
  public static func plain(_ estimates: [MeanEstimate]) -> MeanEstimate {
    guard !estimates.isEmpty else { return MeanEstimate(value: .nan, standardError: .nan, count: 0) }
    let number = Double(estimates.count)
    return MeanEstimate(
      value: estimates.reduce(0) { $0 + $1.value } / number,
      standardError: estimates.reduce(0) { $0 + $1.standardError * $1.standardError }.squareRoot() / number,
      count: estimates.reduce(0) { $0 + $1.count })
  }

  /// The interval of the normal approximation around the value.
  public func interval(level: Double = 0.95) -> ConfidenceInterval {
    let reach = ConfidenceInterval.normalQuantile((1 + level) / 2) * standardError
    return ConfidenceInterval(lower: value - reach, upper: value + reach, level: level)
  }
}
