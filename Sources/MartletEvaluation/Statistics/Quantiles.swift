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

  /// A quantile of values that are sorted already, interpolated between the two nearest (Hyndman and Fan, 1996, definition 7);
  /// NaN if there are none.
  /// - Parameter share: a number from 0 to 1.
  public func interpolatedQuantile(_ share: Double) -> Double {
    guard let last else { return .nan }
    let place = Swift.min(Swift.max(share, 0), 1) * Double(count - 1)
    let below = Int(place)
    guard below + 1 < count else { return last }
    return self[below] + (place - Double(below)) * (self[below + 1] - self[below])
  }
}
