/// The flaws this check knows.
public enum Flaw: String, Sendable, CaseIterable {
  /// A flaw in how Intel processors decode redundant prefixes of a repeated move.
  case reptar = "CVE-2023-23583"
  /// A flaw of AMD's SEV, by which a host can take back what a guest has written.
  case cacheWarp = "CVE-2023-20592"

  /// The name it is known by.
  public var name: String { self == .reptar ? "Reptar" : "CacheWarp" }
  /// The maker's advisory.
  public var advisory: String { self == .reptar ? "INTEL-SA-00950" : "AMD-SB-3005" }
}

/// What a flaw means for a machine; a machine is as bad as its worst processor.
public enum Status: String, Sendable, Comparable, CaseIterable {
  /// The processor does not have the flaw.
  case notAffected = "not_affected"
  /// The flaw is there and closed.
  case mitigated
  /// What would decide it could not be read, or is in no table.
  case unknown
  /// The flaw is there and open.
  case vulnerable

  /// The better one is smaller.
  public static func < (a: Status, b: Status) -> Bool { a.rank < b.rank }
  private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
  /// As a person would write it.
  public var words: String { self == .notAffected ? "not affected" : rawValue }
}

/// How sure a finding is.
public enum Confidence: String, Sendable, Comparable, CaseIterable {
  /// From hardly more than a guess to what the tables and the machine both say.
  case low, medium, high

  /// The less sure one is smaller.
  public static func < (a: Confidence, b: Confidence) -> Bool { a.rank < b.rank }
  private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// On which side of SEV (AMD's encrypted virtual machines) a machine stands; CacheWarp matters nowhere else.
public enum Exposure: String, Sendable {
  /// Nothing is at stake here.
  case none
  /// The processor's flags name SEV; whether it is in use cannot be seen.
  case hostSEVCapable = "host_sev_capable"
  /// The flags do not name it. Old kernels leave it out, so this proves nothing.
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
  /// It is not known on which side of SEV the machine stands.
  case unknown
}

/// What to do. A finding may ask for two things.
public enum Action: String, Sendable {
  /// Nothing has to be done.
  case none
  /// Install newer microcode from the distribution.
  case updateMicrocode = "update_microcode_package"
  /// The microcode is installed; have it loaded at the next start.
  case regenerateInitramfs = "regenerate_initramfs_and_reboot"
  /// Install a newer BIOS.
  case updateBIOS = "update_bios"
  /// Install newer firmware of the secure processor.
  case updateSEVFirmware = "update_sev_firmware"
  /// Beside `updateMicrocode`.
  case sevFirmware = "sev_firmware"
  /// Offer no encrypted guests on this processor.
  case doNotOfferSEV = "do_not_offer_sev"
  /// Use a processor of a newer generation.
  case moveToNewerGeneration = "move_to_newer_generation"
  /// Offer SNP, which the fix needs.
  case enableSNP = "enable_snp"
  /// Ask the provider, who can see the host.
  case askProvider = "ask_provider"
  /// Ask the provider for an SNP guest.
  case askProviderForSNP = "ask_provider_for_snp"
  /// Ask who runs the host.
  case askHostOperator = "ask_host_operator"
  /// Ask the processor's maker.
  case askVendor = "ask_vendor"
  /// Start the guest again, so that a report is made by the firmware that runs now.
  case restartGuest = "restart_guest"
  /// Start the guest under a policy that does not allow debugging.
  case relaunchWithoutDebug = "relaunch_without_debug"
  /// Check the report's signature.
  case verifyReport = "verify_report"
  /// Judge inside the guest as well.
  case lookInsideGuest = "look_inside_the_guest"
  /// Read the revision on the host.
  case readRevision = "read_revision_on_the_host"
  /// Take newer tables.
  case updateData = "update_the_data"
}

/// A row of a table that a verdict rests on.
public struct Citation: Sendable, Equatable {
  /// The table's name.
  public var table: String
  /// Version and date of the table.
  public var version: String
  /// The day of the table.
  public var tableDate: String
  /// The row in words.
  public var row: String
  /// When its facts were last read at their source (year-month-day).
  public var date: String
  /// Where the row is from, one source each.
  public var sources: [String]
}

/// One flaw on one machine.
public struct Finding: Sendable, Equatable {
  /// The flaw that was judged.
  public var flaw: Flaw
  /// What was found.
  public var status: Status
  /// How sure that is.
  public var confidence: Confidence
  /// On which side of SEV the machine stands; nil for flaws that do not ask.
  public var exposure: Exposure?
  /// A fixed word for machines, such as `below_floor`.
  public var reason: String
  /// The reason in a sentence.
  public var explanation: String
  /// What should be done, the first thing first.
  public var actions: [Action]
  /// What the finding rests on, one sentence each.
  public var evidence: [String] = []
  /// What should be known besides, one sentence each.
  public var warnings: [String] = []
  /// Number of the row of the decision table (reference: README of the module) that decided.
  public var decisionRow: Int
  /// The rows of tables that decided.
  public var citations: [Citation] = []
  /// The first release of microcode (yyyymmdd) that carries the fix for this very processor.
  public var release: String?
  /// A warning although the status alone would be fine, or less than it: exit code 1.
  public var isOnlyWarning = false

  /// All actions in one word, as reports have it.
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
