import Foundation
import MartletTestSupport
import Testing

@testable import MartletHostCheck

/// Captured machines: files in a folder.
@Suite struct HostReaderTests {
  static func cpuinfo(
    _ vendor: String = "AuthenticAMD", family: Int = 25, model: Int = 1, stepping: Int = 1,
    name: String = "AMD EPYC 7543 32-Core Processor", revision: String? = "0xa0011a9", flags: String = "svm sev sev_es",
    number: Int = 0
  ) -> String {
    """
    processor\t: \(number)
    vendor_id\t: \(vendor)
    cpu family\t: \(family)
    model\t\t: \(model)
    model name\t: \(name)
    stepping\t: \(stepping)
    \(revision.map { "microcode\t: \($0)\n" } ?? "")flags\t\t: \(flags)


    """
  }
  static func iceLake(_ revision: String?, flags: String = "erms fsrm", number: Int = 0) -> String {
    cpuinfo(
      "GenuineIntel", family: 6, model: 106, stepping: 6, name: "Intel(R) Xeon(R) Platinum 8375C", revision: revision,
      flags: flags, number: number)
  }

  static func machine(_ files: [String: String]) throws -> (TestData.Scratch, HostFacts) {
    let scratch = try TestData.Scratch()
    for (path, text) in files {
      let file = URL(fileURLWithPath: scratch.file(path))
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
    return (scratch, try HostReader.read(root: scratch.path))
  }

  static func judge(_ files: [String: String], _ flaw: Flaw) throws -> Finding {
    try #require(try HostVerdict(machine(files).1)[flaw])
  }
  static func judge(_ text: String, _ flaw: Flaw) throws -> Finding {
    try #require(HostVerdict(HostReader.read(cpuinfo: Array(text.utf8), name: "text"))[flaw])
  }

  @Test func moduleParametersDecideTheExposure() throws {
    let parameters = "sys/module/kvm_amd/parameters/"
    let old = Self.cpuinfo(), fixed = Self.cpuinfo(revision: "0xa0011d1")
    func finding(_ text: String, _ sev: String, _ sevES: String, _ snp: String, log: String? = nil) throws -> Finding {
      var files = [
        "proc/cpuinfo": text, parameters + "sev": sev, parameters + "sev_es": sevES, parameters + "sev_snp": snp,
      ]
      files["dmesg"] = log
      return try Self.judge(files, .cacheWarp)
    }
    let off = try finding(old, "N\n", "N\n", "N\n")
    #expect(off.status == .vulnerable && off.exposure == .hostSEVOff && off.exitCode == 1)
    let on = try finding(old, "Y\n", "Y\n", "1\n")
    #expect(on.status == .vulnerable && on.exposure == .hostSNPOn && on.exitCode == 2)
    #expect(on.action == "update_microcode_package+sev_firmware")
    let encryptedOnly = try finding(fixed, "1", "1", "0")
    #expect(encryptedOnly.status == .unknown && encryptedOnly.reason == "fix_documented_for_snp_only")
    let firmware = try finding(
      fixed, "Y", "Y", "Y",
      log: "[1.0] ccp 0000:22:00.1: SEV API:1.55 build:24\n[1.1] ccp: SEV firmware updated from 1.53.5 to 1.55.29\n")
    #expect(firmware.status == .mitigated && firmware.warnings.isEmpty)
    let oldFirmware = try finding(fixed, "Y", "Y", "Y", log: "ccp 0000:22:00.1: SEV API:1.49 build:3")
    #expect(oldFirmware.status == .vulnerable && oldFirmware.reason == "sev_firmware_below_floor")
  }

  @Test func theInstalledMicrocodeIsNamed() throws {
    let scratch = try TestData.Scratch()
    let folder = scratch.file("lib/firmware/intel-ucode")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try FileManager.default.createDirectory(atPath: scratch.file("proc"), withIntermediateDirectories: true)
    try Data(Self.iceLake("0xd0003a5").utf8).write(to: URL(fileURLWithPath: scratch.file("proc/cpuinfo")))
    try Data(MicrocodeTests.intel(revision: 0x0d00_03d1)).write(to: URL(fileURLWithPath: folder + "/06-6a-06"))
    let finding = try #require(HostVerdict(HostReader.read(root: scratch.path))[.reptar])
    #expect(finding.status == .vulnerable && finding.action == "regenerate_initramfs_and_reboot")
    #expect(finding.evidence.contains { $0.contains("0x0d0003d1 is installed") && $0.contains("0x0d0003a5 runs") })
    // A damaged file changes no verdict and is told.
    try Data("no microcode at all, but long enough for a header of one..".utf8)
      .write(to: URL(fileURLWithPath: folder + "/06-6a-06"))
    let facts = try HostReader.read(root: scratch.path)
    #expect(facts.warnings.contains { $0.contains("06-6a-06") && $0.contains("damaged") })
    #expect(HostVerdict(facts)[.reptar]?.action == "update_microcode_package")
  }

  @Test func sysfsIsASecondWitness() throws {
    let finding = try Self.judge(
      [
        "proc/cpuinfo": Self.iceLake("0xd0003b9") + Self.iceLake("0xd0003b9", number: 1),
        "sys/devices/system/cpu/cpu0/microcode/version": "0xd0003b9\n",
        "sys/devices/system/cpu/cpu0/microcode/processor_flags": "0x80\n",
        "sys/devices/system/cpu/cpu1/microcode/version": "0xd0003a5\n",
      ], .reptar)
    #expect(finding.status == .vulnerable)
    #expect(finding.warnings.contains { $0.hasPrefix("mixed") })
  }

  @Test func whatIsHiddenLeavesTheExposureOpen() throws {
    #expect(try Self.judge(["proc/cpuinfo": Self.cpuinfo()], .cacheWarp).exposure == .hostSEVCapable)
    let hidden = try Self.judge(["proc/cpuinfo": Self.cpuinfo(), "sys/kernel/mm/x": ""], .cacheWarp)
    #expect(hidden.exposure == .unknown && hidden.exitCode == 2 && hidden.action == "ask_host_operator")
    let container = try Self.judge(["proc/cpuinfo": Self.cpuinfo(), ".dockerenv": ""], .cacheWarp)
    #expect(container.exposure == .unknown && container.status == .vulnerable)
  }

  @Test func guestsAndTheirEncryption() throws {
    let milan = Self.cpuinfo(revision: "0xffffffff", flags: "hypervisor")
    // Azure's confidential guests look like this, and so do few others.
    #expect(try Self.judge(["proc/cpuinfo": milan], .cacheWarp).reason == "guest_may_be_encrypted")
    let plain = Self.cpuinfo(revision: "0xffffffff", flags: "hypervisor svm")
    #expect(try Self.judge(["proc/cpuinfo": plain], .cacheWarp).reason == "guest_without_sev_evidence")
    let isolation = "[    0.0] Hyper-V: Isolation Config: Group A 0x1, Group B 0x"
    #expect(try Self.judge(["proc/cpuinfo": milan, "dmesg": isolation + "0\n"], .cacheWarp).status == .notAffected)
    #expect(try Self.judge(["proc/cpuinfo": plain, "dmesg": isolation + "ba2\n"], .cacheWarp).exposure == .guestSNP)
    let snp = try Self.judge(["proc/cpuinfo": milan, "sys/devices/system/cpu/sev/vmpl": "0\n"], .cacheWarp)
    #expect(snp.status == .unknown && snp.exposure == .guestSNP && snp.action == "verify_report")
    let log = "[    0.1] Memory Encryption Features active: AMD SEV SEV-ES\n"
    let rome = Self.cpuinfo(model: 49, revision: "0xffffffff", flags: "hypervisor").replacingOccurrences(
      of: ": 25", with: ": 23")
    let sevES = try Self.judge(["proc/cpuinfo": rome, "var/log/dmesg": log], .cacheWarp)
    #expect(sevES.status == .vulnerable && sevES.exposure == .guestSEVES && sevES.action == "move_to_newer_generation")
  }

  @Test func theKernelsListIsShownUnchanged() throws {
    let (_, facts) = try Self.machine([
      "proc/cpuinfo": Self.iceLake("0xd0003b9"),
      "sys/devices/system/cpu/vulnerabilities/mds": "Not affected\n",
      "sys/devices/system/cpu/vulnerabilities/spectre_v2": "Mitigation: Retpolines; IBPB: conditional\n",
      "etc/os-release": "ID=linuxmint\nID_LIKE=\"ubuntu debian\"\nPRETTY_NAME=\"Linux Mint 22\"\n",
    ])
    #expect(facts.kernelVulnerabilities.map(\.name) == ["mds", "spectre_v2"])
    #expect(facts.kernelVulnerabilities.map(\.text) == ["Not affected", "Mitigation: Retpolines; IBPB: conditional"])
    #expect(
      facts.distribution
        == Distribution(osRelease: Array("ID=ubuntu\nPRETTY_NAME='x'\n".utf8)).map {
          var copy = $0
          copy.name = "Linux Mint 22"
          return copy
        })
  }

  @Test func lackOfEvidenceIsNeverSafety() throws {
    // Cut at every byte: no answer better than the whole file's, unless it is an error.
    let whole = Array((Self.iceLake("0xd0003a5") + Self.iceLake("0xd0003a5", number: 1)).utf8)
    for end in 0..<whole.count {
      guard let facts = try? HostReader.read(cpuinfo: Array(whole[..<end]), name: "cut") else { continue }
      let verdict = HostVerdict(facts)
      #expect([.unknown, .vulnerable].contains(verdict[.reptar]?.status), "cut at \(end)")
    }
    let milan = Array(Self.cpuinfo().utf8)
    for end in 0..<milan.count {
      guard let facts = try? HostReader.read(cpuinfo: Array(milan[..<end]), name: "cut") else { continue }
      #expect(
        [.unknown, .vulnerable, nil].contains(HostVerdict(facts)[.cacheWarp]?.status) || facts.isGuest, "cut at \(end)")
    }
    #expect(try Self.judge("processor : 0\nvendor_id : Genui\n", .reptar).reason == "vendor_not_known")
    #expect(try Self.judge("flags : fpu vme\n", .reptar).reason == "identity_missing")
    let noName = Self.cpuinfo(model: 49, name: "").replacingOccurrences(of: ": 25", with: ": 23")
    #expect(try Self.judge(noName, .cacheWarp).status == .unknown)
  }

  @Test func othersThanX86AreSaidToBe() throws {
    for (text, name) in [
      ("processor : 0\nCPU implementer : 0x41\nCPU architecture: 8\n", "arm64"),
      ("processor : 0\nCPU implementer : 0x41\nCPU architecture: 7\n", "arm,"),
      ("processor : 0\nhart : 0\nisa : rv64imafdc\n", "riscv64"),
      ("processor : 0\ncpu : POWER9, altivec supported\n", "ppc64"), ("vendor_id : IBM/S390\n", "s390x"),
    ] {
      for flaw in Flaw.allCases {
        let finding = try Self.judge(text, flaw)
        #expect(finding.status == .notAffected && finding.reason == "not_x86")
        #expect(finding.explanation.contains(name))
      }
    }
  }

  @Test func whatIsNoCPUInfoIsRefused() throws {
    for bytes in [[], [UInt8](repeating: 0, count: 4096), Array("<html>404</html>".utf8), [0xff, 0xfe, 0x3a, 0x0a]] {
      let error = #expect(throws: HostCheckError.self) { try HostReader.read(cpuinfo: bytes, name: "some file") }
      #expect(error?.description.contains("some file") == true)
    }
    let missing = #expect(throws: HostCheckError.self) { try HostReader.read(root: "/nowhere") }
    #expect(missing?.description.contains("/nowhere/proc/cpuinfo") == true)
  }

  @Test func contradictionsAreTold() throws {
    let twice = Self.iceLake("0xd0003b9").replacingOccurrences(
      of: "microcode\t: 0xd0003b9\n", with: "microcode\t: 0xd0003b9\nmicrocode\t: 0xd0003a5\n")
    let facts = try HostReader.read(cpuinfo: Array(twice.utf8), name: "text")
    #expect(facts.warnings.contains { $0.contains("microcode") })
    #expect(HostVerdict(facts)[.reptar]?.status == .vulnerable)
    let mixed = try HostReader.read(
      cpuinfo: Array((Self.iceLake("0xd0003b9") + Self.cpuinfo(number: 1)).utf8), name: "text")
    #expect(HostVerdict(mixed)[.reptar]?.status == .mitigated && HostVerdict(mixed)[.cacheWarp]?.status == .vulnerable)
    let huge = Self.iceLake("0x100000000")
    #expect(try Self.judge(huge, .reptar).status == .unknown)
  }

  @Test func fourThousandProcessors() throws {
    let flags = (0..<120).map { "flag\($0)" }.joined(separator: " ") + " fsrm"
    func read(_ count: Int) throws -> (facts: HostFacts, time: Duration) {
      let text = (1...count).map {
        Self.iceLake($0 == count ? "0xd0003a5" : "0xd0003b9", flags: flags, number: $0)
      }.joined()
      let bytes = Array(text.utf8), started = ContinuousClock.now
      return (try HostReader.read(cpuinfo: bytes, name: "text"), ContinuousClock.now - started)
    }
    func fastest(_ count: Int) throws -> (facts: HostFacts, time: Duration) {
      let runs = try (0..<4).map { _ in try read(count) }
      return (runs[0].facts, runs.map(\.time).min() ?? runs[0].time)
    }
    let few = try fastest(256), many = try fastest(4096)
    #expect(many.facts.logicalProcessors == 4096 && many.facts.processors.count == 2)
    #expect(HostVerdict(many.facts)[.reptar]?.status == .vulnerable)
    // 16 times the text; work that grew with its square would take 256 times as long.
    #expect(many.time < few.time * 128)
  }

  @Test func hybridProcessorsAreJudgedTogether() throws {
    let alder = Self.cpuinfo(
      "GenuineIntel", family: 6, model: 151, stepping: 2, name: "12th Gen Intel(R) Core(TM) i9-12900K",
      revision: "0x2c",
      flags: "fsrm")
    let (_, facts) = try Self.machine([
      "proc/cpuinfo": alder, "sys/devices/cpu_core/cpus": "0-15\n", "sys/devices/cpu_atom/cpus": "16-23\n",
    ])
    #expect(facts.evidence.contains { $0.contains("0-15") && $0.contains("16-23") })
    #expect(HostVerdict(facts)[.reptar]?.status == .vulnerable)
  }

  @Test func platformIdNeverDecidesAlone() throws {
    // Sapphire Rapids and Xeon Max share a signature; the revision's own scale tells them apart.
    func finding(_ revision: String, _ name: String) throws -> Finding {
      try Self.judge(
        Self.cpuinfo("GenuineIntel", family: 6, model: 143, stepping: 8, name: name, revision: revision, flags: "fsrm"),
        .reptar)
    }
    #expect(try finding("0x2b0004b1", "Intel(R) Xeon(R) Platinum 8480+").status == .vulnerable)
    #expect(try finding("0x2c000271", "Intel(R) Xeon(R) CPU Max 9480").status == .notAffected)
    #expect(try finding("0x2c000290", "Intel(R) Xeon(R) CPU Max 9480").status == .mitigated)
    #expect(try finding("0x2c000271", "Intel(R) Xeon(R)").reason == "sources_conflict_intel_list_wins")
  }

  @Test func daysThereAndBack() {
    #expect(CivilDay(year: 1970, month: 1, day: 1).sinceEpoch == 0)
    #expect(CivilDay(year: 2026, month: 2, day: 10).sinceEpoch == 20_494)
    for days in stride(from: 0, to: 60_000, by: 7) {
      let day = CivilDay(sinceEpoch: days)
      #expect(day.sinceEpoch == days && (1...12).contains(day.month) && (1...31).contains(day.day))
    }
    let leap = CivilDay(sinceEpoch: 11_016)
    #expect(leap.year == 2000 && leap.month == 2 && leap.day == 29)
  }

  @Test func textOfStrangersIsEscaped() throws {
    let value = ReportValue.object(["a": .text("x\"\\\n\u{1}é"), "b": nil, "c": .list([.number(-1), .flag(true)])])
    let read = try JSONSerialization.jsonObject(with: Data(value.json.utf8)) as? [String: Any]
    #expect(read?["a"] as? String == "x\"\\\n\u{1}é" && read?.count == 2)
  }

  @Test func signaturesThereAndBack() {
    var processor = Processor()
    for signature: UInt32 in [0x606a6, 0xa00f11, 0x00f61, 0xb0671, 0x306f2, 0x100f42, 0xb00f21, 0x800f12] {
      processor.signature = signature
      #expect(processor.signature == signature)
    }
    processor.family = 0x110
    #expect(processor.signature == nil)
  }

  @Test func fuzz() throws {
    let rounds = Int(ProcessInfo.processInfo.environment["MARTLET_FUZZ_ROUNDS"] ?? "") ?? 5_000
    var noise = SplitMix(seed: 9)
    let seeds = [
      Self.iceLake("0xd0003a5") + Self.iceLake(nil, number: 1), Self.cpuinfo(),
      "processor : 0\nCPU implementer : 0x41\n",
    ].map { Array($0.utf8) }
    for _ in 0..<rounds {
      let bytes = noise.damaged(seeds[Int(noise.next() % 3)])
      guard let facts = try? HostReader.read(cpuinfo: bytes, name: "f") else { continue }
      let report = HostReport(HostVerdict(facts), toolVersion: "0", isRoot: false)
      _ = report.nagios
    }
    for _ in 0..<rounds {
      let log = String(
        decoding: noise.damaged(Array("SEV API:1.55 build:24\nSEV firmware updated from 1.53.5 to 1.55.29".utf8)),
        as: UTF8.self)
      _ = SEVWitness.firmware(in: log)
      _ = Distribution(osRelease: noise.damaged(Array("ID=debian\nID_LIKE=\"x\"\nPRETTY_NAME=\"Debian\"\n".utf8)))
    }
  }
}
