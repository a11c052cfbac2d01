import Foundation
import MartletHostCheck

/// A verdict for people.
struct HostText {
  let report: HostReport
  let explains: Bool
  private(set) var text = ""

  init(report: HostReport, explains: Bool) {
    self.report = report
    self.explains = explains
    let facts = report.verdict.facts
    for finding in report.verdict.findings { show(finding, facts) }
    line()
    let place = [
      facts.architecture == .x86 ? nil : facts.architecture.name,
      facts.hypervisor.map { $0 == "unnamed" ? "a guest" : "guest of \($0)" },
      facts.isContainer ? "container" : nil, facts.distribution?.name,
    ].compactMap { $0 }
    line(Terminal.bold("Machine") + "  \(([facts.origin] + place).joined(separator: ", "))")
    if facts.architecture != .unknown, facts.processors.contains(where: { $0.kind.vendor != nil }) {
      for text in facts.processorLines { line("  \(text)") }
    }
    for text in facts.evidence { line("  \(text)") }
    for text in facts.warnings { line("  warning: \(text)") }
    for text in facts.unread { line(Terminal.dim("  not read: \(text)")) }
    line(Terminal.dim("  tables: \(HostVerdict.dataVersion) (\(report.dataAge / 86_400) days old)"))
    for text in HostVerdict.updates { line(Terminal.dim("  \(text)")) }
    if !facts.kernelVulnerabilities.isEmpty {
      line()
      line(
        Terminal.bold("The kernel's own list") + Terminal.dim("  (other flaws; the kernel lists neither of the two)"))
      let width = facts.kernelVulnerabilities.map(\.name.count).max() ?? 0
      for (name, text) in facts.kernelVulnerabilities {
        line("  \(padded(name, width + 2))\(text)")
      }
    }
  }

  private mutating func show(_ finding: Finding, _ facts: HostFacts) {
    let exposure = finding.exposure.flatMap {
      $0 == .none ? nil : $0.rawValue.split(separator: "_").joined(separator: " ")
    }
    let confidence = "confidence \(finding.confidence.rawValue)" + (exposure.map { ", \($0)" } ?? "")
    line(
      "\(Terminal.bold(padded(finding.flaw.name, 10))) \(finding.flaw.rawValue)  \(colored(finding))  \(Terminal.dim(confidence))"
    )
    line("  \(finding.explanation)")
    for text in finding.evidence { line("  \(text)") }
    for text in finding.warnings { line("  warning: \(text)") }
    for text in Advice.lines(for: finding, facts: facts) { line("  do: \(text)") }
    guard explains else { return }
    line(
      Terminal.dim("  decided by row \(finding.decisionRow) of the table for \(finding.flaw.name): \(finding.reason)"))
    for citation in finding.citations {
      line(Terminal.dim("  \(citation.table) \(citation.version): \(citation.row)"))
      for source in citation.sources { line(Terminal.dim("    \(citation.date)  \(source)")) }
    }
  }

  private func colored(_ finding: Finding) -> String {
    let words = finding.status.words + (finding.isOnlyWarning ? " (warning)" : "")
    guard Terminal.showsColor else { return words }
    let color = [0: 32, 1: 33, 2: 31][finding.exitCode] ?? 33
    return "\u{1b}[1;\(color)m\(words)\u{1b}[0m"
  }

  private func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  private mutating func line(_ line: String = "") { text += line + "\n" }
}
