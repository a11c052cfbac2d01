/// Checks whether a processor is vulnerable to Reptar (CVE-2023-23583). No CPUID bit tells this, so the signature and
/// the microcode revision are compared with a dated table. The rows of the decision table are numbered as in the
/// module's README.
public enum Reptar {
  /// Model names that emulators make up; their signature says nothing about the processor below.
  static let syntheticNames = [
    "Common KVM processor", "Common 32-bit KVM processor", "QEMU Virtual CPU", "QEMU TCG CPU",
  ]

  /// Vendors other than Intel. A name outside this list may be a damaged one, and proves nothing.
  static let otherVendors: Set<String> = [
    "AuthenticAMD", "HygonGenuine", "CentaurHauls", "Shanghai", "GenuineTMx86", "TransmetaCPU", "CyrixInstead",
    "Geode by NSC", "VIA VIA VIA", "Vortex86 SoC", "Genuine  RDC", "SiS SiS SiS", "UMC UMC UMC", "NexGenDriven",
    "RiseRiseRise", "AMDisbetter!", "VirtualApple", "MicrosoftXTA", "GenuineIotel", "E2K MACHINE", "MiSTer AO486",
  ]

  /// Revisions that a hypervisor shows in place of the real one.
  static let hiddenRevisions: Set<UInt32> = [0, 1, 0x0100_0065, 0xffff_ffff]

  /// Whether the machine is vulnerable to Reptar through one of its processors.
  public static func judge(
    _ processor: Processor, in facts: HostFacts, table: @autoclosure () -> ReptarTable = .shipped,
    revisions: @autoclosure () -> KnownRevisions = .shipped
  ) -> Finding {
    if case .other(let name) = facts.architecture { return .notX86(.reptar, name) }
    let isGuest = facts.isGuest
    func finding(
      _ row: Int, _ status: Status, _ confidence: Confidence, _ reason: String, _ explanation: String,
      _ actions: Action..., citing citations: [Citation?] = []
    ) -> Finding {
      Finding(
        flaw: .reptar, status: status, confidence: confidence, reason: reason, explanation: explanation,
        actions: actions, decisionRow: row, citations: citations.compactMap { $0 })
    }
    guard let vendor = processor.vendor else {
      return finding(
        6, .unknown, .low, "identity_missing", "the processor's vendor cannot be read", .readRevision)
    }
    guard processor.isIntel else {
      guard otherVendors.contains(vendor) else {
        return finding(
          6, .unknown, .low, "vendor_not_known", "the vendor \(quoted(vendor)) is in no list", .readRevision)
      }
      return finding(
        1, .notAffected, isGuest ? .medium : .high, "not_intel", "the flaw is in Intel's processors only", .none)
    }
    if let name = processor.modelName, syntheticNames.contains(where: name.hasPrefix) {
      return finding(
        2, .unknown, .low, "synthetic_cpu_model",
        "\(quoted(name)) is a processor made up by the hypervisor; the real one is hidden", .askProvider)
    }
    guard let signature = processor.signature else {
      return finding(
        6, .unknown, .low, "identity_missing", "family, model or stepping is missing or out of range", .readRevision)
    }

    let revision = processor.revision
    if isGuest, let revision, !hiddenRevisions.contains(revision) {
      let owners = revisions().signatures(of: revision, vendor: "Intel")
      if owners[signature] == nil, let other = owners.min(by: { $0.key < $1.key }) {
        return finding(
          3, .unknown, .low, "revision_belongs_to_other_cpu",
          "the hypervisor shows revision \(revision.hexadecimal8), which exists for "
            + "\(owners.keys.sorted().map(\.hexadecimal8).joined(separator: ", ")) and not for \(signature.hexadecimal8)",
          .askProvider, citing: [other.value.citation])
      }
    }
    let table = table()
    guard let match = table.match(processor, signature: signature) else {
      if let citation = table.listedAffected(signature) {
        return finding(
          9, .unknown, .low, "floor_not_known",
          "Intel lists \(signature.hexadecimal8) as affected, and no list names the first fixed revision",
          .updateMicrocode,
          citing: [citation])
      }
      if let citation = table.listedNotAffected(signature) {
        return finding(
          4, .notAffected, isGuest ? .low : .high, "intel_list_not_affected",
          "Intel lists \(signature.hexadecimal8) as not affected", .none, citing: [citation])
      }
      let isOlder = isOlderThanIceLake(processor)
      if let flags = processor.flags, flags.fastShortRepeatMove {
        return finding(
          6, .unknown, .low, "not_listed",
          "no list names \(signature.hexadecimal8), and it has fast short repeat move, where the flaw lies", .updateData
        )
      }
      guard isOlder || processor.flags != nil else {
        return finding(
          6, .unknown, .low, "not_listed", "no list names \(signature.hexadecimal8), and its flags are not shown",
          .updateData)
      }
      return finding(
        5, .notAffected, .medium, isOlder ? "older_than_ice_lake" : "not_listed_without_fsrm",
        "no list names \(signature.hexadecimal8), and it "
          + (isOlder ? "is older than" : "shows no") + " fast short repeat move, where the flaw lies",
        .none)
    }

    let row: ReptarTable.Row
    switch match {
    case .row(let found): row = found
    case .contradiction(let rows, let why):
      return finding(
        14, .unknown, .low, "witnesses_contradict", why + ", and only one of the two is affected",
        isGuest ? .askProvider : .readRevision, citing: rows.map(\.citation))
    }
    if isGuest, processor.flags?.tdxGuest == true, row.kind == .affected {
      return finding(
        15, .unknown, .low, "confidential_guest",
        "a TDX guest of \(row.codename), which is affected: the hypervisor that shows the revision is not to be trusted, and only a quote proves it",
        .askProvider, citing: [row.citation])
    }

    let isHidden =
      revision.map { $0 == 0 || $0 == 0xffff_ffff || isGuest && hiddenRevisions.contains($0) } ?? true
    let listed = table.listedNotAffected(signature)
    let newest = isGuest ? nil : row.floor.flatMap { revisions().newest(for: signature, like: $0) }
    let behind = newest.flatMap { newest -> String? in
      guard let revision, revision < newest.revision, revision < 0x8000_0000 else { return nil }
      return "newest known microcode: \(newest.revision.hexadecimal8) of \(newest.date)"
    }
    func judged(_ finding: Finding) -> Finding {
      var finding = finding
      finding.release = row.release
      if let behind { finding.evidence.append(behind) }
      return finding
    }
    switch row.kind {
    case .notAffected:
      return finding(
        7, .notAffected, isGuest ? .low : .high, "intel_list_not_affected", "\(row.codename) is not affected", .none,
        citing: [row.citation, listed])
    case .conflict:
      if let revision, !isHidden, let floor = row.floor, revision >= floor, revision < 0x8000_0000 {
        return judged(
          finding(
            8, .mitigated, isGuest ? .low : .high, "at_or_above_floor",
            "revision \(revision.hexadecimal8) is at or above \(floor.hexadecimal8)", .none,
            citing: [row.citation, listed]))
      }
      return judged(
        finding(
          8, .notAffected, isGuest || isHidden ? .low : .medium, "sources_conflict_intel_list_wins",
          "Intel's list calls \(row.codename) not affected, another checker asks for \(row.floor?.hexadecimal8 ?? "an update"); "
            + "the update is advised",
          .updateMicrocode, citing: [row.citation, listed]))
    case .affected, .unlistedStepping:
      break
    }
    guard let revision, !isHidden else {
      let isAbsent = revision == nil || revision == 0 && !isGuest
      return finding(
        9, .unknown, .low, isAbsent ? "no_revision" : "revision_hidden_by_hypervisor",
        isAbsent
          ? "\(row.codename) is affected and its microcode revision is not shown"
          : "\(row.codename) is affected and its revision is hidden (\(revision?.hexadecimal ?? "none") is shown, which is not a revision)",
        isGuest ? .askProvider : .readRevision, citing: [row.citation])
    }
    if revision >= 0x8000_0000 {
      return finding(
        10, .unknown, .low, "preproduction_microcode",
        "revision \(revision.hexadecimal8) is pre-production microcode, which no table covers", .updateMicrocode,
        citing: [row.citation])
    }
    if row.kind == .unlistedStepping {
      if let floor = row.floor, revision >= floor {
        return finding(
          11, .mitigated, .low, "at_or_above_floor",
          "no list names this stepping, but revision \(revision.hexadecimal8) is at or above \(floor.hexadecimal8)",
          .none, citing: [row.citation])
      }
      return finding(
        11, .unknown, .low, "stepping_not_listed",
        "no list names this stepping (\(row.codename)), and no fix for it is published",
        .updateBIOS, citing: [row.citation])
    }
    guard let floor = row.floor else {
      return finding(
        9, .unknown, .low, "floor_not_known", "no fixed revision is known for \(row.codename)", .updateData,
        citing: [row.citation])
    }
    if revision >= floor {
      return judged(
        finding(
          12, .mitigated, isGuest ? .low : .high, "at_or_above_floor",
          "revision \(revision.hexadecimal8)\(isGuest ? ", as the hypervisor shows it," : "") is at or above the fixed one, \(floor.hexadecimal8)",
          .none, citing: [row.citation]))
    }
    var result = judged(
      finding(
        13, .vulnerable, isGuest ? .low : row.isConservative ? .medium : .high, "below_floor",
        "revision \(revision.hexadecimal8)\(isGuest ? ", as the hypervisor shows it," : "") is below the fixed one, \(floor.hexadecimal8)"
          + (row.isConservative ? " (the first fix may be earlier than that)" : ""),
        isGuest ? .askProvider : .updateMicrocode, citing: [row.citation]))
    result.isOnlyWarning = isGuest
    if !isGuest {
      result.tellInstalled(
        facts.installedMicrocode, signature: signature, mask: row.platformMask, running: revision, floor: floor)
    }
    return result
  }

  /// Fast short repeat move came with Ice Lake; every model of family 6 up to Cannon Lake (0x66) is older.
  private static func isOlderThanIceLake(_ processor: Processor) -> Bool {
    guard let family = processor.family, let model = processor.model else { return false }
    return family < 6 || family == 0xf || family == 6 && model <= 0x66
  }
}

/// Text of strangers as a terminal may show it: no control characters, at most 64 characters.
func quoted(_ text: String) -> String {
  let safe = text.unicodeScalars.prefix(64).map { $0.value < 32 || (127..<160).contains($0.value) ? "?" : String($0) }
  return "“\(safe.joined())”"
}

extension Finding {
  static func notX86(_ flaw: Flaw, _ architecture: String) -> Finding {
    Finding(
      flaw: flaw, status: .notAffected, confidence: .high, exposure: flaw == .cacheWarp ? Exposure.none : nil,
      reason: "not_x86", explanation: "not applicable: this is \(architecture), and the flaw is in x86 processors",
      actions: [.none], decisionRow: 1)
  }

  /// "The fixed revision is installed, the old one runs."
  mutating func tellInstalled(
    _ installed: [InstalledMicrocode], signature: UInt32, mask: UInt32, running: UInt32, floor: UInt32
  ) {
    let fitting = installed.filter {
      $0.signature == signature && $0.revision < 0x8000_0000 && ($0.platformMask == 0 || $0.platformMask & mask != 0)
    }
    guard let best = fitting.max(by: { $0.revision < $1.revision }) else { return }
    if best.revision >= floor {
      evidence.append("\(best.revision.hexadecimal8) is installed (\(best.path)), but \(running.hexadecimal8) runs")
      actions = [.regenerateInitramfs] + actions.filter { $0 == .sevFirmware }
    } else {
      evidence.append("the newest installed microcode is \(best.revision.hexadecimal8) (\(best.path)), too old as well")
    }
  }
}
