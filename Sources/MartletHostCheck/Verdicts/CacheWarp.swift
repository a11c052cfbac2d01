/// Checks whether a machine is vulnerable to CacheWarp (CVE-2023-20592). A hypervisor that drops modified cache lines
/// (INVD) rolls back writes of an encrypted guest. Only SEV hosts and guests are exposed. On Milan, microcode together
/// with SEV firmware fixes it for SEV-SNP. The rows of the decision table are numbered as in the module's README.
public struct CacheWarp: Sendable {
  let processor: Processor
  let facts: HostFacts
  let table: CacheWarpTable

  /// Whether the machine is vulnerable to CacheWarp through one of its processors.
  public static func judge(_ processor: Processor, in facts: HostFacts, table: CacheWarpTable = .shipped) -> Finding {
    CacheWarp(processor: processor, facts: facts, table: table).finding
  }

  private var finding: Finding {
    if case .other(let name) = facts.architecture { return .notX86(.cacheWarp, name) }
    // A signed report says more than an identity that the hypervisor shows.
    if facts.guestEncryption == .snp, let report = facts.report { return judge(report) }
    guard let vendor = processor.vendor else {
      return finding(
        2, .unknown, .low, "identity_missing", "the processor's vendor cannot be read", .readRevision, at: .unknown)
    }
    if vendor == "HygonGenuine" {
      return finding(
        2, .unknown, .low, "vendor_not_covered",
        "Hygon's processors descend from AMD's first affected generation, and no bulletin covers them", .askVendor,
        at: .unknown, citing: table.row(family: 0x18, model: 0, stepping: nil))
    }
    guard processor.isAMD else {
      guard processor.isIntel || Reptar.otherVendors.contains(vendor) else {
        return finding(
          2, .unknown, .low, "vendor_not_known", "the vendor \(quoted(vendor)) is in no list", .readRevision,
          at: .unknown)
      }
      return finding(
        1, .notAffected, .high, "not_amd", "the flaw is in AMD's SEV, which this processor does not have", .none,
        at: Exposure.none)
    }
    guard let family = processor.family, let model = processor.model, processor.signature != nil else {
      return finding(
        2, .unknown, .low, "identity_missing", "family, model or stepping is missing or out of range", .readRevision,
        at: .unknown)
    }
    let row = table.row(family: family, model: model, stepping: processor.stepping)
    if let row, row.kind == .notAffected {
      return finding(
        1, .notAffected, facts.isGuest ? .medium : .high, "generation_not_affected", "\(row.codename) is not affected",
        .none, at: facts.sevParameters == nil && facts.guestEncryption == nil ? Exposure.none : exposure, citing: row)
    }
    if facts.isGuest { return judgeGuest(row) }
    if family < 0x17 {
      return finding(
        1, .notAffected, .high, "generation_not_affected", "family \(family.hexadecimal) has no SEV", .none,
        at: Exposure.none)
    }
    return judgeHost(row, family: family, model: model)
  }

  // MARK: Guests

  private func judgeGuest(_ row: CacheWarpTable.Row?) -> Finding {
    switch facts.guestEncryption {
    case nil:
      if let sign = facts.signOfEncryption(processor) {
        return finding(
          12, .unknown, .low, "guest_may_be_encrypted",
          "whether this guest is encrypted was not seen: \(sign)", .lookInsideGuest, at: .unknown, citing: row)
      }
      return finding(
        3, .notAffected, .medium, "guest_without_sev_evidence",
        "a guest without a sign of SEV: its hypervisor may read and write its memory anyway, so there is nothing to lose",
        .none, at: Exposure.none, citing: row)
    case .sev, .sevES:
      if row?.kind == .affectedNoFix {
        return finding(
          4, .vulnerable, .medium, "no_fix_for_generation",
          "SEV and SEV-ES of \(row?.codename ?? "this generation") have no fix", .moveToNewerGeneration, citing: row)
      }
      return finding(
        4, .unknown, .medium, "fix_documented_for_snp_only",
        "the fix is documented for SEV-SNP only, and this guest runs under \(facts.guestEncryption?.rawValue ?? "SEV")",
        .askProviderForSNP, citing: row)
    case .snp:
      return finding(
        5, .unknown, .low, "no_verified_report",
        "an SEV-SNP guest can prove its host's state with a signed report, and none was given", .verifyReport,
        citing: row)
    }
  }

  // MARK: Hosts

  private func judgeHost(_ row: CacheWarpTable.Row?, family: UInt32, model: UInt32) -> Finding {
    // Zen 4 desktop and embedded parts (19h/60h-7Fh) carry EPYC names too.
    let isLaterClient = family == 0x19 && (0x60...0x7f).contains(model)
    guard let row, row.kind != .notListed, row.brand == nil || processor.modelName?.contains("EPYC") != false else {
      if row == nil, !isLaterClient, processor.modelName?.contains("EPYC") != false {
        return finding(
          8, .unknown, .low, processor.modelName == nil ? "brand_missing" : "epyc_not_listed",
          processor.modelName == nil
            ? "the model name is missing, and this family holds affected and unaffected parts"
            : "an EPYC that no list names (family \(family.hexadecimal), model \(model.hexadecimal))",
          .updateData)
      }
      return finding(
        8, .notAffected, .medium, "client_part_not_listed",
        "the bulletin names the first three generations of EPYC only (7001 to 7003), and this is \(processor.modelName.map(quoted) ?? "another part")",
        .none,
        at: processor.flags == nil ? Exposure.none : exposure, citing: row)
    }
    if row.brand != nil, processor.modelName == nil {
      return finding(
        8, .unknown, .low, "brand_missing",
        "the model name is missing: EPYC parts of this signature are affected, others are not listed", .readRevision,
        citing: row)
    }
    switch row.kind {
    case .affectedNoFix:
      let isInUse = [.hostSEVOn, .hostSEVESOn, .hostSNPOn].contains(exposure)
      var result = finding(
        7, .vulnerable, .high, "no_fix_for_generation", "\(row.codename) has no fix: its SEV does not claim integrity",
        isInUse ? .moveToNewerGeneration : .doNotOfferSEV, citing: row)
      result.isOnlyWarning = exposure == .hostSEVOff
      return result
    case .affected:
      return judgeMilan(row)
    case .affectedUnknownFix:
      return finding(
        11, .unknown, .low, "stepping_not_listed", "\(row.codename): the bulletin names no fixed revision for it",
        .askVendor, citing: row)
    case .notAffected, .notListed, .unknown:
      return finding(
        2, .unknown, .low, "vendor_not_covered", "\(row.codename): no bulletin covers it", .askVendor, citing: row)
    }
  }

  private func judgeMilan(_ row: CacheWarpTable.Row) -> Finding {
    guard let floor = row.floor, let revision = processor.revision, ![0, 0xffff_ffff].contains(revision) else {
      return finding(
        10, .unknown, .low, "no_revision", "\(row.codename) is affected and its microcode revision is not shown",
        .readRevision, citing: row)
    }
    if revision < floor {
      var result = finding(
        10, .vulnerable, .high, "below_floor",
        "revision \(revision.hexadecimal8) is below the fixed one of \(row.codename), \(floor.hexadecimal8)",
        citing: row)
      switch exposure {
      case .hostSEVOff: result.actions = [.updateMicrocode]
      case .unknown: result.actions = [.askHostOperator]
      default: result.actions = [.updateMicrocode, .sevFirmware]
      }
      result.isOnlyWarning = exposure == .hostSEVOff
      if let signature = processor.signature, exposure != .unknown {
        result.tellInstalled(
          facts.installedMicrocode, signature: signature, mask: 0, running: revision, floor: floor)
      }
      return result
    }
    switch exposure {
    case .hostSNPOn:
      if let firmware = facts.sevFirmware, firmware < .cacheWarpFloor {
        return finding(
          9, .vulnerable, .medium, "sev_firmware_below_floor",
          "the microcode is fixed, the SEV firmware is not: \(firmware) is below \(FirmwareVersion.cacheWarpFloor)",
          .updateSEVFirmware, citing: row)
      }
    case .hostSEVESOn, .hostSEVOn:
      return finding(
        9, .unknown, .medium, "fix_documented_for_snp_only",
        "the microcode is fixed, but the fix is documented for SEV-SNP only, which is off here", .enableSNP,
        citing: row)
    default: break
    }
    var result = finding(
      9, .mitigated, .high, "at_or_above_floor",
      "revision \(revision.hexadecimal8) is at or above the fixed one of \(row.codename), \(floor.hexadecimal8)", .none,
      citing: row)
    if exposure == .hostSNPOn, facts.sevFirmware == nil {
      result.warnings.append(
        "the SEV firmware's version could not be read; the fix needs \(FirmwareVersion.cacheWarpFloor) or later too")
    }
    return result
  }

  // MARK: Exposure

  private var exposure: Exposure {
    switch facts.guestEncryption {
    case .snp: return .guestSNP
    case .sev, .sevES: return .guestSEVES
    case nil: break
    }
    if facts.isGuest { return .none }
    if let parameters = facts.sevParameters {
      if parameters.snp == true { return .hostSNPOn }
      if parameters.sevES == true { return .hostSEVESOn }
      if parameters.sev == true { return .hostSEVOn }
      if parameters.sev == false { return .hostSEVOff }
    }
    if facts.isContainer || facts.areModulesHidden { return .unknown }
    guard let flags = processor.flags else { return .unknown }
    return flags.sev ? .hostSEVCapable : .hostSEVNotSeen
  }

  func finding(
    _ row: Int, _ status: Status, _ confidence: Confidence, _ reason: String, _ explanation: String,
    _ actions: Action..., at shown: Exposure? = nil, citing table: CacheWarpTable.Row? = nil
  ) -> Finding {
    Finding(
      flaw: .cacheWarp, status: status, confidence: confidence, exposure: shown ?? exposure, reason: reason,
      explanation: explanation, actions: actions, decisionRow: row, citations: table.map { [$0.citation] } ?? [])
  }
}
