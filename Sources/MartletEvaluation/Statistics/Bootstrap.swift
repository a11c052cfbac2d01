import MartletTensor

/// Percentile intervals by resampling (Efron, 1979). What is drawn with replacement are clusters: groups of measurements that depend on
/// each other, such as the questions behind one context. Where each measurement stands alone it is a cluster of its own.
///
/// Draw `i` of repeat `r` is number `i` of stream `r` of the seed, so the same seed draws the same clusters whatever statistic is
/// computed: differences between statistics of equally many clusters are paired.
public struct Bootstrap: Sendable {
  /// How often clusters are drawn.
  public var repeats: Int
  /// The confidence of the intervals, from 0 to 1.
  public var level: Double
  private let random: RandomSource

  /// Resampling with a seed.
  /// - Parameters:
  ///   - repeats: how often clusters are drawn, at least 1.
  ///   - level: the confidence of the intervals, from 0 to 1.
  ///   - seed: the same seed draws the same clusters.
  public init(repeats: Int = 10_000, level: Double = 0.95, seed: UInt64 = 0) {
    self.repeats = max(1, repeats)
    self.level = level
    random = RandomSource(seed: seed).stream("bootstrap")
  }

  /// The numbers of the clusters that one repeat draws: as many as there are, with replacement.
  public func draw(_ repetition: Int, of count: Int) -> [Int] {
    let stream = random.stream(repetition)
    return (0..<count).map { stream.integer($0, below: count) }
  }

  /// The values of a statistic over all repeats, in their order.
  ///
  /// - Parameters:
  ///   - count: the number of clusters, numbered from 0.
  ///   - statistic: of the clusters drawn, whose numbers may repeat; NaN where it is undefined for them.
  public func values(over count: Int, _ statistic: (_ clusters: [Int]) throws -> Double) rethrows -> [Double] {
    guard count > 0 else { return [] }
    return try (0..<repeats).map { try statistic(draw($0, of: count)) }
  }

  /// The interval of values of a statistic. Undefined values (NaN) are left out; without any other the interval is undefined.
  public func interval(ofValues values: [Double]) -> ConfidenceInterval {
    let sorted = values.filter { !$0.isNaN }.sorted()
    let outside = (1 - level) / 2
    return ConfidenceInterval(
      lower: sorted.interpolatedQuantile(outside), upper: sorted.interpolatedQuantile(1 - outside), level: level)
  }

  /// The interval of a statistic by the numbers of the clusters drawn.
  public func interval(
    over count: Int, _ statistic: (_ clusters: [Int]) throws -> Double
  ) rethrows -> ConfidenceInterval {
    interval(ofValues: try values(over: count, statistic))
  }

  /// The interval of a statistic of measurements in clusters: `statistic` receives the measurements of all clusters drawn.
  public func interval<Measurement>(
    _ clusters: [[Measurement]], _ statistic: (_ measurements: [Measurement]) throws -> Double
  ) rethrows -> ConfidenceInterval {
    try interval(over: clusters.count) { drawn in try statistic(drawn.flatMap { clusters[$0] }) }
  }

  /// The interval of how much larger a statistic is for the second of two conditions, measured on the same clusters: each repeat
  /// draws the same clusters of both.
  /// - Parameters:
  ///   - first: the measurements of the first condition, by cluster.
  ///   - second: those of the second, of the same clusters in the same order; what is beyond the shorter list is left out.
  ///   - statistic: of the measurements of all clusters drawn.
  public func intervalOfDifference<Measurement>(
    _ first: [[Measurement]], _ second: [[Measurement]], _ statistic: (_ measurements: [Measurement]) throws -> Double
  ) rethrows -> ConfidenceInterval {
    try interval(over: min(first.count, second.count)) { drawn in
      try statistic(drawn.flatMap { second[$0] }) - statistic(drawn.flatMap { first[$0] })
    }
  }

  /// The interval of the mean of values, each drawn by itself. Of paired differences it is the paired interval of the mean difference.
  public func intervalOfMean(_ values: [Double]) -> ConfidenceInterval { interval(ofValues: means(of: values)) }

  /// The means of values over all repeats, each value drawn by itself.
  /// - Parameters:
  ///   - values: what is drawn from, with replacement.
  ///   - name: draws differ by it, for sets of values that do not depend on each other.
  public func means(of values: [Double], named name: String? = nil) -> [Double] {
    guard !values.isEmpty else { return [] }
    let random = name.map { self.random.stream($0) } ?? random
    return (0..<repeats).map { repetition in
      let stream = random.stream(repetition)
      var sum = 0.0
      for index in values.indices { sum += values[stream.integer(index, below: values.count)] }
      return sum / Double(values.count)
    }
  }
}
