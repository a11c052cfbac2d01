/// What was read of a machine, before any judgement.
public struct HostFacts: Sendable {
  /// Where it was read, for people.
  public var origin: String
  /// The instruction set of the machine.
  public var architecture: Architecture
  /// Kinds of logical processors and how many there are of each.
  public var processors: [(kind: Processor, count: Int)] = []
  /// Name of the hypervisor (`KVM`, `Microsoft Hyper-V`, …), `unnamed` where only the flag is there, nil on bare metal.
  public var hypervisor: String?
  /// Whether the facts were read inside a container.
  public var isContainer = false
  /// There is a /sys, but not its list of modules: what the host allows cannot be seen.
  public var areModulesHidden = false
  /// What the kvm_amd module allows; nil where it is not loaded or cannot be seen.
  public var sevParameters: SEVParameters?
  /// The firmware of the secure processor; nil where it is not known.
  public var sevFirmware: FirmwareVersion?
  /// How this machine, being a guest, is encrypted; nil without a sign of it.
  public var guestEncryption: GuestEncryption?
  /// Whether it could be seen that this guest is not encrypted (the MSR SEV_STATUS, or what Hyper-V says of itself).
  public var isPlainGuest = false
  /// Microcode on disk for processors of this machine.
  public var installedMicrocode: [InstalledMicrocode] = []
  /// What a report of the guest says; nil without one.
  public var report: ReportFacts?
  /// Entries of /sys/devices/system/cpu/vulnerabilities, as they stand.
  public var kernelVulnerabilities: [(name: String, text: String)] = []
  /// The distribution; nil where os-release is not there.
  public var distribution: Distribution?
  /// Whether the machine was started by EFI; nil where that is not known.
  public var hasEFI: Bool?
  /// What was read, one sentence each.
  public var evidence: [String] = []
  /// Witnesses that disagree, files that could not be understood.
  public var warnings: [String] = []
  /// What more rights would add.
  public var unread: [String] = []

  /// Instruction sets.
  public enum Architecture: Sendable, Equatable {
    /// Intel's and AMD's, of 32 or 64 bits.
    case x86
    /// Another one, by the name the kernel gives it.
    case other(String)
    /// Neither proved.
    case unknown
  }

  /// What kvm_amd's parameters say; nil where a parameter is not there.
  public struct SEVParameters: Sendable, Equatable {
    /// Whether guests may have encrypted memory.
    public var sev: Bool?
    /// Whether their registers may be encrypted as well.
    public var sevES: Bool?
    /// Whether the integrity of their memory may be protected.
    public var snp: Bool?
    /// Parameters as they were read.
    public init(sev: Bool? = nil, sevES: Bool? = nil, snp: Bool? = nil) {
      self.sev = sev
      self.sevES = sevES
      self.snp = snp
    }
  }

  /// Why this guest of AMD's may be an encrypted one although nothing proves it; nil where nothing speaks for it.
  func signOfEncryption(_ processor: Processor) -> String? {
    guard isGuest, guestEncryption == nil, !isPlainGuest, let flags = processor.flags else { return nil }
    if flags.sev { return "its flags name SEV, which a guest has that is encrypted, or that is shown its host's flags" }
    // Azure shows a confidential guest neither SEV nor /dev/sev-guest; but it has no guests of its own, as others have.
    if processor.revision == 0xffff_ffff, !flags.nestedGuests, processor.modelName?.contains("EPYC") == true {
      return "it is shown as Azure shows its confidential guests, whose SEV is hidden from cpuinfo"
    }
    return nil
  }

  /// What protects the memory of a guest.
  public enum GuestEncryption: String, Sendable {
    /// Encrypted memory.
    case sev = "SEV"
    /// Encrypted registers as well.
    case sevES = "SEV-ES"
    /// Protected integrity as well.
    case snp = "SEV-SNP"
  }

  /// A machine of which nothing else is known yet.
  public init(origin: String, architecture: Architecture) {
    self.origin = origin
    self.architecture = architecture
  }

  /// Whether a hypervisor runs the machine.
  public var isGuest: Bool { hypervisor != nil }
  /// Processors with all their threads.
  public var logicalProcessors: Int { processors.reduce(0) { $0 + $1.count } }
}

/// A microcode revision in the firmware folder.
public struct InstalledMicrocode: Sendable, Equatable {
  /// Family, model and stepping as CPUID packs them.
  public var signature: UInt32
  /// 0 where the container names none (AMD).
  public var platformMask: UInt32
  /// Revision of the microcode.
  public var revision: UInt32
  /// year-month-day; empty where the container has none.
  public var date: String
  /// The file that holds it.
  public var path: String
}

/// A version of the SEV firmware, such as 1.55.16.
public struct FirmwareVersion: Sendable, Equatable, Comparable, CustomStringConvertible {
  /// Parts of the version, the most important first.
  public var major: Int, minor: Int, build: Int

  /// A version of three parts.
  public init(_ major: Int, _ minor: Int, _ build: Int) {
    self.major = major
    self.minor = minor
    self.build = build
  }

  /// The older one is smaller.
  public static func < (a: Self, b: Self) -> Bool { (a.major, a.minor, a.build) < (b.major, b.minor, b.build) }
  /// The parts with dots between them.
  public var description: String { "\(major).\(minor).\(build)" }

  /// The first firmware that, with the microcode, closes CacheWarp for SEV-SNP (AMD-SB-3005: 1.37.10 hexadecimal).
  public static let cacheWarpFloor = FirmwareVersion(1, 55, 16)
}
