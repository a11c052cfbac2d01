import Foundation
import MartletData
import MartletEvaluation

extension InContextSummary {
  /// The summary as a table for a terminal, with the sentences that may be concluded from it.
  public var table: String {
    let models = cells.contains { $0.key.model != nil }
    let hasAnswers = cells.contains { $0.measures[.generatedAccuracy] != nil }
    var rows: [[String]] = [
      (models ? ["model"] : []) + [
        "task", "k", "setting", "n", "accuracy", "calibrated", "AUROC", "margin", "class shares",
      ] + (hasAnswers ? ["generated", "no label"] : [])
    ]
    for cell in cells {
      func percent(_ measure: InContextMeasure) -> String { cell.measures[measure]?.percentText ?? "-" }
      var row = models ? [cell.key.model ?? "-"] : []
      row += [cell.key.task, "\(cell.key.shots)", cell.key.setting, "\(cell.count)"]
      row += [percent(.accuracy), percent(.batchCalibratedAccuracy)]
      row += [cell.measures[.areaUnderCurve]?.text("%.3f") ?? "-", cell.measures[.goldMargin]?.text("%.2f") ?? "-"]
      row.append(
        (0..<cell.classes).compactMap { cell.measures[.classShare($0)] }
          .map { String(format: "%.0f", $0.value * 100) }.joined(separator: "/"))
      if hasAnswers {
        row += [
          percent(.generatedAccuracy),
          cell.measures[.outsideRate].map { String(format: "%.1f %%", $0.value * 100) } ?? "-",
        ]
      }
      rows.append(row)
    }
    return (Self.aligned(rows) + [""] + conclusions).joined(separator: "\n")
  }

  /// Rows of equal length as lines with columns of equal width.
  private static func aligned(_ rows: [[String]]) -> [String] {
    let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: "  ")
        .replacing(/[ ]+$/, with: "")
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
