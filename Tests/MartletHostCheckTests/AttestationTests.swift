import Foundation
import MartletTestSupport
import Testing

@testable import MartletHostCheck

@Suite struct AttestationTests {
  static let folder = DecisionTests.data.map { $0 + "/snp/" }
  static func file(_ name: String) throws -> [UInt8] {
    try [UInt8](Data(contentsOf: URL(fileURLWithPath: #require(folder) + name)))
  }

  @Test(.enabled(if: folder != nil, "needs the shared data")) func realReportsAreRead() throws {
    let rows = try DecisionTests.table(#require(Self.folder) + "expected.tsv")
    #expect(rows.count == 3)
    for row in rows {
      let report = try AttestationReport(Self.file(row["file"] ?? ""), name: "report")
      #expect("\(report.version)" == row["version"])
      #expect("\(report.reported.bootLoader)" == row["bootloader"] && "\(report.reported.tee)" == row["tee"])
      #expect("\(report.reported.snp)" == row["snp"] && "\(report.reported.microcode)" == row["microcode"])
      #expect(report.firmware?.description == row["firmware"])
    }
  }

  @Test func otherFilesAreRefused() throws {
    for (bytes, words) in [
      ([UInt8](repeating: 2, count: 100), "100 bytes"), ([UInt8](repeating: 0, count: 1184), "version 0"),
    ] {
      let error = #expect(throws: HostCheckError.self) { try AttestationReport(bytes, name: "some.bin") }
      #expect(error?.description.contains(words) == true && error?.description.contains("some.bin") == true)
    }
  }

  @Test func withoutCertificatesNothingIsProved() throws {
    var identity = Processor()
    identity.signature = 0xa00f11
    let bytes = ReportFixture.bytes(
      version: 3, identity: identity, current: 0xdb, reported: 0xdb, committed: 0xdb, launch: 0xdb,
      firmware: FirmwareVersion(1, 55, 29))
    let facts = try ReportVerification.facts(AttestationReport(bytes, name: "r"), certificates: [], nonce: nil)
    let finding = try #require(HostVerdict(HostReader.read(facts, name: "r"))[.cacheWarp])
    #expect(finding.status == .unknown && finding.reason == "report_not_verified" && finding.exitCode == 3)
    if !ReportVerification.isBuiltIn { #expect(finding.explanation.contains("--traits Attestation")) }
  }

  /// A hypervisor may show any processor to the guest; the certificate knows better.
  @Test func aFakedProcessorCannotVouchForAnOldReport() throws {
    let bytes = ReportFixture.bytes(
      version: 2, identity: nil, current: 0x47, reported: 0x47, committed: 0x47, launch: 0x47,
      firmware: FirmwareVersion(1, 55, 29))
    func judge(_ signature: UInt32, isFresh: Bool?) throws -> Finding {
      var facts = HostFacts(origin: "guest", architecture: .x86)
      var processor = Processor()
      processor.vendor = "AuthenticAMD"
      processor.signature = signature
      facts.processors = [(processor, 1)]
      let proof = ReportFacts(
        try AttestationReport(bytes, name: "r"), signature: .verified, isFresh: isFresh, product: .milan,
        isAnchored: true)
      return try #require(HostVerdict(HostReader.read(proof, guest: facts, name: "r"))[.cacheWarp])
    }
    let genoa = try judge(0xa10f11, isFresh: true)
    #expect(genoa.status == .unknown && genoa.reason == "stepping_needed")
    #expect(try judge(0xa00f11, isFresh: true).reason == "tcb_below_floor")
    let milanX = try judge(0xa00f12, isFresh: true)
    #expect(milanX.status == .mitigated && milanX.confidence == .medium)
    #expect(milanX.warnings.contains { $0.contains("stepping") })
  }

  #if Attestation
    static let may2026 = Date(timeIntervalSince1970: 1_778_000_000)

    static func judge(
      _ report: [UInt8], _ certificates: [String], nonce: [UInt8]? = nil, at date: Date = may2026,
      more: [(name: String, bytes: [UInt8])] = []
    ) throws -> Finding {
      let files = try certificates.map { (name: $0, bytes: try file($0)) } + more
      let facts = try ReportVerification.facts(
        AttestationReport(report, name: "report"), certificates: files, nonce: nonce, at: date)
      return try #require(HostVerdict(HostReader.read(facts, name: "report"))[.cacheWarp])
    }

    @Test(.enabled(if: folder != nil, "needs the shared data")) func realReportsAreJudged() throws {
      for row in try DecisionTests.table(#require(Self.folder) + "expected.tsv") {
        let finding = try Self.judge(Self.file(row["file"] ?? ""), [row["vcek"] ?? ""])
        #expect(finding.status.rawValue == row["cachewarp_status"], "\(row["file"] ?? ""): \(finding.explanation)")
        #expect(finding.reason == row["cachewarp_reason"], "\(row["file"] ?? ""): \(finding.explanation)")
      }
    }

    /// Every signed byte, one bit each.
    @Test(.enabled(if: folder != nil, "needs the shared data")) func everyAlteredByteIsFound() throws {
      let report = try Self.file("milan-v3-db18-fw1.55.29.bin")
      let certificate = (name: "vcek", bytes: try Self.file("milan-v3-db18.vcek.pem"))
      for index in AttestationReport.signedBytes {
        var altered = report
        altered[index] ^= 1 << UInt8(index % 8)
        guard let parsed = try? AttestationReport(altered, name: "r") else { continue }
        let facts = try ReportVerification.facts(parsed, certificates: [certificate], nonce: nil, at: Self.may2026)
        guard case .invalid(let reason, _) = facts.signature else {
          Issue.record("byte \(index) was altered and nothing said")
          continue
        }
        #expect(reason == "report_signature_invalid")
      }
      for index in [0x2a0, 0x2e8, 0x2e7, 0x32f] {
        var altered = report
        altered[index] ^= 1
        #expect(try Self.judge(altered, ["milan-v3-db18.vcek.pem"]).status == .unknown)
      }
    }

    @Test(.enabled(if: folder != nil, "needs the shared data")) func expiredAndForeignChainsAreRefused() throws {
      let report = try Self.file("milan-v3-db18-fw1.55.29.bin")
      for (year, word) in [(2020, "not today"), (2034, "not today")] {
        let date = Date(timeIntervalSince1970: Double(year - 1970) * 365.25 * 86_400)
        let finding = try Self.judge(report, ["milan-v3-db18.vcek.pem"], at: date)
        #expect(finding.status == .unknown && finding.reason == "certificate_expired")
        #expect(finding.explanation.contains(word))
      }
      // Another chip's certificate, and none that signs.
      #expect(try Self.judge(report, ["milan-v2-7308.vcek.der"]).reason == "report_signature_invalid")
      #expect(try Self.judge(report, ["milan.ask.pem"]).reason == "certificate_missing")
    }

    /// All names are AMD's, all keys are someone's (Scripts/foreign_report.py).
    @Test func aChainOfTheRightNamesIsNotTrusted() throws {
      func fixture(_ name: String) throws -> [UInt8] {
        try [UInt8](Data(contentsOf: URL(fileURLWithPath: TestData.fixtures + "/host/" + name)))
      }
      let finding = try Self.judge(
        fixture("foreign.report"), [], more: [("foreign.pem", try fixture("foreign.pem"))])
      #expect(finding.status == .unknown && finding.reason == "certificate_not_trusted", "\(finding.explanation)")
    }

    @Test(.enabled(if: folder != nil, "needs the shared data")) func freshnessIsAsked() throws {
      let report = try Self.file("milan-v3-db18-fw1.55.29.bin")
      let finding = try Self.judge(report, ["milan-v3-db18.vcek.pem"], nonce: [1, 2, 3])
      #expect(finding.status == .unknown && finding.reason == "report_not_fresh")
      let own = Array(report[0x50..<0x90])
      let fresh = try Self.judge(report, ["milan-v3-db18.vcek.pem"], nonce: own)
      #expect(fresh.status == .mitigated && fresh.confidence == .high)
    }

    @Test(.enabled(if: folder != nil, "needs the shared data")) func fuzz() throws {
      let rounds = Int(ProcessInfo.processInfo.environment["MARTLET_FUZZ_ROUNDS"] ?? "") ?? 5_000
      var noise = SplitMix(seed: 3)
      let seeds = try [Self.file("milan-v2-7308.vcek.der"), Self.file("milan-v3-db18.vcek.pem")]
      for _ in 0..<rounds {
        _ = try? AMDCertificate.read(noise.damaged(seeds[Int(noise.next() % 2)]), name: "c")
      }
    }
  #endif

  @Test func fuzzReports() throws {
    let rounds = Int(ProcessInfo.processInfo.environment["MARTLET_FUZZ_ROUNDS"] ?? "") ?? 5_000
    var noise = SplitMix(seed: 4)
    for round in 0..<rounds {
      var bytes = [UInt8](repeating: 0, count: AttestationReport.size)
      bytes[0] = UInt8(round % 6)
      bytes[0x34] = 1
      for _ in 0..<12 { bytes[Int(noise.next() % 1184)] = UInt8(truncatingIfNeeded: noise.next()) }
      guard let report = try? AttestationReport(bytes, name: "r") else { continue }
      let facts = ReportFacts(report, signature: .verified, isFresh: true, product: .milan, isAnchored: true)
      let finding = try #require(HostVerdict(HostReader.read(facts, name: "r"))[.cacheWarp])
      #expect(finding.exposure == .guestSNP)
    }
  }
}
