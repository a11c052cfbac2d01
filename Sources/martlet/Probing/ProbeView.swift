import MartletData
import MartletProbes

/// Shows the summary of a probe on a terminal.
enum ProbeView {
  static func show(_ summary: InContextSummary) {
    print(TextTable(summary.tableRows, leading: 4).text)
    if !summary.conclusions.isEmpty { print() }
    for sentence in summary.conclusions { print(sentence.printable) }
  }
}
