import Foundation
import Testing

@testable import MartletEvaluation

/// Statistics beside what numpy and exact sums in Python give.
struct StatisticsTests {
  private let values = [
    -2.998, -2.552, -3.411, -4.336, -3.682, -4.487, -2.91, -0.99, -3.738, -3.931, -2.265, -2.465,
  ]

  private func isClose(_ one: Double, _ other: Double, _ tolerance: Double = 1e-12) -> Bool {
    abs(one - other) <= tolerance * max(1, abs(other))
  }

  @Test func meansAndTheirErrors() {
    let mean = MeanEstimate(of: values)
    #expect(mean.count == 12 && isClose(mean.value, -3.1470833333333332))
    #expect(isClose(mean.standardError, 0.2867961861653497))
    let perplexity = mean.perplexity
    #expect(isClose(perplexity.value, 23.268100222118992) && isClose(perplexity.standardError, 6.673202403016853))
    #expect(MeanEstimate(of: [1]).standardError.isNaN && MeanEstimate(of: []).value.isNaN)
    let groups = [(0.5, 0.02, 100), (0.6, 0.05, 30), (0.7, 0.01, 500)].map {
      MeanEstimate(value: $0.0, standardError: $0.1, count: $0.2)
    }
    let pooled = MeanEstimate.weighted(groups)
    #expect(pooled.count == 630 && isClose(pooled.value, 0.6634920634920635))
    #expect(isClose(pooled.standardError, 0.008870975722723946))
    #expect(isClose(MeanEstimate.plain(groups).value, 0.6))
    #expect(isClose(MeanEstimate.plain(groups).standardError, 0.003.squareRoot() / 3))
    #expect(MeanEstimate.weighted([]).value.isNaN && MeanEstimate.plain([]).count == 0)
  }

  @Test func wilsonIntervals() {
    for (k, n, lower, upper) in [
      (0, 10, 0.0, 0.2775327998628892), (7, 20, 0.1811918241010821, 0.5671457233147638),
      (20, 20, 0.8388748419471806, 1),
      (431, 1000, 0.4006284437674723, 0.46189964890353424),
    ] {
      let interval = ConfidenceInterval.wilson(k, of: n)
      #expect(
        isClose(interval.lower, lower, 1e-12) && isClose(interval.upper, upper, 1e-12), "\(k) of \(n): \(interval)")
    }
    #expect(ConfidenceInterval.wilson(0, of: 0) == ConfidenceInterval(lower: 0, upper: 1))
    #expect(isClose(ConfidenceInterval.normalQuantile(0.975), 1.959963984540054))
    #expect(ConfidenceInterval.normalQuantile(0) == -.infinity)
  }

  @Test func mcNemarIsExact() {
    for (first, second, p) in [
      (3, 11, 0.057373046875), (0, 6, 0.03125), (25, 25, 1), (40, 71, 0.004195534185394854),
      (400, 520, 8.549170923883778e-05), (0, 0, 1),
    ] {
      #expect(isClose(McNemarTest(onlyFirst: first, onlySecond: second).pValue, p, 1e-11))
      #expect(isClose(McNemarTest(onlyFirst: second, onlySecond: first).pValue, p, 1e-11))
    }
    let test = McNemarTest(first: [true, true, false, false], second: [true, false, true, false])
    #expect(test.onlyFirst == 1 && test.onlySecond == 1)
  }

  @Test func quantilesInterpolate() {
    let sorted = values.sorted()
    for (share, value) in [
      (0, -4.487), (0.025, -4.445475), (0.1, -4.2955), (0.5, -3.2045), (0.975, -1.340625), (1, -0.99),
    ] { #expect(isClose(sorted.interpolatedQuantile(share), value)) }
    #expect([Double]().interpolatedQuantile(0.5).isNaN && [2.0].interpolatedQuantile(0.9) == 2)
  }

  /// Numpy draws others, a hundred thousand times.
  @Test func bootstrapIntervals() {
    let second = [-2.566, -2.431, -3.02, -3.727, -3.685, -4.224, -3.08, -0.977, -3.891, -3.602, -2.245, -1.984]
    let bootstrap = Bootstrap(repeats: 20_000, seed: 3)
    let paired = bootstrap.intervalOfMean(zip(values, second).map { $1 - $0 })
    #expect(isClose(paired.lower, 0.055, 0.004) && isClose(paired.upper, 0.3343, 0.004), "\(paired)")
    let mean = { (values: [Double]) in values.reduce(0, +) / Double(values.count) }
    let same = bootstrap.intervalOfDifference(values.map { [$0] }, second.map { [$0] }, mean)
    #expect(isClose(same.lower, paired.lower) && isClose(same.upper, paired.upper), "the same clusters are drawn")
    #expect(bootstrap.intervalOfMean(values) == Bootstrap(repeats: 20_000, seed: 3).intervalOfMean(values))
    #expect(bootstrap.intervalOfMean(values) != Bootstrap(repeats: 20_000, seed: 4).intervalOfMean(values))
    #expect(bootstrap.intervalOfMean([]).lower.isNaN)
  }

  /// Measurements in a cluster depend on each other: drawing them one by one would give an interval half as wide.
  @Test func clustersAreDrawnWhole() {
    let clusters = [
      [-0.086, -0.188, -1.045, -0.495, -1.104], [0.401, -0.269, 0.625, 0.019, -0.139],
      [-0.331, -0.223, -0.62, -0.556, -0.448], [-0.134, -0.168, -0.6, -0.217, -0.138],
      [-0.411, -0.265, -0.1, -0.273, -0.519], [0.062, 0.341, 0.3, 0.594, 0.723], [1.718, 1.444, 2.137, 2.202, 2.075],
      [0.959, 0.535, 0.815, 0.757, 0.851], [0.205, 0.004, 0.399, -0.021, 0.123], [1.652, 0.782, 0.915, 1.766, 1.464],
      [0.002, 0.011, -0.288, 0.014, -0.376], [-1.266, -1.36, -0.997, -0.88, -0.666],
      [0.192, 0.259, -0.061, 0.468, 0.136], [1.005, 1.28, 0.968, 1.165, 0.714],
      [-1.719, -1.301, -1.76, -1.763, -1.769],
    ]
    let bootstrap = Bootstrap(repeats: 20_000, seed: 1)
    let mean = bootstrap.interval(clusters) { $0.reduce(0, +) / Double($0.count) }
    #expect(abs(mean.lower - -0.3415) < 0.02 && abs(mean.upper - 0.5515) < 0.02, "\(mean)")
    let median = bootstrap.interval(clusters) { $0.median }
    #expect(abs(median.lower - -0.273) < 0.03 && abs(median.upper - 0.625) < 0.03, "\(median)")
    // A statistic that some draws do not define.
    let undefined = bootstrap.interval(over: 2) { $0 == [0, 0] ? .nan : Double($0[0]) }
    #expect(undefined.lower == 0 && undefined.upper == 1)
  }
}
