/// A verdict as SARIF 2.1.0 (OASIS), for code scanners' lists.
extension HostReport {
  public var sarif: [String: Any] {
    let rules = verdict.findings.map { finding -> [String: Any] in
      [
        "id": finding.flaw.rawValue, "name": finding.flaw.name,
        "shortDescription": ["text": "\(finding.flaw.name) (\(finding.flaw.rawValue), \(finding.flaw.advisory))"],
        "helpUri": "https://www.cve.org/CVERecord?id=\(finding.flaw.rawValue)",
      ]
    }
    let results = verdict.findings.enumerated().map { index, finding -> [String: Any] in
      let kind = finding.reason == "not_x86" ? "notApplicable" : kinds[finding.status] ?? "open"
      var object: [String: Any] = [
        "ruleId": finding.flaw.rawValue, "ruleIndex": index, "kind": kind,
        "level": kind != "fail" ? "none" : finding.isOnlyWarning ? "warning" : "error",
        "message": [
          "text": "\(finding.flaw.name): \(finding.status.words) (confidence \(finding.confidence.rawValue)). "
            + "\(finding.explanation)."
        ],
        "locations": [["physicalLocation": ["artifactLocation": ["uri": "proc/cpuinfo"]]]],
        "partialFingerprints": ["hostFlaw/v1": "\(finding.flaw.rawValue):\(finding.reason)"],
      ]
      object["properties"] = [
        "status": finding.status.rawValue, "confidence": finding.confidence.rawValue,
        "exposure": finding.exposure?.rawValue ?? "n/a", "reason": finding.reason, "action": finding.action,
        "evidence": verdict.facts.processorLines + finding.evidence,
        "sources": finding.citations.flatMap(\.sources),
      ]
      return object
    }
    return [
      "version": "2.1.0", "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
      "runs": [
        [
          "tool": [
            "driver": [
              "name": "martlet host", "version": toolVersion, "rules": rules,
              "properties": ["dataVersion": HostVerdict.dataVersion],
            ] as [String: Any]
          ],
          "invocations": [["executionSuccessful": true, "endTimeUtc": time.formatted(.iso8601)] as [String: Any]],
          "results": results,
        ] as [String: Any]
      ],
    ]
  }

  private var kinds: [Status: String] {
    [.vulnerable: "fail", .unknown: "open", .mitigated: "pass", .notAffected: "pass"]
  }
}
