import Foundation

/// Checks a report's signature and the certificates behind it. The cryptography (BoringSSL) takes minutes to compile,
/// so it is built in with the package trait `Attestation` only.
public enum ReportVerification {
  #if Attestation
    public static let isBuiltIn = true
  #else
    /// Whether signatures can be checked, that is, whether Martlet was built with the trait `Attestation`.
    public static let isBuiltIn = false
  #endif

  /// - Parameters:
  ///   - report: the report to verify.
  ///   - certificates: files of one or more certificates, PEM or DER, with their names: the VCEK or VLEK, and the
  ///     certificates between it and AMD's root if these are not built in.
  ///   - nonce: the expected beginning of the report data (the rest must be zero); nil does not check freshness.
  ///   - date: the time at which certificates must be valid.
  /// - Throws: ``HostCheckError`` if a file contains no certificate.
  public static func facts(
    _ report: AttestationReport, certificates: [(name: String, bytes: [UInt8])], nonce: [UInt8]?, at date: Date = Date()
  ) throws -> ReportFacts {
    var facts = ReportFacts(
      report, signature: .notVerified(why: "no certificate was given: add the VCEK with --certificate"))
    if let nonce {
      facts.isFresh = report.reportData == nonce + [UInt8](repeating: 0, count: max(0, 64 - nonce.count))
    } else {
      facts.warnings.append("whether the report is fresh was not checked: put a nonce into it and give it with --nonce")
    }
    var words = "report version \(report.version)"
    if let processor = report.processor?.signature { words += " of \(processor.hexadecimal8)" }
    words += ", microcode security version: current \(report.current.microcode), reported \(report.reported.microcode)"
    words += ", committed \(report.committed.microcode), launch \(report.launch.microcode)"
    if let firmware = report.firmware { words += "; SEV firmware \(firmware)" }
    facts.evidence = [words]
    #if Attestation
      guard !certificates.isEmpty else { return facts }
      let chain = try CertificateChain(certificates)
      switch chain.verify(report, at: date) {
      case .success(let trust):
        facts.signature = .verified
        facts.product = trust.product
        facts.isAnchored = trust.isAnchored
        facts.evidence.append("signature and certificates verified: \(trust.path)")
        if !trust.isAnchored {
          facts.warnings.append(
            "the chain was followed to a pinned key of AMD's, not to its root, which is not built in")
        }
        facts.warnings += trust.warnings
      case .failure(let refusal):
        facts.signature = .invalid(reason: refusal.reason, why: refusal.why)
      }
    #else
      facts.signature = .notVerified(
        why: "this martlet cannot check signatures: build it with `swift build -c release --traits Attestation`")
    #endif
    return facts
  }
}

/// Why a report is not believed.
struct ReportRefusal: Error {
  var reason: String
  var why: String
}
