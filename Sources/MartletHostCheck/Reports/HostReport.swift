import Foundation

/// A verdict in machine-readable formats.
public struct HostReport: Sendable {
  /// The verdict.
  public let verdict: HostVerdict
  /// The time of the check.
  public let time: Date
  /// The version of the program.
  public let toolVersion: String
  /// Whether the check ran as root.
  public let isRoot: Bool

  /// A report of a verdict.
  public init(_ verdict: HostVerdict, time: Date = Date(), toolVersion: String, isRoot: Bool) {
    self.verdict = verdict
    self.time = time
    self.toolVersion = toolVersion
    self.isRoot = isRoot
  }

  /// The age of the tables in seconds.
  public var dataAge: Int {
    let parts = HostVerdict.dataDate.split(separator: "-").compactMap { Int($0) }
    guard parts.count == 3 else { return 0 }
    let day = CivilDay(year: parts[0], month: parts[1], day: parts[2])
    return max(0, Int(time.timeIntervalSince1970) - day.sinceEpoch * 86_400)
  }

  /// ISO 8601 in UTC, such as 2026-11-26T02:00:00Z.
  var timestamp: String {
    let seconds = max(0, Int(time.timeIntervalSince1970))
    let day = CivilDay(sinceEpoch: seconds / 86_400), second = seconds % 86_400
    func two(_ value: Int) -> String { (value < 10 ? "0" : "") + String(value) }
    return "\(day.year)-\(two(day.month))-\(two(day.day))"
      + "T\(two(second / 3600)):\(two(second / 60 % 60)):\(two(second % 60))Z"
  }

  /// The report as JSON, as described by Docs/host-report.schema.json.
  /// - Parameter explains: whether to include the rows of the tables with their sources.
  public func json(explains: Bool) -> ReportValue {
    let facts = verdict.facts
    return .object([
      "data_version": .text(HostVerdict.dataVersion), "data_date": .text(HostVerdict.dataDate),
      "data_updates": .texts(HostVerdict.updates), "data_age_seconds": .number(dataAge),
      "tool_version": .text(toolVersion), "time": .text(timestamp),
      "run_as_root": .flag(isRoot), "exit_code": .number(verdict.exitCode),
      "results": .list(verdict.findings.map { json($0, explains: explains) }),
      "machine": .object([
        "origin": .text(facts.origin), "architecture": .text(facts.architecture.name),
        "logical_processors": .number(facts.logicalProcessors), "container": .flag(facts.isContainer),
        "hypervisor": facts.hypervisor.map { .text($0) }, "distribution": facts.distribution.map { .text($0.name) },
        "sev_firmware": facts.sevFirmware.map { .text($0.description) },
        "guest_encryption": facts.guestEncryption.map { .text($0.rawValue) },
        "evidence": .texts(facts.evidence), "warnings": .texts(facts.warnings), "not_read": .texts(facts.unread),
        "processors": .list(facts.processors.prefix(64).map(json)),
        "kernel_vulnerabilities": .object(
          Dictionary(facts.kernelVulnerabilities.map { ($0.name, .text($0.text)) }) { first, _ in first }),
      ]),
    ])
  }

  private func json(_ kind: Processor, count: Int) -> ReportValue {
    .object([
      "count": .number(count), "vendor": kind.vendor.map { .text($0) }, "model_name": kind.modelName.map { .text($0) },
      "signature": kind.signature.map { .text($0.hexadecimal8) },
      "platform_mask": kind.platformMask.map { .text($0.hexadecimal) },
      "revision": kind.revision.map { .text($0.hexadecimal8) },
    ])
  }

  private func json(_ finding: Finding, explains: Bool) -> ReportValue {
    .object([
      "flaw": .text(finding.flaw.rawValue), "name": .text(finding.flaw.name), "advisory": .text(finding.flaw.advisory),
      "status": .text(finding.status.rawValue), "confidence": .text(finding.confidence.rawValue),
      "exposure": .text(finding.exposure?.rawValue ?? "n/a"), "reason": .text(finding.reason),
      "explanation": .text(finding.explanation), "warnings": .texts(finding.warnings),
      "evidence": .texts(verdict.facts.processorLines + finding.evidence), "action": .text(finding.action),
      "advice": .texts(Advice.lines(for: finding, facts: verdict.facts)), "exit_code": .number(finding.exitCode),
      "decision_row": .number(finding.decisionRow),
      "citations": explains ? .list(finding.citations.map(\.json)) : nil,
    ])
  }

  /// The report in the text format 0.0.4 of Prometheus: 0 not affected or mitigated, 1 unknown, 2 vulnerable.
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

  /// The report for Nagios and compatible tools: a summary line, then one line for each vulnerability.
  public var nagios: String {
    let word = ["OK", "WARNING", "CRITICAL", "UNKNOWN"][verdict.exitCode]
    let summary = verdict.findings.map { "\($0.flaw.name) \($0.status.words)" }.joined(separator: ", ")
    let numbers = verdict.findings.map { "\($0.flaw.name.lowercased())=\($0.exitCode);0;1;0;3" }.joined(separator: " ")
    let lines = verdict.findings.map {
      "\($0.flaw.rawValue): \($0.status.words) (\($0.confidence.rawValue)), \($0.explanation)"
        .map { $0 == "|" ? "/" : String($0) }.joined()
    }
    return (["HOST \(word) - \(summary) | \(numbers)"] + lines).joined(separator: "\n")
  }
}

extension Citation {
  /// The citation as JSON.
  public var json: ReportValue {
    .object([
      "table": .text(table), "version": .text(version), "table_date": .text(tableDate), "row": .text(row),
      "date": .text(date), "sources": .texts(sources),
    ])
  }
}

extension HostFacts.Architecture {
  /// The identifier in reports.
  public var name: String {
    switch self {
    case .x86: return "x86"
    case .other(let name): return name
    case .unknown: return "unknown"
    }
  }
}
