/// The sums of the queries of one context, from which the measures are made.
struct ContextTally: Sendable {
  /// A sum with the number of its terms. A measure is the sum divided by the number, both added up over contexts.
  struct Ratio: Sendable {
    var sum = 0.0
    var count = 0.0
  }

  private(set) var ratios: [InContextMeasure: Ratio] = [:]

  /// Of a context that has no rows.
  init() {}

  /// - Parameters:
  ///   - rows: the rows of one context of one cell.
  ///   - setting: what the exemplars of the cell show.
  init(_ rows: [InContextRow], setting: InContextSetting?) {
    let ranked = rows.filter { !$0.scores.isEmpty }
    if !ranked.isEmpty {
      let batch = LabelPrior(ranked.map(\.scores))
      for row in ranked { addRanking(row, batch: batch, setting) }
      addPairs(ranked)
    }
    for row in rows {
      guard let answer = row.answer else { continue }
      add(.generatedAccuracy, answer == .label(row.gold))
      add(.outsideRate, answer == .outside)
    }
  }

  /// The sums of both.
  func adding(_ other: ContextTally) -> ContextTally {
    var both = self
    for (measure, ratio) in other.ratios { both.add(measure, ratio.sum, count: ratio.count) }
    return both
  }

  private mutating func add(_ measure: InContextMeasure, _ value: Double, count: Double = 1) {
    ratios[measure, default: Ratio()].sum += value
    ratios[measure, default: Ratio()].count += count
  }

  private mutating func add(_ measure: InContextMeasure, _ isTrue: Bool) { add(measure, isTrue ? 1 : 0) }

  private mutating func addRanking(_ row: InContextRow, batch: LabelPrior, _ setting: InContextSetting?) {
    let predicted = LabelScores.best(row.scores)
    func isRight(_ scores: [Double]) -> Bool { LabelScores.best(scores) == row.gold }
    add(.accuracy, predicted == row.gold)
    add(.goldMargin, LabelScores.margin(row.scores, gold: row.gold))
    for label in row.scores.indices { add(.classShare(label), predicted == label) }
    add(.batchCalibratedAccuracy, isRight(batch.calibrated(row.scores)))
    if !row.contentFreeScores.isEmpty {
      add(.contextCalibratedAccuracy, isRight(LabelPrior(row.contentFreeScores).calibrated(row.scores)))
    }
    if !row.domainScores.isEmpty {
      add(.domainCalibratedAccuracy, isRight(LabelPrior(row.domainScores).calibrated(row.scores)))
    }
    if !row.tokenCounts.isEmpty {
      add(.lengthNormalizedAccuracy, isRight(zip(row.scores, row.tokenCounts).map { $0 / Double($1) }))
    }
    let suggested = setting?.suggestedClass(ofGold: row.gold, classes: row.scores.count)
    if let suggested { add(.promptAlignment, predicted == suggested) }
    guard !row.zeroShotScores.isEmpty else { return }
    let believed = LabelScores.best(row.zeroShotScores)
    add(.priorAlignment, predicted == believed)
    if let suggested, suggested != believed { add(.overrideRate, predicted == suggested) }
  }

  private mutating func addPairs(_ rows: [InContextRow]) {
    let classes = rows.first?.scores.count ?? 0
    // Of two labels the first class's pairs are the second one's again.
    for label in (classes == 2 ? 1 : 0)..<classes {
      let odds = rows.map { (isOfClass: $0.gold == label, value: LabelScores.logOdds($0.scores, of: label)) }
      let others = odds.filter { !$0.isOfClass }.map(\.value).sorted()
      guard !others.isEmpty else { continue }
      for one in odds where one.isOfClass {
        let below = others.place { $0 < one.value }, notAbove = others.place { $0 <= one.value }
        add(.areaUnderCurve, Double(below + notAbove) / 2, count: Double(others.count))
      }
    }
  }
}

extension [Double] {
  /// The number of leading values for which a condition holds, which holds for no value behind one for which it does not.
  fileprivate func place(_ holds: (Double) -> Bool) -> Int {
    var low = 0, high = count
    while low < high {
      let middle = (low + high) / 2
      if holds(self[middle]) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
