import Foundation
import MartletData
import MartletEvaluation

extension InContextSummary {
  /// The cells as rows of a table, the heading first. Cells of a column that nothing fills are empty.
  public var tableRows: [[String]] {
    let heading = [
      "model", "task", "k", "setting", "n", "accuracy %", "calibrated %", "AUROC", "margin", "class shares %",
      "generated %",
      "no label %",
    ]
    return [heading]
      + cells.map { cell in
        let shares = (0..<cell.classes).compactMap { cell.measures[.classShare($0)] }
        return [
          cell.key.model ?? "", cell.key.task, "\(cell.key.shots)", cell.key.setting, "\(cell.count)",
          cell.measures[.accuracy]?.percentText ?? "", cell.measures[.batchCalibratedAccuracy]?.percentText ?? "",
          cell.measures[.areaUnderCurve]?.text("%.3f") ?? "", cell.measures[.goldMargin]?.text("%.2f") ?? "",
          shares.map { String(format: "%.0f", $0.value * 100) }.joined(separator: "/"),
          cell.measures[.generatedAccuracy]?.percentText ?? "", cell.measures[.outsideRate]?.percentText ?? "",
        ]
      }
  }
}

extension InContextEstimate {
  /// The value in percent with its interval: `66.0 [61.2, 70.4]`.
  package var percentText: String {
    InContextEstimate(
      value: value * 100,
      interval: ConfidenceInterval(lower: interval.lower * 100, upper: interval.upper * 100, level: interval.level)
    ).text("%.1f")
  }

  /// The value with its interval in a number format of C.
  package func text(_ format: String) -> String {
    guard !value.isNaN else { return "-" }
    let number = String(format: format, value)
    if interval.lower.isNaN { return number }
    return "\(number) [\(String(format: format, interval.lower)), \(String(format: format, interval.upper))]"
  }
}
