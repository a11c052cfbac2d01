/// A SEV-SNP attestation report, 1184 bytes, little endian (AMD 56860, table 23; offsets checked against
/// google/go-sev-guest and three signed reports). Reading it proves nothing: see `ReportVerification`.
public struct AttestationReport: Sendable {
  /// Bytes of a report.
  public static let size = 1184
  /// What the signature covers.
  public static let signedBytes = 0..<0x2a0

  /// The report as it was read.
  public let bytes: [UInt8]
  /// Version of the report's form.
  public let version: UInt32
  /// What the guest's owner demands of the host, as bits.
  public let policy: UInt64
  /// 64 bytes the guest chose: a nonce.
  public let reportData: [UInt8]
  /// The processor's own number.
  public let chipID: [UInt8]
  /// Versions of the firmware that runs.
  public let current: SecurityVersions
  /// Versions that the report's key was made for.
  public let reported: SecurityVersions
  /// Versions that the host can no longer go below.
  public let committed: SecurityVersions
  /// Versions that ran when the guest was started.
  public let launch: SecurityVersions
  /// Firmware that runs; nil in a report that leaves it out (all zero).
  public let firmware: FirmwareVersion?
  /// Family, model and stepping of the signer; nil before version 3.
  public let processor: Processor?

  /// Security version numbers of the parts of a trusted computing base.
  public struct SecurityVersions: Sendable, Equatable {
    /// Turin and later only.
    public var fmc: UInt8?
    /// Version of the boot loader of the secure processor.
    public var bootLoader: UInt8
    /// Version of the system of the secure processor.
    public var tee: UInt8
    /// Version of the SNP firmware.
    public var snp: UInt8
    /// On Milan the low byte of the microcode revision.
    public var microcode: UInt8

    /// - Parameter bytes: 8 bytes; Turin (family 1Ah) puts one more part in front.
    init(_ bytes: ArraySlice<UInt8>, isTurin: Bool) {
      let at = { bytes[bytes.startIndex + $0] }
      fmc = isTurin ? at(0) : nil
      bootLoader = at(isTurin ? 1 : 0)
      tee = at(isTurin ? 2 : 1)
      snp = at(isTurin ? 3 : 6)
      microcode = at(7)
    }
  }

  /// The guest's owner lets the host debug it: read and write its memory.
  public var allowsDebug: Bool { policy >> 19 & 1 == 1 }

  /// - Throws: HostCheckError for another size or version.
  public init(_ bytes: [UInt8], name: String) throws {
    guard bytes.count == Self.size else {
      throw HostCheckError(
        "\(name) has \(bytes.count) bytes, an SEV-SNP report has \(Self.size): give the report alone, without headers")
    }
    func number(_ offset: Int, _ count: Int) -> UInt64 {
      (0..<count).reduce(0) { $0 | UInt64(bytes[offset + $1]) << (8 * UInt64($1)) }
    }
    self.bytes = bytes
    version = UInt32(number(0, 4))
    guard (2...5).contains(version) else {
      throw HostCheckError("\(name) names report version \(version) at byte 0, and versions 2 to 5 are known")
    }
    let algorithm = number(0x34, 4)
    guard algorithm == 1 else {
      throw HostCheckError(
        "\(name) names signature algorithm \(algorithm) at byte 0x34, and 1 (ECDSA P-384) is the only one")
    }
    var signer: Processor?
    if version >= 3 {
      var value = Processor()
      value.vendor = "AuthenticAMD"
      value.family = UInt32(bytes[0x188])
      value.model = UInt32(bytes[0x189])
      value.stepping = UInt32(bytes[0x18a])
      signer = value
    }
    processor = signer
    let isTurin = (signer?.family ?? 0) >= 0x1a
    policy = number(0x08, 8)
    reportData = Array(bytes[0x50..<0x90])
    chipID = Array(bytes[0x1a0..<0x1e0])
    current = SecurityVersions(bytes[0x38..<0x40], isTurin: isTurin)
    reported = SecurityVersions(bytes[0x180..<0x188], isTurin: isTurin)
    committed = SecurityVersions(bytes[0x1e0..<0x1e8], isTurin: isTurin)
    launch = SecurityVersions(bytes[0x1f0..<0x1f8], isTurin: isTurin)
    let (build, minor, major) = (bytes[0x1e8], bytes[0x1e9], bytes[0x1ea])
    firmware = build | minor | major == 0 ? nil : FirmwareVersion(Int(major), Int(minor), Int(build))
  }

  /// Whether the file looks like a report rather than text.
  public static func isPlausible(_ bytes: [UInt8]) -> Bool {
    bytes.count == size && (2...5).contains(bytes[0]) && bytes[1...3].allSatisfy { $0 == 0 }
  }
}

/// A report and what is known of its truth.
public struct ReportFacts: Sendable {
  /// The report itself.
  public var report: AttestationReport
  /// Whether AMD's key has signed it.
  public var signature: Signature
  /// The report's data is the nonce asked for; nil where none was given.
  public var isFresh: Bool?
  /// The product the certificates name.
  public var product: Product?
  /// The chain ends at AMD's root key and not at a pinned key below it.
  public var isAnchored: Bool
  /// What the verdict rests on, one sentence each.
  public var evidence: [String]
  /// What should be known besides, one sentence each.
  public var warnings: [String]

  /// What is known of the report's signature.
  public enum Signature: Sendable, Equatable {
    /// It is AMD's, and so is every certificate on the way.
    case verified
    /// With the reason as a word for machines and as a sentence.
    case invalid(reason: String, why: String)
    /// It was not checked.
    case notVerified(why: String)
  }

  /// Families of processors that make such reports.
  public enum Product: String, Sendable {
    /// EPYC 7003.
    case milan = "Milan"
    /// EPYC 9004.
    case genoa = "Genoa"
    /// EPYC 9005.
    case turin = "Turin"

    /// Its row in the table of CacheWarp.
    var codename: String {
      switch self {
      case .milan: return "Milan B1"
      case .genoa: return "Genoa, Genoa-X"
      case .turin: return "Turin and later"
      }
    }
  }

  /// Facts of a report that was checked, or not, elsewhere.
  public init(
    _ report: AttestationReport, signature: Signature, isFresh: Bool? = nil, product: Product? = nil,
    isAnchored: Bool = false, evidence: [String] = [], warnings: [String] = []
  ) {
    self.report = report
    self.signature = signature
    self.isFresh = isFresh
    self.product = product
    self.isAnchored = isAnchored
    self.evidence = evidence
    self.warnings = warnings
  }
}
