import MartletEvaluation

/// The sums of a cell, context by context: everything that its measures and their intervals are made of.
struct CellTally: Sendable {
  let key: CellKey
  /// What the exemplars show; nil for a setting that is not known by its name.
  let setting: InContextSetting?
  /// The number of rows.
  let count: Int
  /// The number of labels.
  let classes: Int
  /// The context behind each number of ``contexts``, which many cells may share.
  let contexts: [ContextKey: ContextTally]

  /// - Parameter rows: all rows of one cell, at least one.
  init(_ key: CellKey, _ rows: [InContextRow]) {
    self.key = key
    let setting = InContextSetting(key.setting)
    self.setting = setting
    count = rows.count
    classes = rows.map { max($0.scores.count, $0.labels.count) }.max() ?? 0
    contexts = Dictionary(grouping: rows, by: \.context).mapValues { ContextTally($0, setting: setting) }
  }

  /// Two cells as one, for what is to cancel out between them.
  init(pooling one: CellTally, _ other: CellTally) {
    key = one.key
    setting = nil
    count = one.count + other.count
    classes = one.classes
    contexts = one.contexts.merging(other.contexts) { $0.adding($1) }
  }

  /// The measures that the rows allow, in the order of reports, the shares of the classes last.
  var measures: [InContextMeasure] {
    let found = Set(contexts.values.flatMap(\.ratios.keys))
    return (InContextMeasure.all + (0..<classes).map { .classShare($0) }).filter(found.contains)
  }

  /// The sums of a measure in the order of `keys`; nothing for contexts that the cell lacks.
  func ratios(_ measure: InContextMeasure, over keys: [ContextKey]) -> [ContextTally.Ratio] {
    keys.map { contexts[$0]?.ratios[measure] ?? ContextTally.Ratio() }
  }
}

/// A measure of the cells of an experiment under resampling: its value, and its value in each draw of contexts.
struct ResampledMeasure: Sendable {
  /// The value over all contexts; NaN where it is undefined.
  var value: Double
  /// The values over the contexts of each draw.
  var draws: [Double]

  /// The value with its percentile interval.
  func estimate(_ bootstrap: Bootstrap) -> InContextEstimate {
    InContextEstimate(value: value, interval: bootstrap.interval(ofValues: draws))
  }

  /// A measure combined of others draw by draw, which keeps what is paired paired.
  static func combined(_ parts: [ResampledMeasure], _ combine: ([Double]) -> Double) -> ResampledMeasure {
    let draws = parts.map(\.draws.count).min() ?? 0
    return ResampledMeasure(
      value: combine(parts.map(\.value)), draws: (0..<draws).map { draw in combine(parts.map { $0.draws[draw] }) })
  }

  /// The second less the first.
  static func difference(_ first: ResampledMeasure, _ second: ResampledMeasure) -> ResampledMeasure {
    combined([first, second]) { $0[1] - $0[0] }
  }
}

/// A value with its interval. Both are NaN where the rows do not define them.
public struct InContextEstimate: Sendable {
  /// The value.
  public var value: Double
  /// The percentile interval of a bootstrap over contexts.
  public var interval: ConfidenceInterval
}

/// Draws of contexts, the same for all cells.
struct ContextDraws {
  let keys: [ContextKey]
  let bootstrap: Bootstrap
  private let draws: [[Int]]

  /// - Parameter keys: the contexts, each once; they are drawn in their order.
  init(_ keys: some Sequence<ContextKey>, _ bootstrap: Bootstrap) {
    self.keys = keys.sorted()
    self.bootstrap = bootstrap
    let count = self.keys.count
    draws = (0..<bootstrap.repeats).map { bootstrap.draw($0, of: count) }
  }

  /// A measure over all contexts and over those of each draw. One context alone has no draws: nothing tells how others would differ.
  func resample(_ measure: InContextMeasure, of cell: CellTally) -> ResampledMeasure {
    let ratios = cell.ratios(measure, over: keys)
    func value(_ ratios: some Sequence<ContextTally.Ratio>) -> Double {
      var sum = 0.0, count = 0.0
      for ratio in ratios {
        sum += ratio.sum
        count += ratio.count
      }
      return count > 0 ? sum / count : .nan
    }
    let draws = keys.count > 1 ? draws : []
    return ResampledMeasure(value: value(ratios), draws: draws.map { drawn in value(drawn.lazy.map { ratios[$0] }) })
  }
}
