import MartletEvaluation

/// Everything that rows say, and nothing else: cells, slopes over flipped labels, differences between models, and the control of bias.
public struct InContextSummary: Sendable {
  /// The measures of one model, task, number of shots and setting.
  public struct Cell: Sendable {
    /// What the cell holds.
    public var key: CellKey
    /// The number of rows, and of contexts.
    public var count, contexts: Int
    /// The measures that the rows allow.
    public var measures: [InContextMeasure: InContextEstimate]
    /// Their order in reports.
    public var order: [InContextMeasure]
    /// The number of labels.
    public var classes: Int
    /// The score interval of the accuracy (Wilson, 1927), as if rows did not depend on each other.
    public var wilson: ConfidenceInterval?
    /// That of the generated answers' accuracy.
    public var generatedWilson: ConfidenceInterval?
    /// The share of flipped labels; nil where the labels are symbols or the setting is unknown.
    public var flippedShare: Double?
  }

  /// How measures change with the share of flipped labels.
  public struct Slope: Sendable {
    /// The model; nil where rows name none.
    public var model: String?
    /// The task.
    public var task: String
    /// The number of exemplars of each class.
    public var shots: Int
    /// The shares that were measured, from 0 to 1.
    public var shares: [Double]
    /// Least-squares slopes: the change from no flipped label to all flipped.
    public var slopes: [InContextMeasure: InContextEstimate]
    /// Whether the upper end of the interval of an accuracy with all labels flipped is below chance; nil without such a cell.
    public var overrides: [InContextMeasure: Bool]
    /// The accuracy of guessing: 1 / number of labels.
    public var chance: Double
  }

  /// By how much a second model's measures are above a first one's, on the same contexts and queries.
  public struct Comparison: Sendable {
    /// The models.
    public var first, second: String
    /// The task.
    public var task: String
    /// The number of exemplars of each class.
    public var shots: Int
    /// The setting; nil where slopes are compared.
    public var setting: String?
    /// The differences, second less first.
    public var differences: [InContextMeasure: InContextEstimate]
  }

  /// What a symbol draws to itself: the share of queries that are answered with each class, pooled over both assignments of symbols to
  /// classes. It is near equal shares where symbols' own likelihoods cancel out.
  public struct BiasControl: Sendable {
    /// The model; nil where rows name none.
    public var model: String?
    /// The task.
    public var task: String
    /// The number of exemplars of each class.
    public var shots: Int
    /// The number of rows of both settings.
    public var count: Int
    /// The measures over both settings together, with the shares of the classes.
    public var measures: [InContextMeasure: InContextEstimate]
    /// The number of labels.
    public var classes: Int
  }

  /// How often contexts were drawn for intervals.
  public let draws: Int
  /// The cells, in the order in which the rows begin them.
  public private(set) var cells: [Cell] = []
  /// The slopes, in the order of the cells.
  public private(set) var slopes: [Slope] = []
  /// The differences between the first model and each other one.
  public private(set) var comparisons: [Comparison] = []
  /// The controls of bias, where both assignments of symbols were measured.
  public private(set) var controls: [BiasControl] = []

  /// How often contexts are drawn unless something else is asked for: often enough that an end of an interval of some points moves by less
  /// than a tenth of one.
  public static let defaultDraws = 10_000

  /// Computes everything from rows.
  /// - Parameters:
  ///   - rows: rows of any number of cells.
  ///   - draws: how often contexts are drawn for intervals.
  ///   - seed: the seed of those draws.
  public init(_ rows: [InContextRow], draws: Int = defaultDraws, seed: UInt64 = 0) {
    self.draws = draws
    let bootstrap = Bootstrap(repeats: draws, seed: seed)
    var order: [CellKey] = [], groups: [CellKey: [InContextRow]] = [:]
    for row in rows {
      if groups[row.cell] == nil { order.append(row.cell) }
      groups[row.cell, default: []].append(row)
    }
    let tallies = order.map { CellTally($0, groups[$0] ?? []) }
    // Most cells have the same contexts, and so the same draws.
    var cached: [Set<ContextKey>: ContextDraws] = [:]
    func drawsOfContexts(_ families: [CellTally]) -> ContextDraws {
      let keys = Set(families.flatMap(\.contexts.keys))
      if let draws = cached[keys] { return draws }
      let draws = ContextDraws(keys, bootstrap)
      cached[keys] = draws
      return draws
    }
    cells = tallies.map { Cell($0, drawsOfContexts([$0])) }
    var families: [SlopeKey: [CellTally]] = [:], familyOrder: [SlopeKey] = []
    for tally in tallies {
      let key = SlopeKey(model: tally.key.model, task: tally.key.task, shots: tally.key.shots)
      if families[key] == nil { familyOrder.append(key) }
      families[key, default: []].append(tally)
    }
    for key in familyOrder {
      let family = families[key] ?? []
      let draws = drawsOfContexts(family)
      if let slope = Slope(key, family, draws) { slopes.append(slope) }
      if let control = BiasControl(key, family, draws) { controls.append(control) }
    }
    var models: [String] = []
    for key in order { if let model = key.model, !models.contains(model) { models.append(model) } }
    guard let first = models.first else { return }
    for second in models.dropFirst() {
      for key in familyOrder where key.model == first {
        let one = families[key] ?? []
        let other = families[SlopeKey(model: second, task: key.task, shots: key.shots)] ?? []
        comparisons += Comparison.all(first, second, key, one, other, drawsOfContexts(one + other))
      }
    }
  }
}

/// What slopes belong to.
struct SlopeKey: Hashable {
  var model: String?
  var task: String
  var shots: Int
}

extension InContextSummary.Cell {
  init(_ tally: CellTally, _ draws: ContextDraws) {
    key = tally.key
    count = tally.count
    contexts = tally.contexts.count
    classes = tally.classes
    order = tally.measures
    measures = Dictionary(
      uniqueKeysWithValues: order.map { ($0, draws.resample($0, of: tally).estimate(draws.bootstrap)) })
    flippedShare = tally.setting?.flippedShare
    func wilson(_ measure: InContextMeasure) -> ConfidenceInterval? {
      let ratios = tally.ratios(measure, over: draws.keys)
      let count = ratios.reduce(0) { $0 + $1.count }, sum = ratios.reduce(0) { $0 + $1.sum }
      return count > 0 ? .wilson(Int(sum), of: Int(count)) : nil
    }
    self.wilson = wilson(.accuracy)
    generatedWilson = wilson(.generatedAccuracy)
  }
}

extension InContextSummary.Slope {
  init?(_ key: SlopeKey, _ family: [CellTally], _ draws: ContextDraws) {
    let flipped = family.filter { $0.setting?.flippedShare != nil }
    let places = flipped.compactMap { $0.setting?.flippedShare }
    guard Set(places).count > 1 else { return nil }
    (model, task, shots, shares) = (key.model, key.task, key.shots, Set(places).sorted())
    let classes = flipped.map(\.classes).max() ?? 2
    chance = 1 / Double(max(1, classes))
    slopes = [:]
    for (measure, slope) in Self.resampled(flipped, places, draws) { slopes[measure] = slope.estimate(draws.bootstrap) }
    overrides = [:]
    guard let all = flipped.first(where: { $0.setting?.flippedShare == 1 }) else { return }
    for measure in [InContextMeasure.accuracy, .batchCalibratedAccuracy, .generatedAccuracy]
    where all.measures.contains(measure) {
      overrides[measure] = draws.resample(measure, of: all).estimate(draws.bootstrap).interval.upper < chance
    }
  }

  /// The slopes with their draws: each draw takes the same contexts at all shares.
  static func resampled(
    _ flipped: [CellTally], _ shares: [Double], _ draws: ContextDraws
  ) -> [InContextMeasure: ResampledMeasure] {
    let mean = shares.reduce(0, +) / Double(shares.count)
    let spread = shares.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    var slopes: [InContextMeasure: ResampledMeasure] = [:]
    for measure in InContextMeasure.following
    where spread > 0 && flipped.allSatisfy({ $0.measures.contains(measure) }) {
      slopes[measure] = .combined(flipped.map { draws.resample(measure, of: $0) }) { values in
        zip(shares, values).reduce(0) { $0 + ($1.0 - mean) * $1.1 } / spread
      }
    }
    return slopes
  }
}

extension InContextSummary.Comparison {
  static func all(
    _ first: String, _ second: String, _ key: SlopeKey, _ one: [CellTally], _ other: [CellTally], _ draws: ContextDraws
  ) -> [InContextSummary.Comparison] {
    func comparison(_ setting: String?, _ differences: [InContextMeasure: InContextEstimate]) -> Self {
      Self(
        first: first, second: second, task: key.task, shots: key.shots, setting: setting, differences: differences)
    }
    var comparisons: [Self] = []
    for cell in one {
      guard let partner = other.first(where: { $0.key.setting == cell.key.setting }) else { continue }
      var differences: [InContextMeasure: InContextEstimate] = [:]
      for measure in cell.measures where partner.measures.contains(measure) {
        differences[measure] = ResampledMeasure.difference(
          draws.resample(measure, of: cell), draws.resample(measure, of: partner)
        ).estimate(draws.bootstrap)
      }
      comparisons.append(comparison(cell.key.setting, differences))
    }
    // Slopes over the shares that both models have.
    let shares = one.compactMap { $0.setting?.flippedShare }.filter { share in
      other.contains { $0.setting?.flippedShare == share }
    }
    guard Set(shares).count > 1 else { return comparisons }
    func slopes(_ family: [CellTally]) -> [InContextMeasure: ResampledMeasure] {
      let cells = shares.compactMap { share in family.first { $0.setting?.flippedShare == share } }
      return InContextSummary.Slope.resampled(cells, shares, draws)
    }
    let before = slopes(one)
    let changes = slopes(other).reduce(into: [InContextMeasure: InContextEstimate]()) { changes, slope in
      guard let own = before[slope.key] else { return }
      changes[slope.key] = ResampledMeasure.difference(own, slope.value).estimate(draws.bootstrap)
    }
    return comparisons + [comparison(nil, changes)]
  }
}

extension InContextSummary.BiasControl {
  init?(_ key: SlopeKey, _ family: [CellTally], _ draws: ContextDraws) {
    let pairs: [(InContextSetting, InContextSetting)] = [
      (.symbols(isSwapped: false), .symbols(isSwapped: true)), (.linear(isSwapped: false), .linear(isSwapped: true)),
    ]
    let found = pairs.lazy.compactMap { pair -> (CellTally, CellTally)? in
      guard let one = family.first(where: { $0.setting == pair.0 }),
        let other = family.first(where: { $0.setting == pair.1 })
      else { return nil }
      return (one, other)
    }.first
    guard let (one, other) = found, one.classes == other.classes else { return nil }
    (model, task, shots) = (key.model, key.task, key.shots)
    count = one.count + other.count
    classes = one.classes
    let pooled = CellTally(pooling: one, other)
    measures = Dictionary(
      uniqueKeysWithValues: pooled.measures.map { ($0, draws.resample($0, of: pooled).estimate(draws.bootstrap)) })
  }
}
