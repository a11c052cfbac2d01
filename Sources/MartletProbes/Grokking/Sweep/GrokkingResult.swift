/// What a configuration came to over its seeds.
///
/// A run that never reached an accuracy counts as later than every step: medians and ranges may be infinite.
public struct GrokkingResult: Sendable {
  /// The configuration.
  public let configuration: GrokkingConfiguration
  /// The finished runs by seed.
  public let outcomes: [GrokkingOutcome]

  /// Median and range of a number over seeds.
  public struct Spread: Sendable, Equatable {
    /// The median; infinite where at least half of the runs never came there.
    public let median: Double
    /// The smallest and the largest; infinite where a run never came there.
    public let lowest, highest: Double
    /// How many runs came there, and of how many.
    public let reached, count: Int

    /// - Parameter values: one for each run, infinite for one that never came there; at least one.
    init(_ values: [Double]) {
      let sorted = values.sorted(), middle = sorted.count / 2
      if sorted.isEmpty {
        median = .infinity
      } else if sorted.count % 2 == 1 || sorted[middle - 1] == sorted[middle] {
        median = sorted[middle]
      } else {
        median = (sorted[middle - 1] + sorted[middle]) / 2
      }
      lowest = sorted.first ?? .infinity
      highest = sorted.last ?? .infinity
      reached = sorted.filter(\.isFinite).count
      count = sorted.count
    }
  }

  /// A result by its parts.
  init(_ configuration: GrokkingConfiguration, _ outcomes: [GrokkingOutcome]) {
    self.configuration = configuration
    self.outcomes = outcomes
  }

  /// Steps until the test accuracy reached a share.
  public func steps(reaching accuracy: Double) -> Spread {
    Spread(outcomes.map { $0.step(reaching: accuracy).map(Double.init) ?? .infinity })
  }

  /// Processor seconds until then.
  public func seconds(reaching accuracy: Double) -> Spread {
    Spread(outcomes.map { $0.seconds(reaching: accuracy) ?? .infinity })
  }

  /// Whether this is a better baseline than another: more seeds get there, then the smaller median of steps, then the
  /// smaller largest.
  func isBetter(than other: GrokkingResult, at accuracy: Double) -> Bool {
    let mine = steps(reaching: accuracy), others = other.steps(reaching: accuracy)
    if mine.reached != others.reached { return mine.reached > others.reached }
    if mine.median != others.median { return mine.median < others.median }
    return mine.highest < others.highest
  }
}
