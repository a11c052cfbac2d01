/// The facts about a machine, before any verdict.
public struct HostFacts: Sendable {
  /// The source of the facts, as a text to show.
  public var origin: String
  /// The instruction set of the machine.
  public var architecture: Architecture
  /// The kinds of logical processors with their counts.
  public var processors: [(kind: Processor, count: Int)] = []
  /// The name of the hypervisor (`KVM`, `Microsoft Hyper-V`, …); `unnamed` if only the flag is present, nil on bare
  /// metal.
  public var hypervisor: String?
  /// Whether the facts were read inside a container.
  public var isContainer = false
  /// Whether /sys exists without its list of modules, so that the host's settings cannot be seen.
  public var areModulesHidden = false
  /// The parameters of the kvm_amd module; nil if it is not loaded or cannot be seen.
  public var sevParameters: SEVParameters?
  /// The firmware of the secure processor; nil if it is unknown.
  public var sevFirmware: FirmwareVersion?
  /// The encryption of this machine as a guest; nil if there is no sign of it.
  public var guestEncryption: GuestEncryption?
  /// Whether this guest is known not to be encrypted (by the MSR SEV_STATUS or by Hyper-V).
  public var isPlainGuest = false
  /// The microcode files on disk for the processors of this machine.
  public var installedMicrocode: [InstalledMicrocode] = []
  /// The attestation report of the guest; nil if there is none.
  public var report: ReportFacts?
  /// The entries of /sys/devices/system/cpu/vulnerabilities.
  public var kernelVulnerabilities: [(name: String, text: String)] = []
  /// The distribution; nil without an os-release file.
  public var distribution: Distribution?
  /// Whether the machine was booted with EFI; nil if unknown.
  public var hasEFI: Bool?
  /// The evidence that was read, one sentence each.
  public var evidence: [String] = []
  /// Warnings about contradicting sources and unreadable files, one sentence each.
  public var warnings: [String] = []
  /// What could be read with more privileges.
  public var unread: [String] = []

  /// The instruction set architectures.
  public enum Architecture: Sendable, Equatable {
    /// x86 of Intel and AMD, with 32 or 64 bits.
    case x86
    /// Another architecture, with its name in the kernel.
    case other(String)
    /// The architecture could not be determined.
    case unknown
  }

  /// The parameters of the module kvm_amd; nil for a missing parameter.
  public struct SEVParameters: Sendable, Equatable {
    /// Whether guests can have encrypted memory.
    public var sev: Bool?
    /// Whether guests can also have encrypted registers.
    public var sevES: Bool?
    /// Whether guests can also have memory integrity protection.
    public var snp: Bool?
    /// Parameters with the given values.
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

  /// The encryption of a guest.
  public enum GuestEncryption: String, Sendable {
    /// Encrypted memory.
    case sev = "SEV"
    /// Encrypted registers as well.
    case sevES = "SEV-ES"
    /// Memory integrity protection as well.
    case snp = "SEV-SNP"
  }

  /// Facts with only an origin and an architecture.
  public init(origin: String, architecture: Architecture) {
    self.origin = origin
    self.architecture = architecture
  }

  /// Whether the machine is a guest of a hypervisor.
  public var isGuest: Bool { hypervisor != nil }
  /// The number of logical processors.
  public var logicalProcessors: Int { processors.reduce(0) { $0 + $1.count } }
}

/// A microcode revision in the firmware folder.
public struct InstalledMicrocode: Sendable, Equatable {
  /// The processor signature: family, model and stepping as encoded by CPUID.
  public var signature: UInt32
  /// The platform mask; 0 if the container has none (AMD).
  public var platformMask: UInt32
  /// The revision of the microcode.
  public var revision: UInt32
  /// The date (year-month-day); empty if the container has none.
  public var date: String
  /// The path of the file.
  public var path: String
}

/// A version of the SEV firmware, such as 1.55.16.
public struct FirmwareVersion: Sendable, Equatable, Comparable, CustomStringConvertible {
  /// The parts of the version, most significant first.
  public var major: Int, minor: Int, build: Int

  /// A version with three parts.
  public init(_ major: Int, _ minor: Int, _ build: Int) {
    self.major = major
    self.minor = minor
    self.build = build
  }

  /// An older version is smaller.
  public static func < (a: Self, b: Self) -> Bool { (a.major, a.minor, a.build) < (b.major, b.minor, b.build) }
  /// The parts separated by dots.
  public var description: String { "\(major).\(minor).\(build)" }

  /// The first firmware that, together with the microcode, fixes CacheWarp for SEV-SNP (AMD-SB-3005: 1.37.10
  /// hexadecimal).
  public static let cacheWarpFloor = FirmwareVersion(1, 55, 16)
}
