import Foundation
import MartletData
/// Reports of the lifelong protocol as one self-contained HTML page.
public enum LifelongPage {
  private static let colors = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b", "#e377c2", "#7f7f7f"]

  public static func html(_ reports: [LifelongBenchmark.Report]) -> String {
    func chart(_ title: String, _ value: (LifelongBenchmark.Point) -> Double) -> String {
      LineChart(
        title,
        reports.enumerated().map { index, report in
          LineChart.Line(
            report.method, report.points.map { (Double($0.edits), value($0)) },
            color: colors[index % colors.count])
        }, over: "edits"
      ).html
    }
    let rows = reports.compactMap { report -> String? in
      guard let last = report.points.last else { return nil }
      let cells = [
        LineChart.escaped(report.method), "\(last.edits)", "\(report.refused)", "\(last.keys)", share(report.success),
        share(last.reliability), share(last.generality), share(last.reliabilityForced), share(last.generalityForced),
        share(last.nearLocality), share(last.farLocality), String(format: "%.2f", report.medianSeconds),
        String(format: "%.1f", report.meanIterations),
      ]
      return "<tr>" + cells.map { "<td>\($0)</td>" }.joined() + "</tr>"
    }
    let head = [
      "method", "edits", "refused", "keys", "ES", "ERR", "GEN", "ERR forced", "GEN forced", "near", "far", "s/edit",
      "steps",
    ].map { "<th>\($0)</th>" }.joined()
    return LineChart.page(
      title: "Lifelong editing",
      """
      <p>ES: right at once. ERR, GEN: edit prompts and rewordings answered word for word, stop included, with all edits in
      place; forced: share of tokens when the answer is fed back. Near, far: answers to other questions that stayed the
      same.</p>
      <div class="table"><table class="numbers"><tr>\(head)</tr>\(rows.joined())</table></div>
      \(chart("ERR: edits that hold", \.reliability)) \(chart("GEN: rewordings", \.generality))
      \(chart("near locality", \.nearLocality)) \(chart("far locality", \.farLocality))
      """)
  }

  private static func share(_ value: Double) -> String { String(format: "%.3f", value) }
}
