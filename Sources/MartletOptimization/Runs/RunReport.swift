import Foundation
import MartletData

/// The page `report.html` of a run: its curves and settings, drawn from `metrics.jsonl` and `run.json`.
package struct RunReport: Sendable {
  /// A curve over steps.
  package struct Curve: Sendable {
    /// The name in the legend, and the key in `metrics.jsonl`.
    let name, key: String
    /// A CSS colour.
    let color: String
    /// Whether an exponential mean over about twenty steps is drawn.
    let isSmoothed: Bool

    package init(_ name: String, _ key: String, color: String, isSmoothed: Bool = false) {
      self.name = name
      self.key = key
      self.color = color
      self.isSmoothed = isSmoothed
    }
  }

  /// A chart of curves over steps. One that is optional is left out where it has no points.
  package struct Chart: Sendable {
    let title: String
    let curves: [Curve]
    let isLogarithmicX, isLogarithmicY, isOptional: Bool

    package init(
      _ title: String, _ curves: [Curve], isLogarithmicX: Bool = false, isLogarithmicY: Bool = false,
      isOptional: Bool = false
    ) {
      self.title = title
      self.curves = curves
      self.isLogarithmicX = isLogarithmicX
      self.isLogarithmicY = isLogarithmicY
      self.isOptional = isOptional
    }
  }

  let title: String
  let charts: [Chart]
  let summary: @Sendable (RunMetrics) -> String
  let further: @Sendable (RunMetrics) -> [LineChart]
  let pictures: @Sendable (String) -> String

  /// - Parameters:
  ///   - title: the title; the name of the folder follows it.
  ///   - charts: the curves over steps.
  ///   - further: charts that are not over steps.
  ///   - pictures: HTML that shows images of the run's folder, whose path it is given.
  ///   - summary: the first paragraph, as plain text.
  package init(
    title: String, charts: [Chart], further: @escaping @Sendable (RunMetrics) -> [LineChart] = { _ in [] },
    pictures: @escaping @Sendable (String) -> String = { _ in "" },
    summary: @escaping @Sendable (RunMetrics) -> String
  ) {
    self.title = title
    self.charts = charts
    self.further = further
    self.pictures = pictures
    self.summary = summary
  }

  /// The page of a run that trains a language model.
  package static let training = RunReport(
    title: "Training run",
    charts: [
      Chart(
        "Loss (nats a token)",
        [
          Curve("training", "loss", color: "#8aa4c8"), Curve("smoothed", "loss", color: "#1f5fbf", isSmoothed: true),
          Curve("validation", "validation_loss", color: "#d2691e"),
        ]),
      Chart("Learning rate", [Curve("learning rate", "learning_rate", color: "#2e8b57")]),
      Chart("Norm of the gradient", [Curve("norm", "gradient_norm", color: "#8b5fbf")], isLogarithmicY: true),
    ]
  ) { metrics in
    let last =
      metrics.points("loss").last.map {
        "Step \(String(format: "%.0f", $0.x)), training loss \(String(format: "%.4f", $0.y))"
      } ?? "No step yet"
    let best = metrics.points("validation_loss").min { $0.y < $1.y }.map {
      "; best validation loss \(String(format: "%.4f", $0.y)) at step \(String(format: "%.0f", $0.x))"
    }
    return "\(last)\(best ?? "")."
  }

  /// Writes the page of the run in a folder.
  func write(folder: String) throws {
    let metrics = RunMetrics(folder: folder)
    let drawn = charts.compactMap { chart -> LineChart? in
      let lines = chart.curves.map { curve in
        let points = metrics.points(curve.key)
        return LineChart.Line(curve.name, curve.isSmoothed ? Self.smoothed(points) : points, color: curve.color)
      }
      if chart.isOptional, lines.allSatisfy(\.points.isEmpty) { return nil }
      return LineChart(
        chart.title, lines, over: "step", isLogarithmicX: chart.isLogarithmicX, isLogarithmicY: chart.isLogarithmicY)
    }
    let settings = FileManager.default.contents(atPath: folder + "/run.json").map {
      String(decoding: $0, as: UTF8.self)
    }
    let body = """
      <p>\(LineChart.escaped(summary(metrics)))</p>
      \((drawn + further(metrics)).map(\.html).joined(separator: "\n"))
      \(pictures(folder))
      <h2>Settings</h2><pre>\(LineChart.escaped(settings ?? ""))</pre>
      """
    let page = LineChart.page(title: "\(title) \((folder as NSString).lastPathComponent)", body)
    try AtomicFile.write(page.utf8, to: folder + "/report.html")
  }

  /// Exponential mean over about twenty steps.
  private static func smoothed(_ points: [(x: Double, y: Double)]) -> [(x: Double, y: Double)] {
    var mean = 0.0
    return points.enumerated().map { place, point in
      mean += (point.y - mean) * max(0.05, 1 / Double(place + 1))  // the mean of all while there are few
      return (point.x, mean)
    }
  }
}
