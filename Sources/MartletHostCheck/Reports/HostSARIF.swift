/// A verdict as SARIF 2.1.0 (OASIS), for code scanners' lists.
extension HostReport {
  /// The report in SARIF 2.1.0, for code scanners.
  public var sarif: ReportValue {
    let rules = verdict.findings.map { finding -> ReportValue in
      .object([
        "id": .text(finding.flaw.rawValue), "name": .text(finding.flaw.name),
        "shortDescription": message("\(finding.flaw.name) (\(finding.flaw.rawValue), \(finding.flaw.advisory))"),
        "helpUri": .text("https://www.cve.org/CVERecord?id=\(finding.flaw.rawValue)"),
      ])
    }
    let driver: ReportValue = .object([
      "name": .text("martlet host"), "version": .text(toolVersion), "rules": .list(rules),
      "properties": .object(["dataVersion": .text(HostVerdict.dataVersion)]),
    ])
    return .object([
      "version": .text("2.1.0"), "$schema": .text("https://json.schemastore.org/sarif-2.1.0.json"),
      "runs": .list([
        .object([
          "tool": .object(["driver": driver]),
          "invocations": .list([.object(["executionSuccessful": .flag(true), "endTimeUtc": .text(timestamp)])]),
          "results": .list(verdict.findings.enumerated().map(result)),
        ])
      ]),
    ])
  }

  private func result(_ index: Int, _ finding: Finding) -> ReportValue {
    let kinds: [Status: String] = [.vulnerable: "fail", .unknown: "open", .mitigated: "pass", .notAffected: "pass"]
    let kind = finding.reason == "not_x86" ? "notApplicable" : kinds[finding.status] ?? "open"
    return .object([
      "ruleId": .text(finding.flaw.rawValue), "ruleIndex": .number(index), "kind": .text(kind),
      "level": .text(kind != "fail" ? "none" : finding.isOnlyWarning ? "warning" : "error"),
      "message": message(
        "\(finding.flaw.name): \(finding.status.words) (confidence \(finding.confidence.rawValue)). \(finding.explanation)."
      ),
      "locations": .list([
        .object(["physicalLocation": .object(["artifactLocation": .object(["uri": .text("proc/cpuinfo")])])])
      ]),
      "partialFingerprints": .object(["hostFlaw/v1": .text("\(finding.flaw.rawValue):\(finding.reason)")]),
      "properties": .object([
        "status": .text(finding.status.rawValue), "confidence": .text(finding.confidence.rawValue),
        "exposure": .text(finding.exposure?.rawValue ?? "n/a"), "reason": .text(finding.reason),
        "action": .text(finding.action), "evidence": .texts(verdict.facts.processorLines + finding.evidence),
        "sources": .texts(finding.citations.flatMap(\.sources)),
      ]),
    ])
  }

  private func message(_ text: String) -> ReportValue { .object(["text": .text(text)]) }
}
