import MartletData
import Testing

struct BarChartTests {
  private let chart = BarChart(
    "Scores <of> two",
    [
      .init("a & b", [.init(40, interval: (30, 50)), nil], mark: 25), .init("absent", [nil, .init(.nan)]),
      .init("below", [.init(-10), .init(60)]),
    ], series: [("one", "#123456"), ("two", "#654321")], over: "%")

  @Test func barsIntervalsAndMarksAreDrawn() {
    let html = chart.html
    #expect(html.contains("Scores &lt;of&gt; two") && html.contains("a &amp; b") && !html.contains("<of>"))
    #expect(html.ranges(of: "<rect").count == 3 && html.ranges(of: "class='whisker'").count == 1)
    #expect(html.ranges(of: "class='mark'").count == 1 && html.contains("one 40, ") == false)
    // What has no bar takes no room; what has one is told in words.
    #expect(!html.contains("absent") && html.contains("below: one -10, two 60"))
    #expect(!html.contains("nan") && !html.contains("inf"))
  }

  @Test func nothingToDrawIsSaid() {
    #expect(BarChart("Empty", [], series: []).html.contains("nothing to draw"))
    #expect(BarChart("Empty", [.init("a", [nil])], series: [("one", "red")]).html.contains("nothing to draw"))
  }
}
