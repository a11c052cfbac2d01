import Foundation
import MartletData
import MartletEvaluation

/// The held-out AUROC of a run of symbol tuning over its steps, in a file of JSON lines, and what follows from it: which step is the best,
/// and when to stop.
public final class SymbolTuningLog {
  /// A measurement.
  public struct Point: Sendable, Equatable {
    /// The step after which it was made.
    public var step: Int
    /// The AUROC, and the ends of its interval.
    public var areaUnderCurve, lower, upper: Double
  }

  /// The measurements, oldest first.
  public private(set) var points: [Point] = []
  private let file: AppendedFile

  /// Opens or begins a file.
  /// - Parameters:
  ///   - path: the file, of JSON lines.
  ///   - step: measurements after it are cut off, as their steps will be made again.
  public init(_ path: String, upTo step: Int) throws {
    var byteCount = 0
    for line in try RowsFile.lines(path) {
      guard let value = try? JSONValue(parsing: line.bytes), let found = value["step"]?.integer, found <= step,
        let area = value["auroc"]?.number, let lower = value["lower"]?.number, let upper = value["upper"]?.number
      else { break }
      points.append(Point(step: found, areaUnderCurve: area, lower: lower, upper: upper))
      byteCount = line.end
    }
    file = try AppendedFile(path: path, keeping: byteCount)
  }

  /// Takes a measurement.
  /// - Returns: whether it is the best of the steps made.
  public func append(_ estimate: InContextEstimate, step: Int) throws -> Bool {
    let isBest = step > 0 && (best.map { estimate.value > $0.areaUnderCurve } ?? true)
    let point = Point(
      step: step, areaUnderCurve: estimate.value, lower: estimate.interval.lower, upper: estimate.interval.upper)
    points.append(point)
    let line: JSONValue = [
      "step": .integer(step), "auroc": .number(point.areaUnderCurve), "lower": .number(point.lower),
      "upper": .number(point.upper),
    ]
    try file.append(Array((line.text + "\n").utf8))
    return isBest
  }

  /// The first of the highest measurements after a step; nil before the first step.
  public var best: Point? {
    points.filter { $0.step > 0 && !$0.areaUnderCurve.isNaN }.reduce(nil) { best, point in
      guard let best, best.areaUnderCurve >= point.areaUnderCurve else { return point }
      return best
    }
  }

  /// How many measurements have been made since the best one.
  public var measurementsSinceBest: Int {
    guard let best else { return 0 }
    return points.count { $0.step > best.step }
  }

  /// The curve as a chart.
  public var chart: LineChart {
    LineChart(
      "AUROC on held-out texts with symbols that are never tuned with",
      [
        .init(
          "AUROC", points.map { (Double($0.step), $0.areaUnderCurve) }, color: "#1f5fbf",
          intervals: points.map { (Double($0.step), $0.lower, $0.upper) })
      ], over: "step")
  }
}
