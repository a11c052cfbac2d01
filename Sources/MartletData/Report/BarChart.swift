import Foundation

/// Horizontal bars with intervals, in groups, for self-contained HTML pages: a group is what is compared (a task), and its bars are
/// those that are compared (models). Labels are text of the page, as those of ``LineChart``.
public struct BarChart: Sendable {
  /// One bar.
  public struct Bar: Sendable {
    /// The value at which it ends.
    public var value: Double
    /// The ends of the interval, drawn as a line across the bar's end; nil draws none.
    public var interval: (lower: Double, upper: Double)?

    /// A bar with its interval.
    public init(_ value: Double, interval: (lower: Double, upper: Double)? = nil) {
      self.value = value
      self.interval = interval
    }
  }

  /// The bars of one thing that is compared.
  public struct Group: Sendable {
    /// The label beside the bars.
    public var name: String
    /// A bar for each series, in their order; nil where there is none.
    public var bars: [Bar?]
    /// A value that is marked across the group, such as that of guessing.
    public var mark: Double?

    /// The bars beside a label.
    public init(_ name: String, _ bars: [Bar?], mark: Double? = nil) {
      self.name = name
      self.bars = bars
      self.mark = mark
    }
  }

  /// The title above the chart.
  public var title: String
  /// The groups from top to bottom.
  public var groups: [Group]
  /// The names of the bars of each group in the legend, with their CSS colours.
  public var series: [(name: String, color: String)]
  /// The label of the scale.
  public var scaleName: String

  /// A chart of the given groups.
  public init(_ title: String, _ groups: [Group], series: [(name: String, color: String)], over scaleName: String = "")
  {
    self.title = title
    self.groups = groups
    self.series = series
    self.scaleName = scaleName
  }

  /// Heights in em: of a bar, and of the room between groups.
  private static let barHeight = 0.8, groupGap = 0.7

  /// The chart as a `<figure>` element.
  public var html: String {
    let groups = groups.filter { $0.bars.contains { $0?.value.isFinite == true } }
    guard !groups.isEmpty else { return "<p>\(LineChart.escaped(title)): nothing to draw yet.</p>" }
    let bars = groups.flatMap(\.bars).compactMap(\.self)
    let values =
      [0] + bars.map(\.value) + bars.flatMap { [$0.interval?.lower, $0.interval?.upper] }.compactMap(\.self)
      + groups.compactMap(\.mark)
    let scale = ChartAxis(values.filter(\.isFinite), isLogarithmic: false, most: 6, isPadded: true)
    func across(_ value: Double) -> String { String(format: "%.1f", scale.place(value) * 1000) }
    func percent(_ share: Double) -> String { String(format: "%.2f%%", share * 100) }
    let groupHeights = groups.map { Double($0.bars.count) * Self.barHeight + Self.groupGap }
    let height = groupHeights.reduce(0, +)
    func down(_ ems: Double) -> String { String(format: "%.1f", ems / height * 1000) }
    var shapes: [String] = [], labels: [String] = []
    var top = 0.0
    for (group, room) in zip(groups, groupHeights) {
      let middle = top + room / 2
      labels.append(
        "<span class='y' title='\(LineChart.escaped(group.name))' style='top:\(percent(middle / height))'>\(LineChart.escaped(group.name))</span>"
      )
      var y = top + Self.groupGap / 2
      for (index, bar) in group.bars.enumerated() {
        defer { y += Self.barHeight }
        guard let bar, bar.value.isFinite else { continue }
        let color = LineChart.escaped(series.indices.contains(index) ? series[index].color : "#888")
        let ends = [scale.place(0), scale.place(bar.value)].sorted()
        shapes.append(
          "<rect x='\(String(format: "%.1f", ends[0] * 1000))' y='\(down(y + 0.08))' width='\(String(format: "%.1f", (ends[1] - ends[0]) * 1000))' height='\(down(Self.barHeight - 0.16))' style='fill:\(color);stroke:none'/>"
        )
        if let interval = bar.interval, interval.lower.isFinite, interval.upper.isFinite {
          let y = down(y + Self.barHeight / 2)
          shapes.append(
            "<line x1='\(across(interval.lower))' x2='\(across(interval.upper))' y1='\(y)' y2='\(y)' class='whisker'/>")
        }
      }
      if let mark = group.mark {
        shapes.append(
          "<line x1='\(across(mark))' x2='\(across(mark))' y1='\(down(top + 0.2))' y2='\(down(top + room - 0.2))' class='mark'/>"
        )
      }
      top += room
    }
    let grid = scale.ticks.map {
      "<line x1='\(across($0.value))' x2='\(across($0.value))' y1='0' y2='1000' class='grid'/>"
    }
    let legend = series.map {
      "<span><i style='background:\(LineChart.escaped($0.color))'></i>\(LineChart.escaped($0.name))</span>"
    }
    return """
      <figure class="chart" role="img" aria-label="\(LineChart.escaped(summary(groups)))">
      <figcaption>\(LineChart.escaped(title)) <span class="legend">\(legend.joined(separator: " "))</span></figcaption>
      <div class="frame bars" style="height:\(String(format: "%.1f", height))em">
      \(labels.joined(separator: "\n"))
      <svg viewBox="0 0 1000 1000" preserveAspectRatio="none">
      \(grid.joined(separator: "\n"))
      \(shapes.joined(separator: "\n"))
      </svg>
      \(scale.ticks.map { "<span class='x' style='left:\(percent(scale.place($0.value)))'>\($0.label)</span>" }.joined())
      </div>
      <p class="axis">\(LineChart.escaped(scaleName))</p>
      </figure>
      """
  }

  /// The chart in words, for those who cannot see it.
  private func summary(_ groups: [Group]) -> String {
    let parts = groups.map { group in
      let values = zip(series, group.bars).compactMap { series, bar in
        bar.map { String(format: "%@ %.4g", series.name, $0.value) }
      }
      return "\(group.name): \(values.joined(separator: ", "))"
    }
    return "\(title): \(parts.joined(separator: "; "))"
  }
}
