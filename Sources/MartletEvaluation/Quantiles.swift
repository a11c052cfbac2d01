extension Array where Element == Double {
  /// The median of the values; 0 if there are none. O(n log n).
  public var median: Double {
    if isEmpty { return 0 }
    let sorted = sorted()
    return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2
  }

  /// A quantile of the values; 0 if there are none. O(n log n).
  /// - Parameter share: a number from 0 to 1; 0.99 gives the 99th percentile.
  public func quantile(_ share: Double) -> Double {
    isEmpty ? 0 : sorted()[Swift.min(count - 1, Swift.max(0, Int(share * Double(count))))]
  }
}
