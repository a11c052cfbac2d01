#if Attestation
  import CMartletData
  import Crypto
  import Foundation
  import SwiftASN1
  import _CryptoExtras

  /// Certificates from a report's signer up to AMD: VCEK (or VLEK) <- ASK (or ASVK) <- ARK.
  /// The VCEK has serial number 0 and the upper ones are signed with RSA-PSS, both of which general X.509 libraries
  /// refuse; hence the little that is needed is read here.
  struct CertificateChain {
    struct Trust {
      var product: ReportFacts.Product?
      /// Up to the root, rather than to a pinned key below it.
      var isAnchored: Bool
      var path: String
      var warnings: [String]
    }

    private let given: [AMDCertificate]
    private let pinned: [AMDCertificate]

    init(_ files: [(name: String, bytes: [UInt8])]) throws {
      given = try files.flatMap { try AMDCertificate.read($0.bytes, name: $0.name) }
      let builtIn = martlet_find(martlet_host_tables, "amd_certificates.pem")
      pinned = try AMDCertificate.read(
        Array(UnsafeBufferPointer(start: builtIn.bytes, count: builtIn.size)), name: "built in")
    }

    func verify(_ report: AttestationReport, at date: Date) -> Result<Trust, ReportRefusal> {
      do {
        return .success(try trust(report, at: date))
      } catch let refusal as ReportRefusal {
        return .failure(refusal)
      } catch {
        return .failure(ReportRefusal(reason: "certificate_not_trusted", why: "\(error)"))
      }
    }

    private func trust(_ report: AttestationReport, at date: Date) throws -> Trust {
      let signers = given.filter { $0.signingKey != nil }
      guard !signers.isEmpty else {
        throw ReportRefusal(
          reason: "certificate_missing",
          why: "none of the certificates is a VCEK or VLEK (P-384 key): add the one that belongs to this processor")
      }
      guard let signer = signers.first(where: { $0.signs(report) }) else {
        throw ReportRefusal(
          reason: "report_signature_invalid",
          why: "the report's signature does not fit: it was altered, or the certificate is another processor's")
      }
      var warnings: [String] = []
      try signer.agree(with: report, warnings: &warnings)

      var path = [signer.name], current = signer
      while true {
        guard current.validity.contains(date) else {
          throw ReportRefusal(
            reason: "certificate_expired",
            why: "the certificate \(current.name) is valid from \(current.validity.lowerBound.formatted(.iso8601)) to "
              + "\(current.validity.upperBound.formatted(.iso8601)), not today")
        }
        // Only a key that is built in ends a chain: any other root could be anyone's.
        if let anchor = pinned.first(where: { $0.publicKey == current.publicKey && $0.subject == current.subject }),
          anchor.isRoot || !pinned.contains(where: { $0.isRoot && $0.subject == anchor.issuer })
        {
          return Trust(
            product: signer.product ?? anchor.product, isAnchored: anchor.isRoot,
            path: path.joined(separator: " <- "), warnings: warnings)
        }
        guard path.count < 5,
          let issuer = (pinned + given).first(where: { $0.subject == current.issuer && $0.issued(current) }),
          issuer.publicKey != current.publicKey
        else {
          throw ReportRefusal(
            reason: "certificate_not_trusted",
            why: "the chain \(path.joined(separator: " <- ")) does not lead to a key of AMD's that is known here")
        }
        path.append(issuer.name)
        current = issuer
      }
    }
  }
#endif
