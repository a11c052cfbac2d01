import MartletData

/// The page `report.html` of a sweep: what may be concluded, the tables, and the curves with every seed drawn.
struct GrokkingSweepPage {
  let results: GrokkingSweepResults

  private static let colors = ["#1f5fbf", "#d2691e", "#2e8b57", "#8b5fbf", "#b8860b", "#c0395a", "#2a9d9d", "#6b6b6b"]
  private static let baselineColor = "#888888"

  var html: String {
    let common = results.plan.common
    let seeds = results.plan.seeds.map { "\($0)" }.joined(separator: ", ")
    let body = """
      <p>\(LineChart.escaped(about(common))) Seeds \(seeds); each run ends at \
      \(common.target > 1 ? "step \(common.steps)" : "\(GrokkingSweepResults.percent(common.target)) of the test pairs, or at step \(common.steps)").</p>
      <h2>What may be concluded</h2>
      <ul>\(results.conclusions.map { "<li>\(LineChart.escaped($0))</li>" }.joined(separator: "\n"))</ul>
      <h2>Steps until a share of the test pairs is right</h2>
      <p>Median over seeds, and the smallest to the largest in brackets. A run that never came there counts as later than
      all others.</p>
      \(table { $0.steps(reaching: $1) })
      <h2>Processor seconds until then</h2>
      <p>Steps times the mean cost of a step of the run, evaluations left out. Times depend on the machine and on what else
      it did; steps do not.</p>
      \(table { $0.seconds(reaching: $1) })
      <h2>Test accuracy, every seed</h2>
      \(charts.map(\.html).joined(separator: "\n"))
      """
    return LineChart.page(title: "Grokking sweep: \(common.operation.rawValue) modulo \(common.modulus)", body)
  }

  private func about(_ common: GrokkingSettings) -> String {
    let layers = common.layers == 1 ? "1 layer" : "\(common.layers) layers"
    return
      "\(GrokkingSweepResults.percent(common.share)) of the pairs for training, \(layers), width \(common.width), \(common.heads) heads, evaluated every \(common.interval) steps."
  }

  private func table(_ spread: (GrokkingResult, Double) -> GrokkingResult.Spread) -> String {
    let head = results.plan.accuracies.map { "<th>\(GrokkingSweepResults.percent($0))</th>" }.joined()
    let rows = results.results.map { result in
      let cells = results.plan.accuracies.map {
        "<td>\(LineChart.escaped(GrokkingSweepResults.text(spread(result, $0))))</td>"
      }
      return "<tr><td>\(LineChart.escaped(name(result)))</td>\(cells.joined())</tr>"
    }
    return """
      <div class="table"><table class="numbers"><tr><th>configuration</th>\(head)</tr>
      \(rows.joined(separator: "\n"))</table></div>
      """
  }

  private func name(_ result: GrokkingResult) -> String {
    let configuration = result.configuration
    let notes = [
      configuration == results.untuned?.configuration ? "untuned" : nil,
      configuration == results.best?.configuration ? "best baseline" : nil,
    ].compactMap { $0 }
    return configuration.title + (notes.isEmpty ? "" : " (\(notes.joined(separator: ", ")))")
  }

  /// The baselines in one chart, and each kind of variant beside the best of them.
  private var charts: [LineChart] {
    func lines(_ result: GrokkingResult, _ color: String) -> [LineChart.Line] {
      result.outcomes.map { outcome in
        .init(result.configuration.title, outcome.curve.map { (Double($0.step), $0.accuracy) }, color: color)
      }
    }
    func colored(_ results: [GrokkingResult]) -> [LineChart.Line] {
      results.enumerated().flatMap { lines($1, Self.colors[$0 % Self.colors.count]) }
    }
    func chart(_ title: String, _ lines: [LineChart.Line]) -> LineChart {
      LineChart(title, lines, over: "step", isLogarithmicX: true)
    }
    let beside = results.best.map { lines($0, Self.baselineColor) } ?? []
    return [chart("AdamW", colored(results.baselines))]
      + results.plan.variants.compactMap { variant in
        let tried = results.results.filter { $0.configuration.variant == variant }
        guard !tried.isEmpty else { return nil }
        return chart("Against the best baseline: \(variant.rawValue)", beside + colored(tried))
      }
  }
}
