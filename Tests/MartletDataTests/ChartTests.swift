import Foundation
import Testing

@testable import MartletData

struct ChartTests {
  private func labels(
    _ values: [Double], isLogarithmic: Bool = false, most: Int = 5, isPadded: Bool = true
  ) -> [String] {
    ChartAxis(values, isLogarithmic: isLogarithmic, most: most, isPadded: isPadded).ticks.map(\.label)
  }

  @Test func ticksStandAtRoundNumbers() {
    #expect(labels([0.13, 3.91]) == ["0", "1", "2", "3", "4"])
    #expect(labels([2.31, 2.87]) == ["2.2", "2.4", "2.6", "2.8", "3.0"])
    #expect(labels([1, 1873], isPadded: false) == ["500", "1000", "1500"])
    #expect(labels([0, 25_000], isPadded: false) == ["0", "10k", "20k"])
    #expect(labels([0, 3e6], isPadded: false) == ["0", "1M", "2M", "3M"])
    #expect(labels([0, 3.2e-5]) == ["0", "1e-5", "2e-5", "3e-5", "4e-5"])
    #expect(labels([-4, 7]) == ["-5", "0", "5", "10"])
    #expect(labels([3, 9000], isLogarithmic: true) == ["1", "10", "100", "1000", "10k"])
    #expect(labels([0.5, 40], isLogarithmic: true) == ["0.1", "0.2", "0.5", "1", "2", "5", "10", "20", "50", "100"])
    #expect(labels([1e-9, 1], isLogarithmic: true) == ["1e-9", "1e-7", "1e-5", "0.001", "0.1"])
    #expect(labels([2.1, 2.9], isLogarithmic: true) == ["2.0", "2.2", "2.4", "2.6", "2.8", "3.0"])
  }

  /// Whatever the values are, ticks are few, round, in their order and on the scale.
  @Test func ticksAreFewAndInside() {
    let sizes = [0, 1e-300, 3e-12, 0.1, 1, 7, 12.5, 99, 1e4, 123_456, 1e15, 1e300, .greatestFiniteMagnitude]
    for low in sizes.flatMap({ [$0, -$0] }) {
      for high in sizes.flatMap({ [$0, -$0] }) where high >= low {
        for isLogarithmic in [false, true] where !isLogarithmic || low > 0 {
          for isPadded in [false, true] {
            let axis = ChartAxis([low, high], isLogarithmic: isLogarithmic, most: 5, isPadded: isPadded)
            let places = axis.ticks.map { axis.place($0.value) }
            #expect(axis.ticks.count <= 12, "\(low) \(high)")
            #expect(places.allSatisfy { (0...1).contains($0) } && places == places.sorted(), "\(low) \(high) \(places)")
            #expect((0...1).contains(axis.place(low)) && axis.place(low) <= axis.place(high))
          }
        }
      }
    }
    #expect(ChartAxis.roundStep(0.3) == 0.5 && ChartAxis.roundStep(2) == 2 && ChartAxis.roundStep(700) == 1000)
  }

  @Test func singlePointsAreSeen() {
    for count in [1, 2, 40] {
      let chart = LineChart("Loss", [.init("a", (0..<count).map { (Double($0), 2.5) }, color: "red")]).html
      #expect(chart.components(separatedBy: "class='dot'").count == count + 1)
    }
    let many = LineChart("Loss", [.init("a", (0..<5000).map { (Double($0), Double($0)) }, color: "red")]).html
    #expect(!many.contains("class='dot'") && many.components(separatedBy: ",").count < 900)
    // The last point is always drawn.
    #expect(many.contains("1000.0,0.0'") || many.contains("1000.0,"))
    // A single point stands in the middle, with numbers on both sides.
    let axis = ChartAxis([2.5], isLogarithmic: false, most: 5, isPadded: true)
    #expect(axis.ticks.count >= 3 && (0.2...0.8).contains(axis.place(2.5)))
    #expect(LineChart("Loss", []).html.contains("nothing to draw"))
    #expect(
      LineChart("Loss", [.init("a", [(0, .nan), (1, .infinity)], color: "red")]).html.contains("nothing to draw"))
    #expect(
      LineChart("x", [.init("a", [(0, -1)], color: "red")], isLogarithmicY: true).html.contains("nothing to draw"))
  }

  @Test func namesAreNoMarkup() {
    let chart = LineChart("<script>'\"", [.init("<b>", [(1, 2)], color: "red")], over: "<i>").html
    #expect(!chart.contains("<script>") && !chart.contains("<b>") && !chart.contains("<i>"))
    #expect(chart.contains("aria-label=\"&lt;script&gt;&#39;&quot;: &lt;b&gt; from 2 to 2\""))
    let page = LineChart.page(title: "a & b", chart)
    for part in ["width=device-width", "prefers-color-scheme: dark", "color-scheme: light dark", "a &amp; b"] {
      #expect(page.contains(part))
    }
    #expect(!page.contains("http"))
  }
}
