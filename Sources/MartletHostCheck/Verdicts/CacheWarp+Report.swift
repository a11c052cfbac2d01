/// What an attestation report proves about CacheWarp.
extension CacheWarp {
  func judge(_ facts: ReportFacts) -> Finding {
    var result = judgeReport(facts)
    result.exposure = .guestSNP
    // Without a nonce it may be an old report, or another machine's.
    if facts.isFresh != true { result.confidence = min(result.confidence, .medium) }
    result.evidence = facts.evidence + result.evidence
    result.warnings = facts.warnings + result.warnings
    return result
  }

  private func judgeReport(_ facts: ReportFacts) -> Finding {
    let report = facts.report
    switch facts.signature {
    case .invalid(let reason, let why):
      return finding(6, .unknown, .low, reason, why, .verifyReport)
    case .notVerified(let why):
      return finding(5, .unknown, .low, "report_not_verified", why, .verifyReport)
    case .verified: break
    }
    if facts.isFresh == false {
      return finding(
        6, .unknown, .low, "report_not_fresh",
        "the report's data is not the given nonce: it may be an old report that was replayed", .verifyReport)
    }
    // Version 2 leaves the signer's identity out. Then the signed certificate names the generation, and what the
    // hypervisor shows may only tell the stepping within it.
    let product = facts.product.flatMap { table.row(codename: $0.codename) }
    var identity = report.processor
    if identity == nil, processor.isAMD, let shown = row(of: processor), shown.family == product?.family,
      shown.models == product?.models
    {
      identity = processor
    }
    guard let generation = row(of: identity) ?? product else {
      return finding(
        6, .unknown, .low, "stepping_needed",
        "the report does not state which processor signed it; add its /proc/cpuinfo with --input", .verifyReport)
    }
    if generation.kind == .notAffected {
      return finding(
        1, .notAffected, facts.isAnchored ? .high : .medium, "generation_not_affected",
        "a signed report of \(generation.codename), which is not affected", .none, citing: generation)
    }
    // Version 2 names no stepping, and each stepping has its own floor.
    if identity?.stepping != nil, let row = row(of: identity), let floor = row.reportedFloor {
      var result = judge(facts, floors: floor...floor, row: row)
      if report.processor == nil {
        result.confidence = min(result.confidence, .medium)
        result.warnings.append("the report names no stepping; the one judged is what the hypervisor shows")
      }
      return result
    }
    let possible = table.rows.compactMap(\.reportedFloor)
    guard generation.kind == .affected, let least = possible.min(), let most = possible.max() else {
      return finding(
        6, .unknown, .low, "stepping_not_listed", "no fixed version is known for \(generation.codename)", .askProvider,
        citing: generation)
    }
    return judge(facts, floors: least...most, row: generation)
  }

  /// - Parameter floors: of the stepping, or of all that it may be.
  private func judge(_ facts: ReportFacts, floors: ClosedRange<UInt8>, row: CacheWarpTable.Row) -> Finding {
    let report = facts.report
    let (current, reported) = (report.current.microcode, report.reported.microcode)
    let least = min(current, reported)
    let firmwareIsOld = report.firmware.map { $0 < .cacheWarpFloor } ?? false
    func number(_ value: UInt8) -> String { "\(value) (0x\(String(value, radix: 16)))" }
    if least < floors.lowerBound || least < floors.upperBound && firmwareIsOld {
      return finding(
        6, .vulnerable, .high, "tcb_below_floor",
        "the host's microcode has security version \(number(least)), the fixed one is \(number(floors.upperBound))"
          + (firmwareIsOld ? ", and its SEV firmware is older than \(FirmwareVersion.cacheWarpFloor)" : ""),
        .askProvider, citing: row)
    }
    if least < floors.upperBound {
      return finding(
        6, .unknown, .low, "stepping_needed",
        "security version \(number(least)) is fixed on Milan-X but not on Milan, and the report does not state which of them it is; "
          + "add /proc/cpuinfo with --input",
        .verifyReport, citing: row)
    }
    if let firmware = report.firmware, firmwareIsOld {
      return finding(
        6, .vulnerable, .medium, "sev_firmware_below_floor",
        "the microcode is fixed, the SEV firmware is not: \(firmware) is below \(FirmwareVersion.cacheWarpFloor)",
        .askProvider, citing: row)
    }
    func warning(_ confidence: Confidence, _ reason: String, _ explanation: String, _ action: Action) -> Finding {
      var result = finding(6, .mitigated, confidence, reason, explanation, action, citing: row)
      result.isOnlyWarning = true
      return result
    }
    if report.allowsDebug {
      return warning(
        .low, "debug_policy_allows_host_access",
        "the host is fixed, but this guest's policy lets the host read and write its memory (debug)",
        .relaunchWithoutDebug)
    }
    if report.committed.microcode < floors.upperBound {
      return warning(
        .medium, "tcb_not_committed_rollback_possible",
        "the host runs fixed microcode but has not committed it, and can go back to \(number(report.committed.microcode))",
        .askProvider)
    }
    if report.launch.microcode < floors.upperBound {
      return warning(
        .medium, "launched_before_fix",
        "the host is fixed now, but this guest was launched before (\(number(report.launch.microcode)))",
        .restartGuest)
    }
    var result = finding(
      6, .mitigated, .high, "tcb_at_or_above_floor",
      "a signed report: microcode security version \(number(least)) is at or above \(number(floors.upperBound))",
      .none, citing: row)
    let today: UInt8 = row.floor.map { $0 & 0xff == 0x34 ? 0x44 : 0xdb } ?? 0xdb
    if least < today || report.current.snp < 0x18 {
      result.warnings.append(
        "the version is below \(number(today)) with SNP firmware 24, so forged microcode (EntrySign, CVE-2024-56161) "
          + "cannot be ruled out")
    }
    return result
  }

  private func row(of processor: Processor?) -> CacheWarpTable.Row? {
    guard let family = processor?.family, let model = processor?.model else { return nil }
    return table.row(family: family, model: model, stepping: processor?.stepping)
  }
}
