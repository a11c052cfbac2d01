import Foundation
import MartletEvaluation

extension InContextSummary {
  /// What a reader may conclude, one sentence each: only what the intervals carry.
  public var conclusions: [String] {
    fewContexts + slopes.map(\.conclusion) + symbolConclusions + biasConclusions + comparisons.compactMap(\.conclusion)
  }

  /// Contexts are what is resampled: with few of them the ends of an interval are hardly more than the smallest and the largest value.
  private var fewContexts: [String] {
    guard let fewest = cells.map(\.contexts).min(), (2..<10).contains(fewest) else { return [] }
    return [
      "Some intervals rest on \(fewest) contexts, and intervals of fewer than 10 are too narrow; take the sentences below as hints, and ask more contexts for findings."
    ]
  }

  fileprivate static let noInterval = "one context gives no interval, so nothing may be concluded"

  private func subject(_ model: String?, _ task: String, _ shots: Int) -> String {
    "\(model.map { "\($0), " } ?? "")\(task), \(shots) exemplars a class"
  }

  /// Of both assignments of symbols together where both were measured: what a symbol means to the model cancels out only then.
  private var symbolConclusions: [String] {
    cells.compactMap { cell in
      switch InContextSetting(cell.key.setting) {
      case .symbols(isSwapped: false), .linear(isSwapped: false): break
      default: return nil
      }
      let both = controls.first {
        $0.model == cell.key.model && $0.task == cell.key.task && $0.shots == cell.key.shots
      }
      guard let area = (both?.measures ?? cell.measures)[.areaUnderCurve], !area.value.isNaN else { return nil }
      let assignments = both == nil ? "one assignment of symbols only" : "both assignments of symbols"
      let what =
        "\(subject(cell.key.model, cell.key.task, cell.key.shots)), \(cell.key.setting), \(assignments): AUROC \(area.text("%.3f"))"
      if area.interval.lower.isNaN { return "\(what): \(Self.noInterval)." }
      if area.interval.lower > 0.5 {
        return both == nil
          ? "\(what): the model learns these labels from its exemplars, unless the symbols mean something to it; measure the other assignment too."
          : "\(what): the model learns labels without meaning from its exemplars."
      }
      if area.interval.upper < 0.5 { return "\(what): below 0.5, so the model answers against its exemplars." }
      return "\(what): the interval holds 0.5, so nothing shows that the model learns these labels."
    }
  }

  private var biasConclusions: [String] {
    controls.compactMap { control in
      let shares = (0..<control.classes).compactMap { control.measures[.classShare($0)] }
      let even = 1 / Double(max(1, control.classes))
      guard let far = shares.first(where: { $0.interval.upper < even || $0.interval.lower > even }) else { return nil }
      return
        "\(subject(control.model, control.task, control.shots)): with both assignments of symbols together, one class gets \(far.percentText) % of the answers, so a bias towards a class remains that symbols do not explain; rely on AUROC and calibrated accuracy."
    }
  }
}

extension InContextSummary.Slope {
  /// What the slope shows.
  var conclusion: String {
    let subject = "\(model.map { "\($0), " } ?? "")\(task), \(shots) exemplars a class"
    let measure: InContextMeasure =
      slopes[.batchCalibratedAccuracy] == nil ? .generatedAccuracy : .batchCalibratedAccuracy
    guard let slope = slopes[measure], !slope.value.isNaN else {
      return "\(subject): the rows do not define a slope over flipped labels."
    }
    let name = measure == .generatedAccuracy ? "accuracy of generated answers" : "calibrated accuracy"
    let what = "\(subject): flipping all labels changes the \(name) by \(slope.percentText) points"
    if slope.interval.lower.isNaN { return "\(what): \(InContextSummary.noInterval)." }
    if overrides[measure] == true {
      return overrides[.accuracy] == false
        ? "\(what), with all labels flipped to below chance, but the plain accuracy is not certainly below it: the model follows its exemplars, and whether it overrides what it knows depends on the calibration."
        : "\(what), to below chance: the model overrides what it knows by what its exemplars show."
    }
    if slope.interval.upper < 0 {
      return "\(what): it follows flipped labels in part, but nothing shows that it overrides what it knows."
    }
    if slope.interval.lower > 0 { return "\(what): it moves against the flipped labels." }
    return "\(what): the interval holds 0, so nothing shows that it follows flipped labels."
  }
}

extension InContextSummary.Comparison {
  /// What the difference shows; nil for settings whose differences answer no question.
  var conclusion: String? {
    let subject = "\(task), \(shots) exemplars a class: \(second) against \(first)"
    func sentence(_ estimate: InContextEstimate?, _ what: String, _ format: String, down: String, up: String) -> String?
    {
      guard let estimate, !estimate.value.isNaN else { return nil }
      let text = "\(subject), \(what): \(estimate.text(format))"
      if estimate.interval.lower.isNaN { return "\(text): \(InContextSummary.noInterval)." }
      if estimate.interval.upper < 0 { return "\(text): \(down)." }
      if estimate.interval.lower > 0 { return "\(text): \(up)." }
      return "\(text): the interval holds 0, so no difference is shown."
    }
    guard let setting else {
      return sentence(
        differences[.batchCalibratedAccuracy], "slope of calibrated accuracy over the flipped share", "%+.3f",
        down: "the second follows flipped labels more", up: "the second follows flipped labels less")
    }
    switch InContextSetting(setting) {
    case .symbols, .linear:
      return sentence(
        differences[.areaUnderCurve], "AUROC, \(setting)", "%+.3f",
        down: "the second learns labels without meaning worse",
        up: "the second learns labels without meaning better")
    case .regular:
      return sentence(
        differences[.batchCalibratedAccuracy], "calibrated accuracy with right labels", "%+.3f",
        down: "the second is worse with ordinary labels", up: "the second is better with ordinary labels")
    default: return nil
    }
  }
}
