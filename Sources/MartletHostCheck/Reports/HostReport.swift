import Foundation

/// A verdict as machines read it.
public struct HostReport: Sendable {
  public let verdict: HostVerdict
  public let time: Date
  public let toolVersion: String
  public let isRoot: Bool

  public init(_ verdict: HostVerdict, time: Date = Date(), toolVersion: String, isRoot: Bool) {
    self.verdict = verdict
    self.time = time
    self.toolVersion = toolVersion
    self.isRoot = isRoot
  }

  /// Seconds since the tables were made.
  public var dataAge: Int {
    let parts = HostVerdict.dataDate.split(separator: "-").compactMap { Int($0) }
    guard parts.count == 3 else { return 0 }
    // Days since 1970 of the Gregorian calendar (years begin in March, so that a leap day is the last); Foundation's
    // parser would take longer than the whole check.
    let (year, month) = parts[1] > 2 ? (parts[0], parts[1] - 3) : (parts[0] - 1, parts[1] + 9)
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + parts[2] - 1 - 719_468
    return max(0, Int(time.timeIntervalSince1970) - days * 86_400)
  }

  /// As Docs/host-report.schema.json describes.
  /// - Parameter explains: with the rows of the tables and their sources.
  public func json(explains: Bool) -> [String: Any] {
    let facts = verdict.facts
    var machine: [String: Any] = [
      "origin": facts.origin, "architecture": facts.architecture.name, "logicalProcessors": facts.logicalProcessors,
      "container": facts.isContainer, "evidence": facts.evidence, "warnings": facts.warnings,
      "notRead": facts.unread,
      "processors": facts.processors.prefix(64).map { kind, count -> [String: Any] in
        var object: [String: Any] = ["count": count]
        object["vendor"] = kind.vendor
        object["modelName"] = kind.modelName
        object["signature"] = kind.signature?.hexadecimal8
        object["platformMask"] = kind.platformMask?.hexadecimal
        object["revision"] = kind.revision?.hexadecimal8
        return object
      },
      "kernelVulnerabilities": Dictionary(facts.kernelVulnerabilities.map { ($0.name, $0.text) }) { first, _ in first },
    ]
    machine["hypervisor"] = facts.hypervisor
    machine["distribution"] = facts.distribution?.name
    machine["sevFirmware"] = facts.sevFirmware?.description
    machine["guestEncryption"] = facts.guestEncryption?.rawValue
    return [
      "dataVersion": HostVerdict.dataVersion, "dataDate": HostVerdict.dataDate, "dataAgeSeconds": dataAge,
      "toolVersion": toolVersion, "time": time.formatted(.iso8601), "runAsRoot": isRoot,
      "exitCode": verdict.exitCode, "machine": machine,
      "results": verdict.findings.map { json($0, explains: explains) },
    ]
  }

  private func json(_ finding: Finding, explains: Bool) -> [String: Any] {
    var object: [String: Any] = [
      "flaw": finding.flaw.rawValue, "name": finding.flaw.name, "advisory": finding.flaw.advisory,
      "status": finding.status.rawValue, "confidence": finding.confidence.rawValue,
      "exposure": finding.exposure?.rawValue ?? "n/a", "reason": finding.reason, "explanation": finding.explanation,
      "evidence": verdict.facts.processorLines + finding.evidence, "warnings": finding.warnings,
      "action": finding.action, "advice": Advice.lines(for: finding, facts: verdict.facts),
      "exitCode": finding.exitCode, "decisionRow": finding.decisionRow,
    ]
    if explains {
      object["citations"] = finding.citations.map { citation -> [String: Any] in
        [
          "table": citation.table, "version": citation.version, "tableDate": citation.tableDate, "row": citation.row,
          "date": citation.date, "sources": citation.sources,
        ]
      }
    }
    return object
  }

  /// Prometheus' text format 0.0.4: 0 not affected or mitigated, 1 unknown, 2 vulnerable.
  public var prometheus: String {
    var text = ""
    func family(_ name: String, _ help: String, _ samples: [(labels: String, value: Int)]) {
      text += "# HELP martlet_host_\(name) \(help)\n# TYPE martlet_host_\(name) gauge\n"
      for sample in samples { text += "martlet_host_\(name)\(sample.labels) \(sample.value)\n" }
    }
    func labels(_ finding: Finding) -> String { "{flaw=\"\(finding.flaw.rawValue)\",name=\"\(finding.flaw.name)\"}" }
    let findings = verdict.findings
    family(
      "flaw_status", "0 not affected or mitigated, 1 unknown, 2 vulnerable.",
      findings.map { (labels($0), $0.status == .vulnerable ? 2 : $0.status == .unknown ? 1 : 0) })
    family(
      "flaw_confidence", "0 low, 1 medium, 2 high.",
      findings.map { (labels($0), Confidence.allCases.firstIndex(of: $0.confidence) ?? 0) })
    family(
      "flaw_exit_code", "0 fine, 1 warning, 2 vulnerable, 3 unknown.", findings.map { (labels($0), $0.exitCode) })
    family(
      "flaw_info", "What was found, in words.",
      findings.map {
        (
          "{flaw=\"\($0.flaw.rawValue)\",name=\"\($0.flaw.name)\",status=\"\($0.status.rawValue)\","
            + "confidence=\"\($0.confidence.rawValue)\",exposure=\"\($0.exposure?.rawValue ?? "n/a")\",reason=\"\($0.reason)\"}",
          1
        )
      })
    family("data_age_seconds", "Age of the tables.", [("", dataAge)])
    family("scan_timestamp_seconds", "When the machine was looked at.", [("", Int(time.timeIntervalSince1970))])
    return text
  }

  /// A line for Nagios and its kin, then a line a flaw.
  public var nagios: String {
    let word = ["OK", "WARNING", "CRITICAL", "UNKNOWN"][verdict.exitCode]
    let summary = verdict.findings.map { "\($0.flaw.name) \($0.status.words)" }.joined(separator: ", ")
    let numbers = verdict.findings.map { "\($0.flaw.name.lowercased())=\($0.exitCode);0;1;0;3" }.joined(separator: " ")
    let lines = verdict.findings.map {
      "\($0.flaw.rawValue): \($0.status.words) (\($0.confidence.rawValue)), \($0.explanation)"
        .map { $0 == "|" ? "/" : String($0) }.joined()
    }
    return ["HOST \(word) - \(summary) | \(numbers)"].appending(lines).joined(separator: "\n")
  }
}

extension [String] {
  fileprivate func appending(_ more: [String]) -> [String] { self + more }
}

extension HostFacts.Architecture {
  public var name: String {
    switch self {
    case .x86: return "x86"
    case .other(let name): return name
    case .unknown: return "unknown"
    }
  }
}
