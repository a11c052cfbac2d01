extension Array where Element == Double {
  /// The middle of the values, or the mean of the two in the middle; 0 where there are none. O(n log n).
  public var median: Double {
    if isEmpty { return 0 }
    let sorted = sorted()
    return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2
  }

  /// The value that a share of the others lies below; 0 where there are none. O(n log n).
  /// - Parameter share: from 0 to 1; 0.99 is the 99th percentile.
  public func quantile(_ share: Double) -> Double {
    isEmpty ? 0 : sorted()[Swift.min(count - 1, Swift.max(0, Int(share * Double(count))))]
  }
}
