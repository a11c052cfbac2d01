import ArgumentParser
import MartletData
import MartletProbes

struct ProbeSummary: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "summary",
    abstract: "Computes every statistic of an in-context-learning probe from its rows alone.",
    discussion: """
      ROWS are JSON lines {"task","k","setting","seed","block","eval_id","gold","lp":[...]}, one for each query: `gold` \
      is the number of the true class, `lp` the log-likelihood of each class's label. Rows of `martlet probe icl \
      --rows` also hold "model", "labels", "tokens", "lp_content_free", "lp_domain", "lp_zero_shot", "generated" and \
      "answer" (the label that was generated, null for none), from which more is computed.

      A context is a seed and a block. Batch calibration takes the queries of a context; AUROC counts the pairs of \
      queries within a context; intervals (95 %) are percentiles of a bootstrap over contexts, `accuracy_wilson` takes \
      rows for independent. Settings named regular and flipped25 ... flipped100 give slopes over the flipped share.

      Example: martlet probe summary rows.jsonl --json
      """)

  @Argument(help: "File of rows, JSON lines (plain, .gz or .zst), or - for standard input.") var rows: String
  @Option(help: "How often contexts are drawn for the intervals.") var draws = InContextSummary.defaultDraws
  @Option(help: "Seed of these draws.") var seed: UInt64 = 0
  @Option(help: "File for a page with curves, intervals and conclusions.") var html: String?
  @Flag(help: OutputOptions.forceHelp) var force = false
  @Flag(help: "Print one JSON object with all statistics.") var json = false

  func validate() throws {
    if !(1...1_000_000).contains(draws) { throw ValidationError("--draws must be from 1 to 1000000") }
  }

  func run() throws {
    if let html { try OutputTarget.check(html, replaces: force) }
    let summary = InContextSummary(try InContextRow.read(rows), draws: draws, seed: seed)
    if let html { try AtomicFile.write(InContextPage(summary).html.utf8, to: html, replaces: force) }
    if json {
      print(summary.json.text)
    } else {
      ProbeView.show(summary)
    }
  }
}
