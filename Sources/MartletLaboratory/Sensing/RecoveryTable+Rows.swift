import MartletEvaluation
import MartletSensing

extension RecoveryTable {
  /// The means of rows with their intervals: over images by resampling images, whose mean over seeds is one measurement, and over seeds from
  /// the smallest to the largest mean of a seed.
  /// - Parameters:
  ///   - rows: the rows of a benchmark.
  ///   - bootstrap: draws the images.
  public init(_ rows: [RecoveryRow], bootstrap: Bootstrap = Bootstrap(repeats: 2_000)) {
    var order: [RecoveryConditions] = [], groups: [RecoveryConditions: [RecoveryRow]] = [:]
    for row in rows {
      if groups[row.conditions] == nil { order.append(row.conditions) }
      groups[row.conditions, default: []].append(row)
    }
    self.init(
      order.map { conditions in
        let group = groups[conditions] ?? []
        let images = Dictionary(grouping: group, by: \.image).sorted { $0.key < $1.key }.map(\.value)
        let seeds = Dictionary(grouping: group, by: \.seed).map(\.value)
        func mean(_ rows: [RecoveryRow], _ metric: RecoveryRow.Metric) -> Double {
          rows.reduce(0) { $0 + ($1.values[metric] ?? .nan) } / Double(rows.count)
        }
        let estimates = RecoveryRow.Metric.allCases.map { metric -> (RecoveryRow.Metric, Estimate) in
          let ofSeeds = seeds.map { mean($0, metric) }
          let interval = bootstrap.intervalOfMean(images.map { mean($0, metric) })
          return (
            metric,
            Estimate(
              mean: mean(group, metric), lower: interval.lower, upper: interval.upper,
              seedLower: ofSeeds.min() ?? .nan, seedUpper: ofSeeds.max() ?? .nan)
          )
        }
        return Entry(
          conditions: conditions, images: images.count, seeds: seeds.count,
          estimates: Dictionary(uniqueKeysWithValues: estimates))
      })
  }
}
