import Foundation

extension GrokkingSweepResults {
  /// What a reader may conclude, in sentences.
  ///
  /// Variants are compared with the best tuned baseline and never with the untuned one; where ranges over seeds overlap,
  /// nothing is concluded.
  public var conclusions: [String] {
    guard let best else { return ["No run of plain AdamW is finished yet."] }
    let goal = "\(Self.percent(accuracy)) of the test pairs"
    let spread = best.steps(reaching: accuracy)
    var sentences: [String] = []
    if !isComplete { sentences.append("The sweep is not complete; what follows may change.") }
    guard spread.reached > 0 else {
      return sentences + [
        "No run of plain AdamW reached \(goal), so there is no baseline to compare with: nothing may be concluded. Allow more steps, or other learning rates and weight decays."
      ]
    }
    sentences.append(baselineSentence(best, spread, goal))
    if let edge = edgeOfGrid(best.configuration) {
      sentences.append("The best baseline has \(edge), so a wider grid may hold a better one.")
    }
    let tried = results.filter { $0.configuration.variant != nil }
    let comparisons = tried.map {
      GrokkingComparison($0.steps(reaching: accuracy), against: spread)
    }
    for (result, comparison) in zip(tried, comparisons) { sentences.append(sentence(result, comparison, best)) }
    if let chance = comparisons.first(where: { $0.verdict != .tooFewSeeds })?.chance {
      let count = tried.count == 1 ? "1 comparison was" : "\(tried.count) comparisons were"
      sentences.append(
        "Ranges over \(spread.count) seeds each of two methods that do not differ are apart in \(Self.percent(chance)) of all comparisons, and \(count) made here: more seeds (--seeds) make a difference more certain."
      )
    }
    if !tried.isEmpty {
      sentences.append(
        "The variants ran at settings of baselines and were not tuned on their own; the best baseline was chosen on the same seeds."
      )
    }
    return sentences
  }

  private func baselineSentence(_ best: GrokkingResult, _ spread: GrokkingResult.Spread, _ goal: String) -> String {
    let found =
      "Of plain AdamW, \(best.configuration.title.dropFirst("AdamW, ".count)) is best: \(goal) after \(Self.text(spread)) steps."
    guard let untuned else { return found }
    if untuned.configuration == best.configuration {
      return found + " That is the untuned setting, which nothing in the grid surpassed."
    }
    return found
      + " The untuned setting (\(untuned.configuration.title.dropFirst("AdamW, ".count))) needed \(Self.text(untuned.steps(reaching: accuracy))). Tuning alone makes that difference, so each variant is compared with the best baseline."
  }

  private func sentence(
    _ result: GrokkingResult, _ comparison: GrokkingComparison, _ best: GrokkingResult
  ) -> String {
    let mine = result.steps(reaching: accuracy), others = best.steps(reaching: accuracy)
    let title = result.configuration.title
    let both = "\(Self.text(mine)) against \(Self.text(others)) steps"
    switch comparison.verdict {
    case .faster:
      let ratio = comparison.ratio.map { String(format: ", %.2g times fewer", $0) } ?? ""
      return
        "\(title): every seed was there before the first seed of the best baseline, \(both)\(ratio)\(time(result, best))."
    case .slower:
      let ratio = comparison.ratio.map { String(format: ", %.2g times more", 1 / $0) } ?? ""
      let when =
        mine.reached == 0 ? "no seed came there" : "every seed was there after the last seed of the best baseline"
      return "\(title): \(when), \(both)\(ratio)."
    case .overlapping:
      return "\(title): the ranges overlap, \(both), so nothing may be concluded."
    case .tooFewSeeds:
      return "\(title): \(both); with one seed nothing may be concluded."
    }
  }

  /// Whether fewer steps are less time too.
  private func time(_ result: GrokkingResult, _ best: GrokkingResult) -> String {
    let mine = result.seconds(reaching: accuracy), others = best.seconds(reaching: accuracy)
    guard mine.highest.isFinite, others.highest.isFinite else { return "" }
    let both = "\(Self.text(mine)) against \(Self.text(others)) s"
    return switch GrokkingComparison(mine, against: others).verdict {
    case .faster: "; in processor time too, \(both)"
    case .slower: "; but in processor time later, \(both)"
    default: "; in processor time the ranges overlap, \(both)"
    }
  }

  /// Where the best baseline lies at an end of the grid, in words.
  private func edgeOfGrid(_ best: GrokkingConfiguration) -> String? {
    func edge(_ value: Double, _ values: [Double], _ name: String) -> String? {
      guard let lowest = values.min(), let highest = values.max() else { return nil }
      if lowest == highest { return "the only \(name)" }
      return value == highest ? "the highest \(name)" : value == lowest ? "the lowest \(name)" : nil
    }
    let edges = [
      edge(best.learningRate, baselines.map(\.configuration.learningRate), "learning rate"),
      edge(best.weightDecay, baselines.map(\.configuration.weightDecay), "weight decay"),
    ].compactMap { $0 }
    return edges.isEmpty ? nil : edges.joined(separator: " and ") + " of the grid"
  }

  // MARK: Numbers in words

  /// `575 (525 to 750)`, and how many came there where not all did.
  static func text(_ spread: GrokkingResult.Spread) -> String {
    if spread.reached == 0 { return "never (0 of \(spread.count) seeds)" }
    let range = spread.count == 1 ? "" : " (\(number(spread.lowest)) to \(number(spread.highest)))"
    let share = spread.reached < spread.count ? ", \(spread.reached) of \(spread.count) seeds" : ""
    return number(spread.median) + range + share
  }

  private static func number(_ value: Double) -> String {
    guard value.isFinite else { return "never" }
    return value >= 100 || value == value.rounded() ? String(format: "%.0f", value) : String(format: "%.3g", value)
  }

  static func percent(_ share: Double) -> String { String(format: "%.3g %%", share * 100) }
}
