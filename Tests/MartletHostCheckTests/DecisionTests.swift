import Foundation
import MartletTestSupport
import Testing

@testable import MartletHostCheck

/// Verdicts against vectors and fixtures that nobody here wrote (shared/data/host).
@Suite struct DecisionTests {
  static let data = TestData.shared.map { $0 + "/host" }

  static func table(_ path: String) throws -> [[String: String]] {
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
      .map { $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) }
    let head = try #require(lines.first)
    return lines.dropFirst().map { row in
      Dictionary(zip(head, row + [String](repeating: "", count: max(0, head.count - row.count)))) { first, _ in first }
    }
  }

  @Test(.enabled(if: data != nil, "needs the shared data")) func everyCPUInfoGetsItsVerdict() throws {
    let folder = try #require(Self.data) + "/cpuinfo/"
    let rows = try Self.table(folder + "expected.tsv")
    #expect(rows.count == 57)
    for row in rows {
      let name = try #require(row["file"])
      let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: folder + name)))
      let verdict = try HostVerdict(HostReader.read(cpuinfo: bytes, name: name))
      let reptar = try #require(verdict[.reptar]), cacheWarp = try #require(verdict[.cacheWarp])
      #expect(reptar.status.rawValue == row["reptar_status"], "\(name)")
      #expect(reptar.confidence.rawValue == row["reptar_confidence"], "\(name)")
      #expect(reptar.reason == row["reptar_reason"], "\(name)")
      #expect(cacheWarp.status.rawValue == row["cachewarp_status"], "\(name)")
      #expect(cacheWarp.exposure?.rawValue == row["cachewarp_exposure"], "\(name)")
      #expect(cacheWarp.reason == row["cachewarp_reason"], "\(name)")
      #expect(verdict.facts.logicalProcessors >= Int(row["logical_cpus"] ?? "") ?? 0, "\(name)")
      let isMixed = reptar.warnings.contains { $0.hasPrefix("mixed") }
      #expect(isMixed == (row["mixed_revisions"] == "yes"), "\(name)")
    }
  }

  @Test(.enabled(if: data != nil, "needs the shared data")) func everyVectorGetsItsVerdict() throws {
    let rows = try Self.table(#require(Self.data) + "/decision_vectors.tsv")
    #expect(rows.count == 65)
    for row in rows {
      let name = row["id"] ?? ""
      let (processor, facts) = try Self.facts(row)
      let finding =
        row["flaw"] == "reptar" ? Reptar.judge(processor, in: facts) : CacheWarp.judge(processor, in: facts)
      #expect(finding.status.rawValue == row["status"], "\(name)")
      #expect(finding.confidence.rawValue == row["confidence"], "\(name)")
      #expect(finding.reason == row["reason"], "\(name)")
      #expect(finding.exposure?.rawValue ?? "n/a" == row["exposure"], "\(name)")
      #expect("\(finding.exitCode)" == row["exit_code"], "\(name)")
      #expect(finding.action == row["action"], "\(name)")
    }
  }

  /// What a vector says in words, as facts.
  private static func facts(_ row: [String: String]) throws -> (Processor, HostFacts) {
    let vendor = row["vendor"] ?? "", extra = row["extra"] ?? ""
    let isX86 = ["GenuineIntel", "AuthenticAMD", "HygonGenuine"].contains(vendor)
    var facts = HostFacts(origin: "vector", architecture: isX86 ? .x86 : .other(vendor))
    var processor = Processor()
    processor.vendor = vendor
    processor.signature = UInt32(number: row["signature"] ?? "")
    processor.revision = UInt32(number: row["revision"] ?? "")
    processor.platformMask = UInt32(number: row["platform_mask"] ?? "")
    if let name = ["Common KVM processor", "EPYC 7551", "EPYC", "Ryzen 5950X"].first(where: extra.contains) {
      processor.modelName = name
    }
    if extra.contains("12th Gen Core") { processor.modelName = "12th Gen Intel(R) Core(TM) i7-1255U" }
    if row["hypervisor"] == "yes" { facts.hypervisor = "unnamed" }
    facts.isContainer = row["where"] == "container"
    func isOn(_ name: String) -> Bool? {
      extra.contains(name + "=Y") ? true : extra.contains(name + "=N") ? false : nil
    }
    if extra.contains("kvm_amd") {
      facts.sevParameters = .init(sev: isOn("sev"), sevES: isOn("sev_es"), snp: isOn("sev_snp"))
    }
    let firmware = try extra.firstMatch(of: Regex(#"fw (\d+)\.(\d+)\.(\d+)"#)).map { match in
      FirmwareVersion(
        Int(match[1].substring ?? "") ?? 0, Int(match[2].substring ?? "") ?? 0, Int(match[3].substring ?? "") ?? 0)
    }
    if extra.contains("SEV fw") { facts.sevFirmware = firmware }
    if let match = try extra.firstMatch(of: Regex("newer blob (0x[0-9a-f]+)")), let signature = processor.signature {
      facts.installedMicrocode = [
        InstalledMicrocode(
          signature: signature, platformMask: 0x87, revision: UInt32(number: match[1].substring ?? "") ?? 0, date: "",
          path: "/lib/firmware/intel-ucode/06-6a-06")
      ]
    }
    if extra.contains("SEV_STATUS") { facts.guestEncryption = .sevES }
    if extra.contains("SNP") && extra.contains("report") {
      facts.guestEncryption = .snp
      facts.report = try report(extra, signature: processor.signature, firmware: firmware)
      if processor.signature == nil { processor.vendor = nil }
    }
    return (processor, facts)
  }

  private static func report(_ extra: String, signature: UInt32?, firmware: FirmwareVersion?) throws -> ReportFacts {
    var identity = Processor()
    identity.signature = signature
    func version(_ name: String) throws -> UInt8? {
      try extra.firstMatch(of: Regex(name + #"[ =]0x([0-9a-f]{2})\b"#)).flatMap {
        UInt8($0[1].substring ?? "", radix: 16)
      }
    }
    let all = try version("ucode") ?? 0xdb
    let current = try version("current") ?? all
    let bytes = ReportFixture.bytes(
      version: extra.contains("v2") ? 2 : 3, identity: extra.contains("v2") ? nil : identity,
      current: current, reported: try version("reported") ?? current, committed: try version("committed") ?? current,
      launch: try version("launch") ?? current, firmware: firmware, debug: extra.contains("DEBUG"))
    return ReportFacts(
      try AttestationReport(bytes, name: "vector"),
      signature: extra.contains("BAD") ? .invalid(reason: "report_signature_invalid", why: "bad") : .verified,
      isFresh: !extra.contains("nonce differs"), product: extra.contains("Milan VCEK") ? .milan : nil, isAnchored: true)
  }
}

/// Reports that say what a test wants; nobody signed them.
enum ReportFixture {
  static func bytes(
    version: UInt8, identity: Processor?, current: UInt8, reported: UInt8, committed: UInt8, launch: UInt8,
    firmware: FirmwareVersion?, debug: Bool = false
  ) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: AttestationReport.size)
    bytes[0] = version
    bytes[0x34] = 1
    if debug { bytes[0x0a] = 1 << 3 }
    for (offset, value) in [(0x38, current), (0x180, reported), (0x1e0, committed), (0x1f0, launch)] {
      bytes[offset + 7] = value
      bytes[offset + 6] = 0x18
    }
    if let identity {
      bytes[0x188] = UInt8(identity.family ?? 0)
      bytes[0x189] = UInt8(identity.model ?? 0)
      bytes[0x18a] = UInt8(identity.stepping ?? 0)
    }
    if let firmware {
      (bytes[0x1e8], bytes[0x1e9], bytes[0x1ea]) = (
        UInt8(firmware.build), UInt8(firmware.minor), UInt8(firmware.major)
      )
    }
    return bytes
  }
}
