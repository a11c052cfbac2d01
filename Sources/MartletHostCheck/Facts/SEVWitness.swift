import CMartletSystem

/// Where SEV is: on as a host, and around us as a guest. That the processor could do it proves neither.
struct SEVWitness {
  let files: HostFiles
  let isLive: Bool

  func read(into facts: inout HostFacts) {
    guard facts.processors.contains(where: { $0.kind.isAMD }) else { return }
    let log = kernelLog(&facts)
    if facts.isGuest { return readGuest(log, into: &facts) }
    let folder = "/sys/module/kvm_amd/parameters"
    if files.exists(folder) {
      let parameters = HostFacts.SEVParameters(
        sev: flag(folder + "/sev"), sevES: flag(folder + "/sev_es"), snp: flag(folder + "/sev_snp"))
      facts.sevParameters = parameters
      let words = [("sev", parameters.sev), ("sev_es", parameters.sevES), ("sev_snp", parameters.snp)]
        .map { "\($0.0)=\($0.1.map { $0 ? "Y" : "N" } ?? "?")" }
      facts.evidence.append("kvm_amd: " + words.joined(separator: " "))
    } else if !files.exists("/sys") {
      facts.unread.append("there is no copy of /sys, so it is unknown whether SEV is on")
    } else if !files.exists("/sys/module") {
      facts.areModulesHidden = true
      facts.unread.append("/sys/module is hidden, so whether SEV is on cannot be seen: ask on the host itself")
    } else {
      facts.evidence.append("kvm_amd is not loaded")
    }
    if files.exists("/dev/sev") { facts.evidence.append("/dev/sev is there: the SEV firmware has a driver") }
    if let log {
      facts.sevFirmware = Self.firmware(in: log)
      if let version = facts.sevFirmware { facts.evidence.append("kernel log: SEV firmware \(version)") }
    }
  }

  private func readGuest(_ log: String?, into facts: inout HostFacts) {
    if files.exists("/sys/devices/system/cpu/sev/vmpl") || files.exists("/dev/sev-guest") {
      facts.guestEncryption = .snp
      facts.evidence.append("an SEV-SNP guest (vmpl in sysfs, or /dev/sev-guest)")
    } else if isLive, let status = HostFiles.number64("/dev/cpu/0/msr", at: 0xc001_0131) {
      // SEV_STATUS: bit 0 SEV, 1 SEV-ES, 2 SEV-SNP.
      facts.guestEncryption = status & 4 != 0 ? .snp : status & 2 != 0 ? .sevES : status & 1 != 0 ? .sev : nil
      facts.isPlainGuest = facts.guestEncryption == nil
      facts.evidence.append("MSR SEV_STATUS: \(facts.guestEncryption?.rawValue ?? "no SEV")")
      return
    } else if let kind = isLive ? CPUIDWitness.hyperVIsolation() : log.flatMap(Self.hyperVIsolation) {
      // Azure's confidential guests have neither /dev/sev-guest nor the MSR; Hyper-V says it.
      facts.guestEncryption = kind == 2 ? .snp : nil
      facts.isPlainGuest = kind != 2
      facts.evidence.append("Hyper-V: isolation type \(kind)\(kind == 2 ? " (SEV-SNP)" : kind == 0 ? " (none)" : "")")
    } else if let line = log?.split(separator: "\n").first(where: { $0.contains("Memory Encryption Features active") })
    {
      facts.guestEncryption =
        line.contains("SEV-SNP") ? .snp : line.contains("SEV-ES") ? .sevES : line.contains("SEV") ? .sev : nil
      if let kind = facts.guestEncryption { facts.evidence.append("kernel log: \(kind.rawValue) is active") }
    }
    if isLive, facts.guestEncryption == nil, !files.isReadable("/dev/cpu/0/msr") {
      facts.unread.append(
        "root could read the MSR SEV_STATUS (modprobe msr), which tells whether this guest is encrypted")
    }
  }

  private func flag(_ path: String) -> Bool? {
    switch files.line(path) {
    case "Y", "y", "1": return true
    case "N", "n", "0": return false
    default: return nil
    }
  }

  /// The lines of the kernel's log that name SEV; nil where it cannot be read.
  private func kernelLog(_ facts: inout HostFacts) -> String? {
    if isLive {
      let bytes = [UInt8](unsafeUninitializedCapacity: 1 << 20) { buffer, used in
        used = max(
          0, buffer.withMemoryRebound(to: CChar.self) { martlet_kernel_log($0.baseAddress, Int32($0.count)) })
      }
      if !bytes.isEmpty { return Self.linesOfInterest(bytes) }
      facts.unread.append("root could read the kernel's log, which names the SEV firmware's version")
    }
    return ["/dmesg", "/var/log/dmesg"].lazy.compactMap { files.bytes($0, atMost: 4 << 20) }.first
      .map(Self.linesOfInterest)
  }

  /// The lines that name SEV, and Hyper-V's on isolation.
  static func linesOfInterest(_ log: [UInt8]) -> String {
    let named = linesNamingSEV(log)
    let isolation = Array("Isolation Config:".utf8)
    guard let first = isolation.first else { return named }
    var start = 0
    while let found = log[start...].firstIndex(of: first) {
      if log[found...].starts(with: isolation) {
        let end = log[found...].firstIndex(of: 0x0a) ?? log.count
        return named + String(decoding: log[found..<end], as: UTF8.self) + "\n"
      }
      start = found + 1
    }
    return named
  }

  /// A log may have a megabyte, and the few lines that count are found without making text of it.
  static func linesNamingSEV(_ log: [UInt8]) -> String {
    var lines: [UInt8] = []
    log.withUnsafeBufferPointer { log in
      var index = 2
      while index < log.count {
        // "SEV", looked for at its last letter: most steps skip three bytes.
        switch log[index] {
        case 0x56 where log[index - 1] == 0x45 && log[index - 2] == 0x53:
          let start = log[..<index].lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
          let end = log[index...].firstIndex(of: 0x0a) ?? log.count
          lines += log[start..<end]
          lines.append(0x0a)
          index = end + 3
        case 0x56: index += 3
        case 0x45: index += 1
        case 0x53: index += 2
        default: index += 3
        }
      }
    }
    return String(decoding: lines, as: UTF8.self)
  }

  /// The isolation type in "Hyper-V: Isolation Config: Group A 0x1, Group B 0xba2": 0 none, 1 VBS, 2 SEV-SNP, 3 TDX.
  static func hyperVIsolation(in log: String) -> UInt32? {
    guard let line = log.split(separator: "\n").first(where: { $0.contains("Isolation Config:") }),
      let digits = line.split(separator: "Group B 0x").last, line.contains("Group B 0x"),
      let value = UInt32(digits.prefix { $0.isHexDigit }, radix: 16)
    else { return nil }
    return value & 0xf
  }

  /// The last of "SEV API:1.55 build:24" and "SEV firmware updated from 1.53.5 to 1.55.29".
  static func firmware(in log: String) -> FirmwareVersion? {
    var version: FirmwareVersion?
    for line in log.split(separator: "\n") where line.contains("SEV") {
      if let words = line.split(separator: "SEV API:").last, line.contains("SEV API:") {
        let numbers = words.split { !$0.isNumber }.prefix(3).compactMap { Int($0) }
        if numbers.count == 3, words.contains("build:") {
          version = FirmwareVersion(numbers[0], numbers[1], numbers[2])
        }
      } else if line.contains("SEV firmware updated from"), let words = line.split(separator: " to ").last {
        let numbers = words.split(separator: ".").compactMap { Int($0.prefix { $0.isNumber }) }
        if numbers.count == 3 { version = FirmwareVersion(numbers[0], numbers[1], numbers[2]) }
      }
    }
    return version
  }
}

extension HostFiles {
  /// Eight bytes of a device file, lowest first.
  static func number64(_ path: String, at offset: Int64) -> UInt64? {
    var bytes = [UInt8](repeating: 0, count: 8)
    guard martlet_read_file(path, &bytes, 8, offset) == 8 else { return nil }
    return bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
