#if Attestation
  import Crypto
  import Foundation
  import SwiftASN1
  import _CryptoExtras

  /// What is needed of one certificate (RFC 5280, and AMD 57230 for the extensions of a VCEK or VLEK).
  struct AMDCertificate {
    let name: String
    /// Names as encoded, for comparison.
    let subject: [UInt8]
    let issuer: [UInt8]
    let validity: ClosedRange<Date>
    /// SubjectPublicKeyInfo as encoded.
    let publicKey: [UInt8]
    /// Values of extensions by object identifier.
    let extensions: [String: [UInt8]]
    private let signed: [UInt8]
    private let signature: [UInt8]
    private let algorithm: ASN1ObjectIdentifier

    private static let rsaPSS: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 1, 10]
    private static let commonNameIdentifier: ASN1ObjectIdentifier = [2, 5, 4, 3]
    private static let amd = "1.3.6.1.4.1.3704.1"

    /// All certificates of a file: PEM (any number) or DER (one).
    /// - Throws: HostCheckError for a file that holds none.
    static func read(_ bytes: [UInt8], name: String) throws -> [AMDCertificate] {
      do {
        if bytes.first == 0x30 { return [try AMDCertificate(DER.parse(bytes))] }
        let documents = try PEMDocument.parseMultiple(pemString: String(decoding: bytes, as: UTF8.self))
          .filter { $0.discriminator == "CERTIFICATE" }
        guard !documents.isEmpty else { throw HostCheckError("no CERTIFICATE block") }
        return try documents.map { try AMDCertificate(DER.parse($0.derBytes)) }
      } catch {
        throw HostCheckError("\(name) contains no readable certificate in PEM or DER (\(error))")
      }
    }

    private init(_ node: ASN1Node) throws {
      let parts = try Self.children(node, atLeast: 3)
      var fields = try Self.children(parts[0], atLeast: 6)
      // The version stands in front with tag 0, where it is not 1.
      if fields[0].identifier.tagClass == .contextSpecific { fields.removeFirst() }
      guard fields.count >= 6 else { throw HostCheckError("a field is missing") }
      algorithm = try Self.objectIdentifier(parts[1])
      signed = Array(parts[0].encodedBytes)
      signature = Array(try ASN1BitString(derEncoded: parts[2]).bytes)
      guard try Self.objectIdentifier(fields[1]) == algorithm else {
        throw HostCheckError("its two signature algorithms differ")
      }
      issuer = Array(fields[2].encodedBytes)
      let dates = try Self.children(fields[3], atLeast: 2).map(Self.date)
      guard dates[0] <= dates[1] else { throw HostCheckError("it ends before it begins") }
      validity = dates[0]...dates[1]
      subject = Array(fields[4].encodedBytes)
      publicKey = Array(fields[5].encodedBytes)
      name = try Self.commonName(fields[4]) ?? "without a name"
      var extensions: [String: [UInt8]] = [:]
      for field in fields.dropFirst(6) where field.identifier.tagNumber == 3 {
        for entry in try Self.children(Self.children(field, atLeast: 1)[0], atLeast: 0) {
          let parts = try Self.children(entry, atLeast: 2)
          // Between the two a flag may stand.
          guard let last = parts.last, let value = Self.primitive(last) else { continue }
          extensions["\(try ASN1ObjectIdentifier(derEncoded: parts[0]))"] = Array(value)
        }
      }
      self.extensions = extensions
    }

    var isRoot: Bool { subject == issuer }

    /// The key of a VCEK or VLEK; nil for other certificates.
    var signingKey: P384.Signing.PublicKey? { try? P384.Signing.PublicKey(derRepresentation: publicKey) }

    /// Whether this key signed the report (ECDSA P-384 with SHA-384; r and s are little endian, 72 bytes each).
    func signs(_ report: AttestationReport) -> Bool {
      guard let key = signingKey else { return false }
      let r = report.bytes[0x2a0..<0x2e8], s = report.bytes[0x2e8..<0x330]
      guard r.dropFirst(48).allSatisfy({ $0 == 0 }), s.dropFirst(48).allSatisfy({ $0 == 0 }) else { return false }
      let raw = Data(r.prefix(48).reversed() + s.prefix(48).reversed())
      guard let signature = try? P384.Signing.ECDSASignature(rawRepresentation: raw) else { return false }
      return key.isValidSignature(
        signature, for: SHA384.hash(data: Data(report.bytes[AttestationReport.signedBytes])))
    }

    /// Whether this certificate's RSA key signed `other` (RSA-PSS with SHA-384).
    func issued(_ other: AMDCertificate) -> Bool {
      guard other.algorithm == Self.rsaPSS, let key = try? _RSA.Signing.PublicKey(derRepresentation: publicKey)
      else { return false }
      return key.isValidSignature(
        .init(rawRepresentation: Data(other.signature)), for: SHA384.hash(data: Data(other.signed)), padding: .PSS)
    }

    /// The product that a VCEK names, such as `Milan-B0`, or the name of an upper key, such as `ARK-Milan`.
    var product: ReportFacts.Product? {
      let text = extensions[Self.amd + ".2"].map { String(decoding: $0, as: UTF8.self) } ?? name
      return [ReportFacts.Product.milan, .genoa, .turin].first { text.contains($0.rawValue) }
    }

    /// A VCEK is made for one chip at one level of its firmware: both must be the report's.
    func agree(with report: AttestationReport, warnings: inout [String]) throws {
      let reported = report.reported
      let expected: [(String, UInt8?, String)] = [
        (".3.1", reported.bootLoader, "boot loader"), (".3.2", reported.tee, "TEE"), (".3.3", reported.snp, "SNP"),
        (".3.8", reported.microcode, "microcode"), (".3.9", reported.fmc, "FMC"),
      ]
      for (suffix, value, part) in expected {
        guard let value else { continue }
        guard let encoded = extensions[Self.amd + suffix] else {
          throw ReportRefusal(
            reason: "certificate_does_not_match_report",
            why: "the certificate \(name) lacks the version of the \(part): it is not a VCEK or VLEK")
        }
        guard encoded.last == value, encoded.dropFirst(2).dropLast().allSatisfy({ $0 == 0 }) else {
          throw ReportRefusal(
            reason: "certificate_does_not_match_report",
            why:
              "the certificate \(name) is for \(part) \(encoded.last ?? 0), the report says \(value): fetch the one for this level"
          )
        }
      }
      guard let chip = extensions[Self.amd + ".4"] else { return }
      if report.chipID.allSatisfy({ $0 == 0 }) {
        warnings.append("the host hides the chip's number, so the certificate could not be held against it")
        return
      }
      // 64 bytes, on Turin 8; some are wrapped in an octet string of their own.
      let number = chip.count > 2 && chip[0] == 0x04 && Int(chip[1]) == chip.count - 2 ? Array(chip.dropFirst(2)) : chip
      guard !number.isEmpty, report.chipID.starts(with: number),
        report.chipID.dropFirst(number.count).allSatisfy({ $0 == 0 })
      else {
        throw ReportRefusal(
          reason: "certificate_does_not_match_report", why: "the certificate \(name) belongs to another chip")
      }
    }

    // MARK: DER

    private static func children(_ node: ASN1Node, atLeast count: Int) throws -> [ASN1Node] {
      guard case .constructed(let nodes) = node.content else { throw HostCheckError("a list is missing") }
      let children = Array(nodes)
      guard children.count >= count else { throw HostCheckError("a field is missing") }
      return children
    }

    private static func primitive(_ node: ASN1Node) -> ArraySlice<UInt8>? {
      guard case .primitive(let bytes) = node.content else { return nil }
      return bytes
    }

    private static func commonName(_ names: ASN1Node) throws -> String? {
      for set in try children(names, atLeast: 0) {
        let pair = try children(children(set, atLeast: 1)[0], atLeast: 2)
        guard try ASN1ObjectIdentifier(derEncoded: pair[0]) == commonNameIdentifier, let text = primitive(pair[1])
        else { continue }
        return quoted(String(decoding: text, as: UTF8.self))
      }
      return nil
    }

    private static func objectIdentifier(_ algorithm: ASN1Node) throws -> ASN1ObjectIdentifier {
      try ASN1ObjectIdentifier(derEncoded: children(algorithm, atLeast: 1)[0])
    }

    private static func date(_ node: ASN1Node) throws -> Date {
      var parts = DateComponents()
      if node.identifier == .utcTime {
        let time = try UTCTime(derEncoded: node)
        (parts.year, parts.month, parts.day) = (time.year, time.month, time.day)
        (parts.hour, parts.minute, parts.second) = (time.hours, time.minutes, time.seconds)
      } else {
        let time = try GeneralizedTime(derEncoded: node)
        (parts.year, parts.month, parts.day) = (time.year, time.month, time.day)
        (parts.hour, parts.minute, parts.second) = (time.hours, time.minutes, time.seconds)
      }
      var calendar = Calendar(identifier: .gregorian)
      calendar.timeZone = .gmt
      guard let date = calendar.date(from: parts) else { throw HostCheckError("a date is impossible") }
      return date
    }
  }
#endif
