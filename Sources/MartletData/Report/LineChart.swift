import Foundation

/// A line chart for self-contained HTML pages. The curves are an SVG that adapts to the available width; labels are
/// text of the page, so that they stay readable on a small screen.
public struct LineChart: Sendable {
  /// One curve.
  public struct Line: Sendable {
    /// The name in the legend.
    public var name: String
    /// The points, in drawing order.
    public var points: [(x: Double, y: Double)]
    /// A CSS colour.
    public var color: String
    /// Intervals of values, each drawn as a line from its lower to its upper end.
    public var intervals: [(x: Double, lower: Double, upper: Double)]

    /// A curve with its name, points and colour, and the intervals of its points.
    public init(
      _ name: String, _ points: [(x: Double, y: Double)], color: String,
      intervals: [(x: Double, lower: Double, upper: Double)] = []
    ) {
      self.name = name
      self.points = points.filter { $0.x.isFinite && $0.y.isFinite }
      self.color = color
      self.intervals = intervals.filter { $0.x.isFinite && $0.lower.isFinite && $0.upper.isFinite }
    }
  }

  /// The title above the chart.
  public var title: String
  /// The curves.
  public var lines: [Line]
  /// The label of the horizontal axis.
  public var horizontalName: String
  /// Whether the horizontal axis is logarithmic.
  public var isLogarithmicX = false
  /// Whether the vertical axis is logarithmic.
  public var isLogarithmicY = false

  /// A chart of the given curves.
  public init(
    _ title: String, _ lines: [Line], over horizontalName: String = "", isLogarithmicX: Bool = false,
    isLogarithmicY: Bool = false
  ) {
    self.title = title
    self.lines = lines
    self.horizontalName = horizontalName
    self.isLogarithmicX = isLogarithmicX
    self.isLogarithmicY = isLogarithmicY
  }

  /// At most this many points of a line are drawn, and lines with at most so few show each of them.
  private static let mostPoints = 800, mostMarks = 40

  /// The chart as a `<figure>` element.
  public var html: String {
    let lines = lines.map(drawn).filter { !$0.points.isEmpty }
    guard !lines.isEmpty else { return "<p>\(Self.escaped(title)): nothing to draw yet.</p>" }
    let x = ChartAxis(
      lines.flatMap { $0.points.map(\.x) }, isLogarithmic: isLogarithmicX, most: 5, isPadded: false)
    let heights = lines.flatMap { $0.points.map(\.y) + $0.intervals.flatMap { [$0.lower, $0.upper] } }
    let y = ChartAxis(heights, isLogarithmic: isLogarithmicY, most: 5, isPadded: true)
    func percent(_ share: Double) -> String { String(format: "%.2f%%", share * 100) }
    func across(_ value: Double) -> String { String(format: "%.1f", x.place(value) * 1000) }
    func down(_ value: Double) -> String { String(format: "%.1f", (1 - y.place(value)) * 1000) }
    let grid =
      y.ticks.map { "<line x1='0' x2='1000' y1='\(down($0.value))' y2='\(down($0.value))' class='grid'/>" }
      + x.ticks.map { "<line x1='\(across($0.value))' x2='\(across($0.value))' y1='0' y2='1000' class='grid'/>" }
    let curves = lines.map { line in
      let points = line.points.map { "\(across($0.x)),\(down($0.y))" }
      let whiskers = line.intervals.map {
        "<line x1='\(across($0.x))' x2='\(across($0.x))' y1='\(down($0.lower))' y2='\(down($0.upper))' class='interval' stroke='\(Self.escaped(line.color))'/>"
      }
      let curve =
        whiskers.joined() + "<polyline points='\(points.joined(separator: " "))' stroke='\(Self.escaped(line.color))'/>"
      guard line.points.count <= Self.mostMarks else { return curve }
      // A line of no length with round ends is a dot, however the picture is stretched.
      return curve
        + line.points.map {
          "<line x1='\(across($0.x))' x2='\(across($0.x))' y1='\(down($0.y))' y2='\(down($0.y))' class='dot' stroke='\(Self.escaped(line.color))'/>"
        }.joined()
    }
    // Lines of one name and colour are repetitions, such as seeds.
    let named = lines.indices.filter { place in
      !lines[..<place].contains { $0.name == lines[place].name && $0.color == lines[place].color }
    }
    let legend = named.map { lines[$0] }.map {
      "<span><i style='background:\(Self.escaped($0.color))'></i>\(Self.escaped($0.name))</span>"
    }
    return """
      <figure class="chart" role="img" aria-label="\(Self.escaped(summary(lines)))">
      <figcaption>\(Self.escaped(title)) <span class="legend">\(legend.joined(separator: " "))</span></figcaption>
      <div class="frame">
      \(y.ticks.map { "<span class='y' style='top:\(percent(1 - y.place($0.value)))'>\($0.label)</span>" }.joined())
      <svg viewBox="0 0 1000 1000" preserveAspectRatio="none">
      \(grid.joined(separator: "\n"))
      \(curves.joined(separator: "\n"))
      </svg>
      \(x.ticks.map { "<span class='x' style='left:\(percent(x.place($0.value)))'>\($0.label)</span>" }.joined())
      </div>
      <p class="axis">\(Self.escaped(horizontalName))</p>
      </figure>
      """
  }

  /// The points of a line that can be drawn, not too many of them.
  private func drawn(_ line: Line) -> Line {
    var line = line
    if isLogarithmicX {
      line.points.removeAll { $0.x <= 0 }
      line.intervals.removeAll { $0.x <= 0 }
    }
    if isLogarithmicY {
      line.points.removeAll { $0.y <= 0 }
      line.intervals.removeAll { $0.lower <= 0 }
    }
    let step = (line.points.count + Self.mostPoints - 1) / Self.mostPoints
    let last = line.points.count - 1
    if step > 1 {
      line.points = line.points.enumerated().filter { $0.offset % step == 0 || $0.offset == last }.map(\.element)
    }
    return line
  }

  /// The chart in words, for those who cannot see it.
  private func summary(_ lines: [Line]) -> String {
    let parts = lines.compactMap { line -> String? in
      guard let first = line.points.first, let last = line.points.last else { return nil }
      return String(format: "%@ from %.4g to %.4g", line.name, first.y, last.y)
    }
    return "\(title): \(parts.joined(separator: ", "))"
  }

  /// The text with the special characters of HTML escaped.
  public static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
      .replacing("\"", with: "&quot;").replacing("'", with: "&#39;")
  }

  /// A complete, self-contained HTML page.
  public static func page(title: String, _ body: String) -> String {
    """
    <!doctype html>
    <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
    <title>\(escaped(title))</title>
    <style>
    :root { color-scheme: light dark; --line: #8884; }
    body { font: 15px/1.5 system-ui, sans-serif; max-width: 760px; margin: 2em auto; padding: 0 1em; overflow-wrap: anywhere; }
    h1 { font-size: 1.5em; line-height: 1.25; } h2 { font-size: 1.15em; }
    .chart { margin: 1.4em 0; }
    figcaption { font-weight: 600; display: flex; flex-wrap: wrap; gap: 0 1em; justify-content: space-between; }
    .legend { font-weight: 400; font-size: .87em; display: flex; flex-wrap: wrap; gap: 0 1em; }
    .legend i { display: inline-block; width: 1.1em; height: .25em; border-radius: 2px; margin-right: .4em; vertical-align: .22em; }
    .frame { position: relative; height: 15em; margin: .6em 1em 1.6em 3.6em; }
    .frame svg { position: absolute; inset: 0; width: 100%; height: 100%; overflow: visible; }
    svg * { vector-effect: non-scaling-stroke; fill: none; stroke-width: 1.7; stroke-linejoin: round; }
    .frame.bars { margin-left: min(15em, 38vw); }
    .frame.bars .y { max-width: min(17.5em, 35vw); overflow: hidden; text-overflow: ellipsis; line-height: 1.3; }
    svg .whisker { stroke: currentColor; stroke-width: 1.4; } svg .mark { stroke: currentColor; stroke-width: 1; stroke-dasharray: 3 3; }
    svg .interval { opacity: .55; stroke-width: 1.4; }
    svg .grid { stroke: var(--line); stroke-width: 1; } svg .dot { stroke-width: 6.5; stroke-linecap: round; }
    .frame span { position: absolute; font-size: .8em; opacity: .8; white-space: nowrap; line-height: 1; }
    .frame .y { right: calc(100% + .6em); transform: translateY(-50%); }
    .frame .x { top: calc(100% + .6em); transform: translateX(-50%); }
    .axis { margin: -.4em 0 0; text-align: center; font-size: .8em; opacity: .8; }
    .table { overflow-x: auto; }
    table { border-collapse: collapse; margin: 1em 0; overflow-wrap: normal; }
    td, th { padding: 3px 12px 3px 0; text-align: left; vertical-align: top; }
    .numbers td, .numbers th { border: 1px solid var(--line); padding: .2em .6em; text-align: right; }
    .numbers td:first-child, .numbers th:first-child { text-align: left; }
    pre { white-space: pre-wrap; }
    @media (prefers-color-scheme: dark) { svg polyline, svg .dot, .legend i { filter: brightness(1.5); } }
    </style></head><body>
    <h1>\(escaped(title))</h1>
    \(body)
    </body></html>

    """
  }
}
