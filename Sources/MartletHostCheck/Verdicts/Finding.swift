/// The flaws this check knows.
public enum Flaw: String, Sendable, CaseIterable {
  case reptar = "CVE-2023-23583"
  case cacheWarp = "CVE-2023-20592"

  public var name: String { self == .reptar ? "Reptar" : "CacheWarp" }
  public var advisory: String { self == .reptar ? "INTEL-SA-00950" : "AMD-SB-3005" }
}

/// What a flaw means for a machine; a machine is as bad as its worst processor.
public enum Status: String, Sendable, Comparable, CaseIterable {
  case notAffected = "not_affected"
  case mitigated
  case unknown
  case vulnerable

  public static func < (a: Status, b: Status) -> Bool { a.rank < b.rank }
  private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
  public var words: String { self == .notAffected ? "not affected" : rawValue }
}

public enum Confidence: String, Sendable, Comparable, CaseIterable {
  case low, medium, high

  public static func < (a: Confidence, b: Confidence) -> Bool { a.rank < b.rank }
  private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// On which side of SEV (AMD's encrypted virtual machines) a machine stands; CacheWarp matters nowhere else.
public enum Exposure: String, Sendable {
  case none
  /// The processor's flags name SEV; whether it is in use cannot be seen.
  case hostSEVCapable = "host_sev_capable"
  /// The flags do not name it. Old kernels leave it out, so this proves nothing.
  case hostSEVNotSeen = "host_sev_not_seen"
  case hostSEVOff = "host_sev_off"
  case hostSEVOn = "host_sev_on"
  case hostSEVESOn = "host_sev_es_on"
  case hostSNPOn = "host_snp_on"
  case guestSEVES = "guest_sev_es"
  case guestSNP = "guest_snp"
  case unknown
}

/// What to do. A finding may ask for two things.
public enum Action: String, Sendable {
  case none
  case updateMicrocode = "update_microcode_package"
  case regenerateInitramfs = "regenerate_initramfs_and_reboot"
  case updateBIOS = "update_bios"
  case updateSEVFirmware = "update_sev_firmware"
  /// Beside `updateMicrocode`.
  case sevFirmware = "sev_firmware"
  case doNotOfferSEV = "do_not_offer_sev"
  case moveToNewerGeneration = "move_to_newer_generation"
  case enableSNP = "enable_snp"
  case askProvider = "ask_provider"
  case askProviderForSNP = "ask_provider_for_snp"
  case askHostOperator = "ask_host_operator"
  case askVendor = "ask_vendor"
  case restartGuest = "restart_guest"
  case relaunchWithoutDebug = "relaunch_without_debug"
  case verifyReport = "verify_report"
  case lookInsideGuest = "look_inside_the_guest"
  case readRevision = "read_revision_on_the_host"
  case updateData = "update_the_data"
}

/// A row of a table that a verdict rests on.
public struct Citation: Sendable, Equatable {
  public var table: String
  /// Version and date of the table.
  public var version: String
  public var tableDate: String
  /// The row in words.
  public var row: String
  /// When its facts were last read at their source (year-month-day).
  public var date: String
  public var sources: [String]
}

/// One flaw on one machine.
public struct Finding: Sendable, Equatable {
  public var flaw: Flaw
  public var status: Status
  public var confidence: Confidence
  public var exposure: Exposure?
  /// A fixed word for machines, such as `below_floor`.
  public var reason: String
  /// The reason in a sentence.
  public var explanation: String
  public var actions: [Action]
  public var evidence: [String] = []
  public var warnings: [String] = []
  /// Number of the row of the decision table (reference: README of the module) that decided.
  public var decisionRow: Int
  public var citations: [Citation] = []
  /// The first release of microcode (yyyymmdd) that carries the fix for this very processor.
  public var release: String?
  /// A warning although the status alone would be fine, or less than it: exit code 1.
  public var isOnlyWarning = false

  public var action: String { actions.map(\.rawValue).joined(separator: "+") }

  /// 0 fine, 1 warning, 2 vulnerable, 3 unknown (the codes of Nagios).
  public var exitCode: Int {
    if isOnlyWarning { return 1 }
    switch status {
    case .notAffected, .mitigated: return 0
    case .vulnerable: return 2
    case .unknown: return 3
    }
  }

  /// What `--strict` makes of it: low confidence is no knowledge.
  public var strict: Finding {
    guard confidence == .low, status != .unknown else { return self }
    var copy = self
    copy.explanation = "\(status.words) with low confidence, which --strict takes for unknown: \(explanation)"
    copy.status = .unknown
    copy.isOnlyWarning = false
    return copy
  }
}
