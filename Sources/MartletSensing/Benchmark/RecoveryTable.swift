import MartletData

/// What a benchmark says of methods: a line for each of the conditions.
public struct RecoveryTable: Sendable {
  /// A mean with its intervals.
  public struct Estimate: Sendable, Equatable {
    /// The mean over images and seeds.
    public var mean: Double
    /// The interval of 95 % over images; the mean where one image gives none.
    public var lower, upper: Double
    /// The smallest and the largest mean of a seed.
    public var seedLower, seedUpper: Double

    /// - Parameters:
    ///   - mean: the mean over images and seeds.
    ///   - lower: the lower end of the interval over images.
    ///   - upper: the upper end of the interval over images.
    ///   - seedLower: the smallest mean of a seed.
    ///   - seedUpper: the largest mean of a seed.
    public init(mean: Double, lower: Double, upper: Double, seedLower: Double, seedUpper: Double) {
      (self.mean, self.lower, self.upper) = (mean, lower, upper)
      (self.seedLower, self.seedUpper) = (seedLower, seedUpper)
    }

    fileprivate var json: JSONValue {
      [
        "mean": .number(mean), "lower": .number(lower), "upper": .number(upper), "seed_lower": .number(seedLower),
        "seed_upper": .number(seedUpper),
      ]
    }
  }

  /// A line of the table.
  public struct Entry: Sendable, Equatable {
    /// The conditions.
    public var conditions: RecoveryConditions
    /// The numbers of images and of seeds.
    public var images, seeds: Int
    /// The means; seconds without intervals that mean anything, as images are recovered together.
    public var estimates: [RecoveryRow.Metric: Estimate]

    /// - Parameters:
    ///   - conditions: the conditions.
    ///   - images: the number of images.
    ///   - seeds: the number of seeds.
    ///   - estimates: the means.
    public init(
      conditions: RecoveryConditions, images: Int, seeds: Int, estimates: [RecoveryRow.Metric: Estimate]
    ) {
      (self.conditions, self.images, self.seeds, self.estimates) = (conditions, images, seeds, estimates)
    }

    /// The mean of a metric; NaN where it was not measured.
    public subscript(_ metric: RecoveryRow.Metric) -> Double { estimates[metric]?.mean ?? .nan }

    /// The line, without its end.
    public var json: JSONValue {
      let counts: [(String, JSONValue)] = [("count", .integer(images)), ("seeds", .integer(seeds))]
      return JSONValue(
        members: conditions.members + counts
          + RecoveryRow.Metric.allCases.compactMap { metric in
            estimates[metric].map { (metric.rawValue, $0.json) }
          })
    }
  }

  /// The lines, in the order in which they were measured.
  public var entries: [Entry]

  /// A table of lines.
  /// - Parameter entries: the lines.
  public init(_ entries: [Entry]) { self.entries = entries }

  /// Reads what `martlet sense bench --json` printed.
  /// - Parameter path: the file.
  /// - Throws: `FileError` that names the line and the key that is missing or wrong.
  public init(_ path: String) throws { try self.init(JSONLines.read(path), of: path) }

  /// Reads lines.
  /// - Parameters:
  ///   - lines: the lines.
  ///   - path: the file, for errors.
  /// - Throws: `FileError` that names the line and the key that is missing or wrong.
  public init(_ lines: [JSONLines.Line], of path: String) throws {
    entries = try lines.map { line in
      func number(_ value: JSONValue?) -> Double? { value?.number.flatMap { $0.isFinite ? $0 : nil } }
      var estimates: [RecoveryRow.Metric: Estimate] = [:]
      for metric in RecoveryRow.Metric.allCases {
        let found = line.value[metric.rawValue]
        guard let mean = number(found?["mean"]), let lower = number(found?["lower"]),
          let upper = number(found?["upper"]), let seedLower = number(found?["seed_lower"]),
          let seedUpper = number(found?["seed_upper"])
        else {
          throw line.failure(
            "\"\(metric.rawValue)\" is no estimate; give the output of martlet sense bench --json, which has a mean and its intervals"
          )
        }
        estimates[metric] = Estimate(mean: mean, lower: lower, upper: upper, seedLower: seedLower, seedUpper: seedUpper)
      }
      guard let images = line.value["count"]?.integer, images > 0, let seeds = line.value["seeds"]?.integer, seeds > 0
      else {
        throw line.failure(
          "\"count\" or \"seeds\" is no positive number; give the output of martlet sense bench --json")
      }
      return Entry(conditions: try RecoveryConditions(line), images: images, seeds: seeds, estimates: estimates)
    }
    guard !entries.isEmpty else {
      throw FileError(file: path, "it has no lines; give the output of martlet sense bench --json")
    }
  }
}
