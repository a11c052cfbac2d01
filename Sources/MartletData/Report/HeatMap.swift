import Foundation

/// Shares from 0 to 1 over two quantities as a map of squares, the darker the larger, for self-contained HTML pages. A curve may be drawn
/// over it, such as where theory sees a border.
public struct HeatMap: Sendable {
  /// The title above the map.
  public var title: String
  /// The values along the horizontal axis, in ascending order.
  public var columns: [Double]
  /// The values along the vertical axis, in ascending order.
  public var rows: [Double]
  /// `[rows][columns]`, from 0 to 1; nil where nothing was measured.
  public var shares: [[Double?]]
  /// The points of the curve, in drawing order.
  public var curve: [(x: Double, y: Double)]
  /// The name of the curve.
  public var curveName: String
  /// What a full shade stands for.
  public var shadeName: String
  /// The labels of the axes.
  public var horizontalName, verticalName: String

  /// A map.
  /// - Parameters:
  ///   - title: the title above the map.
  ///   - columns: the values along the horizontal axis, in ascending order.
  ///   - rows: the values along the vertical axis, in ascending order.
  ///   - shares: `[rows][columns]`, from 0 to 1; nil where nothing was measured.
  ///   - curve: the points of a curve, in drawing order.
  ///   - curveName: the name of the curve.
  ///   - shadeName: what a full shade stands for.
  ///   - horizontalName: the label of the horizontal axis.
  ///   - verticalName: the label of the vertical axis.
  public init(
    _ title: String, columns: [Double], rows: [Double], shares: [[Double?]], curve: [(x: Double, y: Double)] = [],
    curveName: String = "", shadeName: String = "", over horizontalName: String = "", and verticalName: String = ""
  ) {
    (self.title, self.columns, self.rows, self.shares) = (title, columns, rows, shares)
    (self.curve, self.curveName, self.shadeName) = (curve, curveName, shadeName)
    (self.horizontalName, self.verticalName) = (horizontalName, verticalName)
  }

  /// The borders between neighbouring values, halfway, and as far outside at the ends.
  private static func borders(_ values: [Double]) -> [Double] {
    guard let first = values.first, let last = values.last else { return [] }
    let inner = zip(values, values.dropFirst()).map { ($0 + $1) / 2 }
    return [first - ((inner.first ?? first + 0.5) - first)] + inner + [last + (last - (inner.last ?? last - 0.5))]
  }

  /// The map as a `<figure>` element.
  public var html: String {
    let across = Self.borders(columns), up = Self.borders(rows)
    guard across.count > 1, up.count > 1 else {
      return "<p>\(LineChart.escaped(title)): nothing to draw yet.</p>"
    }
    let x = ChartAxis([across[0], across[across.count - 1]], isLogarithmic: false, most: 6, isPadded: false)
    let y = ChartAxis([up[0], up[up.count - 1]], isLogarithmic: false, most: 6, isPadded: false)
    func number(_ share: Double) -> String { String(format: "%.1f", share * 1000) }
    func percent(_ share: Double) -> String { String(format: "%.2f%%", share * 100) }
    var squares: [String] = []
    for (row, line) in shares.enumerated() where row < rows.count {
      for (column, share) in line.enumerated() where column < columns.count {
        guard let share else { continue }
        let (left, right) = (x.place(across[column]), x.place(across[column + 1]))
        let (bottom, top) = (y.place(up[row]), y.place(up[row + 1]))
        let words = String(format: "%.3g, %.3g: %.0f %%", columns[column], rows[row], share * 100)
        squares.append(
          "<rect x='\(number(left))' y='\(number(1 - top))' width='\(number(right - left))' height='\(number(top - bottom))' style='fill:#1f5fbf;fill-opacity:\(String(format: "%.3f", min(1, max(0, share))));stroke:var(--line);stroke-width:.5'><title>\(words)</title></rect>"
        )
      }
    }
    let inside = curve.filter { $0.x >= across[0] && $0.x <= across[across.count - 1] }
    let points = inside.map { "\(number(x.place($0.x))),\(number(1 - y.place($0.y)))" }.joined(separator: " ")
    let line = inside.isEmpty ? "" : "<polyline points='\(points)' stroke='#d2691e' style='stroke-width:2.5'/>"
    let legend =
      inside.isEmpty ? "" : "<span><i style='background:#d2691e'></i>\(LineChart.escaped(curveName))</span>"
    let measured = shares.flatMap { $0.compactMap(\.self) }
    let mean = measured.isEmpty ? 0 : measured.reduce(0, +) / Double(measured.count)
    let summary = "\(title): \(measured.count) squares, \(String(format: "%.0f", mean * 100)) % on average"
    return """
      <figure class="chart" role="img" aria-label="\(LineChart.escaped(summary))">
      <figcaption>\(LineChart.escaped(title)) <span class="legend"><span><i style='background:#1f5fbf'></i>\(LineChart.escaped(shadeName))</span> \(legend)</span></figcaption>
      <div class="frame">
      \(y.ticks.map { "<span class='y' style='top:\(percent(1 - y.place($0.value)))'>\($0.label)</span>" }.joined())
      <svg viewBox="0 0 1000 1000" preserveAspectRatio="none">
      \(squares.joined(separator: "\n"))
      \(line)
      </svg>
      \(x.ticks.map { "<span class='x' style='left:\(percent(x.place($0.value)))'>\($0.label)</span>" }.joined())
      </div>
      <p class="axis">across: \(LineChart.escaped(horizontalName)); up: \(LineChart.escaped(verticalName))</p>
      </figure>
      """
  }
}
