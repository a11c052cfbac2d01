import Foundation

/// Curves as SVG, for pages that need no other file.
public struct LineChart: Sendable {
  public struct Line: Sendable {
    public var name: String
    public var points: [(x: Double, y: Double)]
    /// A CSS colour.
    public var color: String

    public init(_ name: String, _ points: [(x: Double, y: Double)], color: String) {
      self.name = name
      self.points = points.filter { $0.x.isFinite && $0.y.isFinite }
      self.color = color
    }
  }

  public var title: String
  public var lines: [Line]
  public var isLogarithmicX = false
  public var isLogarithmicY = false

  public init(_ title: String, _ lines: [Line], isLogarithmicX: Bool = false, isLogarithmicY: Bool = false) {
    self.title = title
    self.lines = lines
    self.isLogarithmicX = isLogarithmicX
    self.isLogarithmicY = isLogarithmicY
  }

  /// At most this many points of a line are drawn.
  private static let mostPoints = 800
  private static let (width, height, left, bottom, top, right) = (720.0, 300.0, 64.0, 36.0, 30.0, 16.0)

  /// The chart as an `<svg>` element.
  public var svg: String {
    let lines = lines.map { line -> Line in
      var line = line
      if isLogarithmicX { line.points = line.points.filter { $0.x > 0 }.map { (log10($0.x), $0.y) } }
      if isLogarithmicY { line.points = line.points.filter { $0.y > 0 }.map { ($0.x, log10($0.y)) } }
      let step = max(1, line.points.count / Self.mostPoints)
      line.points = line.points.enumerated().filter { $0.offset % step == 0 || $0.offset == line.points.count - 1 }
        .map(\.element)
      return line
    }
    let xs = lines.flatMap { $0.points.map(\.x) }, ys = lines.flatMap { $0.points.map(\.y) }
    guard let x0 = xs.min(), let x1 = xs.max(), let y0 = ys.min(), let y1 = ys.max() else {
      return "<p>\(Self.escaped(title)): nothing to draw yet.</p>"
    }
    let xSpan = max(x1 - x0, 1e-9), ySpan = max(y1 - y0, 1e-9)
    func place(_ x: Double, _ y: Double) -> (Double, Double) {
      (
        Self.left + (x - x0) / xSpan * (Self.width - Self.left - Self.right),
        Self.height - Self.bottom - (y - y0) / ySpan * (Self.height - Self.bottom - Self.top)
      )
    }
    var svg = """
      <svg viewBox="0 0 \(Int(Self.width)) \(Int(Self.height))" role="img" aria-label="\(Self.escaped(title))">
      <text x="\(Self.left)" y="18" class="title">\(Self.escaped(title))</text>

      """
    for tick in 0...4 {
      let share = Double(tick) / 4
      let (x, y) = place(x0 + share * xSpan, y0 + share * ySpan)
      let xValue = x0 + share * xSpan, yValue = y0 + share * ySpan
      svg += String(
        format:
          "<line x1='%.1f' x2='%.1f' y1='%.1f' y2='%.1f' class='grid'/><text x='%.1f' y='%.1f' class='tick' text-anchor='end'>%@</text>\n",
        Self.left, Self.width - Self.right, y, y, Self.left - 6, y + 4,
        Self.number(isLogarithmicY ? pow(10, yValue) : yValue))
      svg += String(
        format: "<text x='%.1f' y='%.1f' class='tick' text-anchor='middle'>%@</text>\n", x, Self.height - 14,
        Self.number(isLogarithmicX ? pow(10, xValue) : xValue))
    }
    for (index, line) in lines.enumerated() {
      let points = line.points.map { point -> String in
        let (x, y) = place(point.x, point.y)
        return String(format: "%.1f,%.1f", x, y)
      }
      svg +=
        "<polyline points='\(points.joined(separator: " "))' fill='none' stroke='\(line.color)' stroke-width='1.6'/>\n"
      svg += String(
        format: "<text x='%.1f' y='18' class='tick' text-anchor='end' style='fill:%@'>%@</text>\n",
        Self.width - Self.right - Double(lines.count - 1 - index) * 130, line.color, Self.escaped(line.name))
    }
    return svg + "</svg>"
  }

  static func number(_ value: Double) -> String {
    let size = abs(value)
    if size >= 10_000 { return String(format: "%.0fk", value / 1000) }
    if size >= 100 || value == value.rounded() && size < 10_000 { return String(format: "%.0f", value) }
    return size >= 0.01 ? String(format: "%.3g", value) : String(format: "%.1e", value)
  }

  /// Text for HTML.
  public static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
      .replacing("\"", with: "&quot;")
  }

  /// A whole page that needs no other file.
  public static func page(title: String, _ body: String) -> String {
    """
    <!doctype html>
    <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
    <title>\(escaped(title))</title>
    <style>
    :root { color-scheme: light dark; }
    body { font: 15px/1.5 system-ui, sans-serif; max-width: 760px; margin: 2em auto; padding: 0 1em; }
    svg { width: 100%; height: auto; margin: 0.8em 0; }
    svg text { fill: currentColor; font-size: 12px; } svg .title { font-weight: 600; font-size: 14px; }
    svg .grid { stroke: currentColor; opacity: 0.15; } svg .tick { opacity: 0.8; font-size: 11px; }
    table { border-collapse: collapse; } td, th { padding: 2px 12px 2px 0; text-align: left; vertical-align: top; }
    pre { white-space: pre-wrap; }
    </style></head><body>
    <h1>\(escaped(title))</h1>
    \(body)
    </body></html>

    """
  }
}
