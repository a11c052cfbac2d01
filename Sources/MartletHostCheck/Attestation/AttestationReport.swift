/// A SEV-SNP attestation report, 1184 bytes, little endian (AMD 56860, table 23; offsets checked against
/// google/go-sev-guest and three signed reports). Reading it proves nothing: see `ReportVerification`.
public struct AttestationReport: Sendable {
  /// The size of a report in bytes.
  public static let size = 1184
  /// The range of bytes that the signature covers.
  public static let signedBytes = 0..<0x2a0

  /// The raw bytes of the report.
  public let bytes: [UInt8]
  /// The version of the report format.
  public let version: UInt32
  /// The guest policy, which the guest's owner requires of the host, as bits.
  public let policy: UInt64
  /// The 64 bytes of data that the guest provided, such as a nonce.
  public let reportData: [UInt8]
  /// The unique identifier of the processor.
  public let chipID: [UInt8]
  /// The versions of the running firmware.
  public let current: SecurityVersions
  /// The versions from which the signing key of the report was derived.
  public let reported: SecurityVersions
  /// The committed versions, below which the host cannot roll back.
  public let committed: SecurityVersions
  /// The versions when the guest was launched.
  public let launch: SecurityVersions
  /// The running firmware; nil if the report omits it (all zero).
  public let firmware: FirmwareVersion?
  /// The family, model and stepping of the processor; nil before version 3.
  public let processor: Processor?

  /// Security version numbers of the parts of a trusted computing base.
  public struct SecurityVersions: Sendable, Equatable {
    /// The version of the FMC; Turin and later only.
    public var fmc: UInt8?
    /// The version of the secure processor's boot loader.
    public var bootLoader: UInt8
    /// The version of the secure processor's operating system.
    public var tee: UInt8
    /// The version of the SNP firmware.
    public var snp: UInt8
    /// The version of the microcode; on Milan the low byte of its revision.
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

  /// Whether the policy allows the host to debug the guest, that is, to read and write its memory.
  public var allowsDebug: Bool { policy >> 19 & 1 == 1 }

  /// Parses a report.
  /// - Throws: ``HostCheckError`` if the size or the version is not supported.
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

  /// Whether the bytes look like a report and not like text.
  public static func isPlausible(_ bytes: [UInt8]) -> Bool {
    bytes.count == size && (2...5).contains(bytes[0]) && bytes[1...3].allSatisfy { $0 == 0 }
  }
}

/// A report with the result of its verification.
public struct ReportFacts: Sendable {
  /// The report itself.
  public var report: AttestationReport
  /// The result of checking the signature.
  public var signature: Signature
  /// Whether the report data equals the given nonce; nil if none was given.
  public var isFresh: Bool?
  /// The product that the certificates name.
  public var product: Product?
  /// Whether the certificate chain ends at AMD's root key and not at a pinned key below it.
  public var isAnchored: Bool
  /// The evidence for the verdict, one sentence each.
  public var evidence: [String]
  /// Warnings, one sentence each.
  public var warnings: [String]

  /// The result of checking the report's signature.
  public enum Signature: Sendable, Equatable {
    /// The signature and all certificates of the chain are valid.
    case verified
    /// The signature or a certificate is invalid; `reason` is an identifier for programs, and `why` a sentence.
    case invalid(reason: String, why: String)
    /// The signature was not checked; `why` is a sentence.
    case notVerified(why: String)
  }

  /// The product lines of processors that create such reports.
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

  /// A report with a given result of its verification.
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
