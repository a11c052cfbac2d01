import Foundation
import MartletTestSupport
import Testing

@testable import MartletHostCheck

/// Machines that others reported of, and more of their kinds.
@Suite struct LearningCaseTests {
  static let folder = TestData.cases.map { $0 + "/learning/host/" }

  /// File, Reptar and CacheWarp. By the tables of the two flaws; only the processor whose name and revision contradict each
  /// other was judged otherwise before.
  static let expected: [(String, String, String)] = [
    ("arl-s.txt", "not_affected high", "not_affected high"),
    ("arl-u.txt", "not_affected high", "not_affected high"),
    ("bartlett.txt", "unknown low", "not_affected high"),
    ("clearwater.txt", "unknown low", "not_affected high"),
    ("cometlake.txt", "not_affected high", "not_affected high"),
    ("crlf-icx.txt", "vulnerable high", "not_affected high"),
    ("diamond.txt", "unknown low", "not_affected high"),
    ("embedded3000.txt", "not_affected high", "vulnerable high"),
    ("emr.txt", "not_affected high", "not_affected high"),
    ("freebsd-linprocfs.txt", "unknown low", "not_affected high"),
    ("genoa.txt", "not_affected high", "not_affected high"),
    ("hygon.txt", "not_affected high", "unknown low"),
    ("jasperlake.txt", "not_affected high", "not_affected high"),
    ("lakefield.txt", "not_affected medium", "not_affected high"),
    ("lnl.txt", "mitigated high", "not_affected high"),
    ("milan-ce.txt", "not_affected high", "vulnerable high"),
    ("milan-d1.txt", "not_affected high", "mitigated high"),
    ("milan-de2026.txt", "not_affected high", "mitigated high"),
    ("milanx-1231.txt", "not_affected high", "vulnerable high"),
    ("mtl.txt", "not_affected high", "not_affected high"),
    ("needrestart173-bdw-kvm.txt", "not_affected medium", "not_affected high"),
    ("nnpi.txt", "unknown low", "not_affected high"),
    ("novalake.txt", "unknown low", "not_affected high"),
    ("pre-icx.txt", "unknown low", "not_affected high"),
    ("ptl.txt", "unknown low", "not_affected high"),
    ("qubes9217-n4000.txt", "not_affected low", "not_affected high"),
    ("qubes9217-paste.txt", "unknown low", "unknown low"),
    ("raphael-epyc4.txt", "not_affected high", "not_affected medium"),
    ("rome-aws.txt", "not_affected medium", "not_affected medium"),
    ("rosetta.txt", "not_affected medium", "not_affected high"),
    ("smc336-kvm-f61.txt", "unknown low", "not_affected high"),
    ("smc430-icx-331.txt", "vulnerable high", "not_affected high"),
    ("smc475-rplp-4119.txt", "vulnerable high", "not_affected high"),
    ("smc475-rplp-411d.txt", "mitigated high", "not_affected high"),
    ("smc475-rpls-119.txt", "not_affected medium", "not_affected high"),
    ("snowridge.txt", "not_affected high", "not_affected high"),
    ("tr-pro-milan.txt", "not_affected high", "not_affected medium"),
    ("turin.txt", "not_affected high", "not_affected high"),
    ("turindense.txt", "not_affected high", "not_affected high"),
    ("ucode108-gnr-3f0.txt", "not_affected high", "not_affected high"),
    ("ucode110-adlu-43b.txt", "mitigated high", "not_affected high"),
    ("ucode110-adlu-c.txt", "unknown low", "not_affected high"),
    ("ucode110-azb-c.txt", "not_affected high", "not_affected high"),
    ("upper-icx.txt", "mitigated high", "not_affected high"),
    ("venice.txt", "not_affected high", "not_affected high"),
    ("wildcat.txt", "unknown low", "not_affected high"),
    ("wsl-tgl.txt", "unknown low", "not_affected high"),
    ("xen-domU-icx.txt", "mitigated low", "not_affected high"),
    ("zhaoxin.txt", "not_affected high", "not_affected high"),
  ]

  @Test(.enabled(if: folder != nil, "needs the shared cases")) func everyCaseGetsItsVerdict() throws {
    let folder = try #require(Self.folder)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == Self.expected.count)
    for (name, reptar, cacheWarp) in Self.expected {
      let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: folder + name)))
      let verdict = HostVerdict(try HostReader.read(cpuinfo: bytes, name: name))
      let found = verdict.findings.map { "\($0.status.rawValue) \($0.confidence.rawValue)" }
      #expect(found == [reptar, cacheWarp], "\(name): \(verdict.findings.map(\.explanation))")
    }
  }

  static func cpuinfo(
    vendor: String = "GenuineIntel", family: Int = 6, model: Int, stepping: Int, name: String?, revision: String?,
    flags: String = "fpu erms fsrm"
  ) -> [UInt8] {
    var lines = ["processor\t: 0", "vendor_id\t: \(vendor)", "cpu family\t: \(family)", "model\t\t: \(model)"]
    if let name { lines.append("model name\t: \(name)") }
    lines.append("stepping\t: \(stepping)")
    if let revision { lines.append("microcode\t: \(revision)") }
    return Array((lines + ["flags\t\t: \(flags)", ""]).joined(separator: "\n").utf8)
  }

  /// Two kinds of processors share 06-9a-04, and 06-8f-08: what is seen of one must not name the other.
  @Test func witnessesOfSharedSignaturesMustAgree() throws {
    let core = "12th Gen Intel(R) Core(TM) i5-1235U", atom = "Intel Atom(R) C1130"
    let gold = "Intel(R) Xeon(R) Gold 6430", hbm = "Intel(R) Xeon(R) CPU Max 9480"
    let rows: [(model: Int, name: String?, revision: String?, status: String)] = [
      (0x9a, core, "0x43b", "mitigated high"), (0x9a, core, "0x42c", "vulnerable medium"),
      (0x9a, core, "0xc", "unknown low"), (0x9a, core, "0x5", "unknown low"), (0x9a, core, nil, "unknown low"),
      (0x9a, "Intel(R) Pentium(R) 8505", "0x9", "unknown low"),
      (0x9a, "Intel(R) Celeron(R) 7305", "0x7", "unknown low"),
      (0x9a, atom, "0xc", "not_affected high"), (0x9a, atom, "0x43b", "unknown low"),
      (0x9a, "Intel(R) Atom(R) C1110", "0x430", "unknown low"), (0x9a, atom, nil, "not_affected high"),
      (0x9a, nil, "0xc", "not_affected high"), (0x9a, nil, "0x43b", "mitigated high"),
      (0x9a, "Genuine Intel(R) 0000", "0x430", "mitigated high"),
      (0x8f, gold, "0x2b0005d0", "mitigated high"), (0x8f, gold, "0x2c000290", "unknown low"),
      (0x8f, hbm, "0x2c000290", "mitigated high"), (0x8f, hbm, "0x2b0005d0", "unknown low"),
      (0x8f, hbm, "0x2c000271", "not_affected medium"),
    ]
    for row in rows {
      let bytes = Self.cpuinfo(
        model: row.model, stepping: row.model == 0x9a ? 4 : 8, name: row.name, revision: row.revision)
      let finding = try #require(HostVerdict(HostReader.read(cpuinfo: bytes, name: "x"))[.reptar])
      let found = "\(finding.status.rawValue) \(finding.confidence.rawValue)"
      #expect(found == row.status, "\(row): \(finding.explanation)")
    }
    // The platform of sysfs or the MSR is a witness like the others.
    var processor = Processor()
    processor.vendor = "GenuineIntel"
    processor.signature = 0x906a4
    processor.revision = 0xc
    for (mask, status) in [(0x80, Status.unknown), (0x40, .notAffected)] as [(UInt32, Status)] {
      processor.platformMask = mask
      #expect(Reptar.judge(processor, in: HostFacts(origin: "x", architecture: .x86)).status == status)
    }
  }

  /// That a guest is encrypted is not seen in a cpuinfo, and that it is not is seen there even less.
  @Test func guestsThatMayBeEncryptedAreUnknown() throws {
    let milan = "AMD EPYC 7763 64-Core Processor", rome = "AMD EPYC 7B12", genoa = "AMD EPYC 9V74 80-Core Processor"
    let rows:
      [(family: Int, model: Int, stepping: Int, name: String?, revision: String?, flags: String, status: String)] =
        [
          (25, 1, 1, milan, "0xffffffff", "fpu hypervisor sev sev_es sev_snp", "unknown"),
          (25, 1, 1, milan, "0xa0011d5", "fpu hypervisor sme sev sev_es sev_snp debug_swap", "unknown"),
          (25, 1, 1, "AMD EPYC-Milan Processor", "0x1000065", "fpu hypervisor sev_snp", "unknown"),
          (25, 1, 1, milan, nil, "fpu hypervisor sev", "unknown"),
          (25, 1, 1, nil, "0x1", "fpu hypervisor sev_es", "unknown"),
          (25, 1, 1, milan, "0xffffffff", "fpu sev_guest", "unknown"),
          (25, 1, 2, "AMD EPYC 7V73X 64-Core Processor", "0xffffffff", "fpu hypervisor sev_snp", "unknown"),
          (23, 49, 0, rome, "0xffffffff", "fpu hypervisor sev", "unknown"),
          (23, 1, 2, "AMD EPYC 7551", "0x1000065", "fpu hypervisor sev", "unknown"),
          // Azure's confidential guests show no SEV, but have no guests of their own.
          (25, 1, 1, "AMD EPYC 7763v 64-Core Processor", "0xffffffff", "fpu hypervisor fsrm", "unknown"),
          (25, 1, 1, milan, "0xffffffff", "fpu hypervisor svm fsrm", "not_affected"),
          // Ordinary guests.
          (25, 1, 1, milan, "0xa0011d3", "fpu hypervisor erms", "not_affected"),
          (23, 49, 0, rome, "0x830107d", "fpu hypervisor", "not_affected"),
          // The generation decides before the guest does.
          (25, 17, 1, genoa, "0xffffffff", "fpu hypervisor sev_snp", "not_affected"),
          (26, 2, 1, "AMD EPYC 9755", "0x1000065", "fpu hypervisor sev_snp", "not_affected"),
          // On a host the same flags are capabilities.
          (25, 1, 1, milan, "0xa0011ce", "fpu sme sev sev_es sev_snp", "vulnerable"),
          (25, 1, 1, milan, "0xa0011d5", "fpu sme sev sev_es sev_snp", "mitigated"),
        ]
    for row in rows {
      let bytes = Self.cpuinfo(
        vendor: "AuthenticAMD", family: row.family, model: row.model, stepping: row.stepping, name: row.name,
        revision: row.revision, flags: row.flags)
      let finding = try #require(HostVerdict(HostReader.read(cpuinfo: bytes, name: "x"))[.cacheWarp])
      #expect(finding.status.rawValue == row.status, "\(row): \(finding.explanation)")
      #expect(!(finding.status == .unknown && finding.explanation.contains("nothing to lose")))
    }
  }

  @Test func aTrustedDomainDoesNotBelieveItsHypervisor() throws {
    let name = "Intel(R) Xeon(R) Platinum 8480+"
    for (revision, flags, status) in [
      ("0x2b0005d0", "fpu hypervisor fsrm tdx_guest", "unknown"), ("0x2b0005d0", "fpu hypervisor fsrm", "mitigated"),
      ("0x2b000161", "fpu tdx_guest fsrm", "unknown"), ("0xffffffff", "fpu hypervisor tdx_guest", "unknown"),
    ] {
      let bytes = Self.cpuinfo(model: 0x8f, stepping: 8, name: name, revision: revision, flags: flags)
      let verdict = HostVerdict(try HostReader.read(cpuinfo: bytes, name: "x"))
      #expect(verdict[.reptar]?.status.rawValue == status, "\(revision) \(flags)")
      #expect(verdict.facts.isGuest)
    }
    // Emerald Rapids is not affected, whoever says it.
    let emerald = Self.cpuinfo(
      model: 0xcf, stepping: 2, name: "INTEL(R) XEON(R) PLATINUM 8592+", revision: "0xffffffff",
      flags: "fpu hypervisor fsrm tdx_guest")
    #expect(HostVerdict(try HostReader.read(cpuinfo: emerald, name: "x"))[.reptar]?.status == .notAffected)
  }

  @Test func hyperVTellsOfIsolation() {
    for (line, kind) in [
      ("[    0.000000] Hyper-V: Isolation Config: Group A 0x1, Group B 0xba2", 2),
      ("Hyper-V: Isolation Config: Group A 0x0, Group B 0x3", 3), ("Isolation Config: Group A 0x1, Group B 0x0", 0),
    ] as [(String, UInt32)] {
      let log = SEVWitness.linesOfInterest(Array("first\n\(line)\nlast, Is it\n".utf8))
      #expect(SEVWitness.hyperVIsolation(in: log) == kind)
    }
    for line in ["Isolation Config: Group A", "Group B 0x2", "Isolation Config: Group B 0xzz", ""] {
      #expect(SEVWitness.hyperVIsolation(in: line) == nil)
    }
  }

  /// The cure names the first release in which a processor's fixed revision came, by Intel's own release tags.
  @Test(.enabled(if: TestData.shared != nil, "needs the shared data")) func theCureNamesTheFirstRelease() throws {
    let rows = try DecisionTests.table(#require(TestData.shared) + "/host/intel_microcode_releases.tsv")
    var checked = 0
    for row in ReptarTable.shipped.rows where row.kind != .notAffected {
      guard let floor = row.floor, let release = row.release else { continue }
      let carrying = rows.filter {
        UInt32(number: $0["signature"] ?? "") == row.signature
          && (UInt32(number: $0["platform_mask"] ?? "") ?? 0) & row.platformMask != 0
          && (UInt32(number: $0["revision"] ?? "") ?? 0) >= floor
      }.compactMap { $0["first_release"] ?? $0["release"] }
      guard let first = carrying.min() else { continue }
      checked += 1
      #expect(release == first, "\(row.signature.hexadecimal8) \(row.codename)")
    }
    #expect(checked > 20)
    for (model, stepping, revision, name, words) in [
      (0xba, 8, "0x411e", "Intel(R) Core(TM) i7-14700HX", "20240312"),
      (0xbf, 6, "0x32", "Intel(R) Core(TM) i5-14400", "20250211"),
      (0xbd, 1, "0x110", "Intel(R) Core(TM) Ultra 7 258V", "20250512"),
      (0x6a, 6, "0xd0003a5", "Intel(R) Xeon(R) Gold 6330", "20231114"),
    ] {
      let bytes = Self.cpuinfo(model: model, stepping: stepping, name: name, revision: revision)
      let verdict = HostVerdict(try HostReader.read(cpuinfo: bytes, name: "x"))
      let finding = try #require(verdict[.reptar])
      let advice = Advice.lines(for: finding, facts: verdict.facts).joined(separator: "\n")
      #expect(finding.status == .vulnerable && advice.contains(words), "\(name): \(finding.explanation) \(advice)")
    }
  }
}
