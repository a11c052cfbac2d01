/// The vulnerabilities that are checked.
public enum Flaw: String, Sendable, CaseIterable {
  /// An error in how Intel processors decode redundant prefixes of a repeated move.
  case reptar = "CVE-2023-23583"
  /// An error in AMD's SEV, by which a host can roll back memory writes of a guest.
  case cacheWarp = "CVE-2023-20592"

  /// The common name.
  public var name: String { self == .reptar ? "Reptar" : "CacheWarp" }
  /// The vendor's advisory.
  public var advisory: String { self == .reptar ? "INTEL-SA-00950" : "AMD-SB-3005" }
}

/// The status of a vulnerability on a machine, which is that of its worst processor.
public enum Status: String, Sendable, Comparable, CaseIterable {
  /// The processor is not affected.
  case notAffected = "not_affected"
  /// The processor is affected, and the fix is active.
  case mitigated
  /// The status could not be determined, because a fact could not be read or is in no table.
  case unknown
  /// The processor is vulnerable.
  case vulnerable

  /// A better status is smaller.
  public static func < (a: Status, b: Status) -> Bool { a.rank < b.rank }
  private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
  /// The status in words.
  public var words: String { self == .notAffected ? "not affected" : rawValue }
}

/// The confidence of a finding.
public enum Confidence: String, Sendable, Comparable, CaseIterable {
  /// From little more than a guess to agreement of the tables and the machine.
  case low, medium, high

  /// A lower confidence is smaller.
  public static func < (a: Confidence, b: Confidence) -> Bool { a.rank < b.rank }
  private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// The role of a machine for SEV (AMD's encrypted virtual machines), to which CacheWarp is limited.
public enum Exposure: String, Sendable {
  /// The machine is not exposed.
  case none
  /// The processor's flags name SEV; whether it is in use cannot be seen.
  case hostSEVCapable = "host_sev_capable"
  /// The flags do not name SEV. Old kernels omit the flag, so this proves nothing.
  case hostSEVNotSeen = "host_sev_not_seen"
  /// A host that offers no encrypted guests.
  case hostSEVOff = "host_sev_off"
  /// A host that offers encrypted guests.
  case hostSEVOn = "host_sev_on"
  /// A host that offers guests with encrypted registers.
  case hostSEVESOn = "host_sev_es_on"
  /// A host that offers SNP guests.
  case hostSNPOn = "host_snp_on"
  /// A guest with encrypted registers.
  case guestSEVES = "guest_sev_es"
  /// An SNP guest.
  case guestSNP = "guest_snp"
  /// The role of the machine is unknown.
  case unknown
}

/// A recommended action. A finding may have several.
public enum Action: String, Sendable {
  /// No action is needed.
  case none
  /// Install newer microcode from the distribution.
  case updateMicrocode = "update_microcode_package"
  /// The microcode is installed; regenerate the initramfs and reboot to load it.
  case regenerateInitramfs = "regenerate_initramfs_and_reboot"
  /// Install a newer BIOS.
  case updateBIOS = "update_bios"
  /// Install newer firmware of the secure processor.
  case updateSEVFirmware = "update_sev_firmware"
  /// Install newer SEV firmware in addition to the microcode.
  case sevFirmware = "sev_firmware"
  /// Offer no encrypted guests on this processor.
  case doNotOfferSEV = "do_not_offer_sev"
  /// Use a processor of a newer generation.
  case moveToNewerGeneration = "move_to_newer_generation"
  /// Enable SNP, which the fix requires.
  case enableSNP = "enable_snp"
  /// Ask the provider, who can see the host.
  case askProvider = "ask_provider"
  /// Ask the provider for an SNP guest.
  case askProviderForSNP = "ask_provider_for_snp"
  /// Ask the operator of the host.
  case askHostOperator = "ask_host_operator"
  /// Ask the vendor of the processor.
  case askVendor = "ask_vendor"
  /// Restart the guest, so that the report is made by the current firmware.
  case restartGuest = "restart_guest"
  /// Launch the guest with a policy that does not allow debugging.
  case relaunchWithoutDebug = "relaunch_without_debug"
  /// Check the report's signature.
  case verifyReport = "verify_report"
  /// Run the check inside the guest as well.
  case lookInsideGuest = "look_inside_the_guest"
  /// Read the revision on the host.
  case readRevision = "read_revision_on_the_host"
  /// Update the tables.
  case updateData = "update_the_data"
}

/// A row of a table on which a verdict is based.
public struct Citation: Sendable, Equatable {
  /// The name of the table.
  public var table: String
  /// The version and the date of the table.
  public var version: String
  /// The date of the table.
  public var tableDate: String
  /// The row in words.
  public var row: String
  /// When the facts were last checked at their source (year-month-day).
  public var date: String
  /// The sources of the row.
  public var sources: [String]
}

/// The result for one vulnerability on one machine.
public struct Finding: Sendable, Equatable {
  /// The vulnerability.
  public var flaw: Flaw
  /// The status.
  public var status: Status
  /// The confidence.
  public var confidence: Confidence
  /// The role of the machine for SEV; nil for vulnerabilities that do not depend on it.
  public var exposure: Exposure?
  /// The reason as an identifier for programs, such as `below_floor`.
  public var reason: String
  /// The reason as a sentence.
  public var explanation: String
  /// The recommended actions, most urgent first.
  public var actions: [Action]
  /// The evidence for the finding, one sentence each.
  public var evidence: [String] = []
  /// Warnings, one sentence each.
  public var warnings: [String] = []
  /// The number of the decisive row of the decision table in the README of this module.
  public var decisionRow: Int
  /// The decisive rows of the tables.
  public var citations: [Citation] = []
  /// The first microcode release (yyyymmdd) with the fix for this processor.
  public var release: String?
  /// Whether the finding is reported as a warning (exit code 1) regardless of its status.
  public var isOnlyWarning = false

  /// All actions joined by `+`, as in reports.
  public var action: String { actions.map(\.rawValue).joined(separator: "+") }

  /// The exit code: 0 fine, 1 warning, 2 vulnerable, 3 unknown (the codes of Nagios).
  public var exitCode: Int {
    if isOnlyWarning { return 1 }
    switch status {
    case .notAffected, .mitigated: return 0
    case .vulnerable: return 2
    case .unknown: return 3
    }
  }

  /// The finding under `--strict`, where low confidence counts as unknown.
  public var strict: Finding {
    guard confidence == .low, status != .unknown else { return self }
    var copy = self
    copy.explanation = "\(status.words) with low confidence, which --strict takes for unknown: \(explanation)"
    copy.status = .unknown
    copy.isOnlyWarning = false
    return copy
  }
}
