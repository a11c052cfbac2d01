import Foundation
import MartletData

/// The page `report.html` of a run: its curves and settings, drawn from `metrics.jsonl` and `run.json`.
struct RunReport {
  let folder: String

  func write() throws {
    let lines = (FileManager.default.contents(atPath: folder + "/metrics.jsonl") ?? Data()).split(separator: 0x0a)
    var loss: [(x: Double, y: Double)] = [], validation: [(x: Double, y: Double)] = []
    var rate: [(x: Double, y: Double)] = [], norm: [(x: Double, y: Double)] = []
    for line in lines {
      guard let object = try? JSONValue(parsing: line), let step = object["step"]?.number else { continue }
      if let value = object["loss"]?.number { loss.append((step, value)) }
      if let value = object["validation_loss"]?.number { validation.append((step, value)) }
      if let value = object["learning_rate"]?.number { rate.append((step, value)) }
      if let value = object["gradient_norm"]?.number { norm.append((step, value)) }
    }
    let charts = [
      LineChart(
        "Loss (nats a token)",
        [
          .init("training", loss, color: "#8aa4c8"), .init("smoothed", smoothed(loss), color: "#1f5fbf"),
          .init("validation", validation, color: "#d2691e"),
        ], over: "step"),
      LineChart("Learning rate", [.init("learning rate", rate, color: "#2e8b57")], over: "step"),
      LineChart(
        "Norm of the gradient", [.init("norm", norm, color: "#8b5fbf")], over: "step", isLogarithmicY: true),
    ]
    let settings = FileManager.default.contents(atPath: folder + "/run.json").map {
      String(decoding: $0, as: UTF8.self)
    }
    let last =
      loss.last.map { "Step \(String(format: "%.0f", $0.x)), training loss \(String(format: "%.4f", $0.y))" }
      ?? "No step yet"
    let best = validation.min { $0.y < $1.y }.map {
      "; best validation loss \(String(format: "%.4f", $0.y)) at step \(String(format: "%.0f", $0.x))"
    }
    let body = """
      <p>\(last)\(best ?? "").</p>
      \(charts.map(\.html).joined(separator: "\n"))
      <h2>Settings</h2><pre>\(LineChart.escaped(settings ?? ""))</pre>
      """
    let page = LineChart.page(title: "Training run \((folder as NSString).lastPathComponent)", body)
    try AtomicFile.write(page.utf8, to: folder + "/report.html")
  }

  /// Exponential mean over about twenty steps.
  private func smoothed(_ points: [(x: Double, y: Double)]) -> [(x: Double, y: Double)] {
    var mean = 0.0
    return points.enumerated().map { place, point in
      mean += (point.y - mean) * max(0.05, 1 / Double(place + 1))  // the mean of all while there are few
      return (point.x, mean)
    }
  }
}
