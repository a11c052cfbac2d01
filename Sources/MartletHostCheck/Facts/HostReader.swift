import CMartletSystem

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Reads the facts about a machine: this one, a captured /proc and /sys, or a cpuinfo file.
public enum HostReader {
  /// Reads the facts about this machine or from a folder.
  /// - Parameter root: a folder with proc/cpuinfo and optionally sys, dev, lib/firmware, etc/os-release and dmesg; nil
  ///   for this machine.
  /// - Throws: ``HostCheckError`` if /proc/cpuinfo is missing or unreadable on a Linux machine.
  public static func read(root: String? = nil) throws -> HostFacts {
    let files = HostFiles(root: root ?? "")
    let isLive = root == nil
    #if !os(Linux)
      if isLive { return nativeFacts() }
    #endif
    let path = (root.map { HostFiles(root: $0).root } ?? "") + "/proc/cpuinfo"
    let text = try HostFiles.read(named: path, atMost: CPUInfo.mostBytes)
    let info = try CPUInfo(text, name: path)
    var facts = HostFacts(origin: isLive ? "this machine" : root ?? "", architecture: info.architecture)
    facts.processors = info.processors
    facts.warnings = info.warnings
    readKernel(files, into: &facts)
    guard facts.architecture == .x86 else { return facts }
    if isLive { CPUIDWitness.read(into: &facts) }
    facts.readHypervisor(files)
    facts.readContainer(files)
    RevisionWitness(files: files, numbers: info.numbers, isLive: isLive).read(into: &facts)
    SEVWitness(files: files, isLive: isLive).read(into: &facts)
    facts.installedMicrocode = InstalledFirmware(files: files).read(into: &facts)
    return facts
  }

  /// - Parameters:
  ///   - bytes: the contents of the cpuinfo file of another machine.
  ///   - name: the name of the machine in reports.
  public static func read(cpuinfo bytes: [UInt8], name: String) throws -> HostFacts {
    let info = try CPUInfo(bytes, name: name)
    var facts = HostFacts(origin: name, architecture: info.architecture)
    facts.processors = info.processors
    facts.warnings = info.warnings
    if facts.architecture == .x86 {
      facts.readHypervisor(nil)
      facts.unread.append(
        "only a cpuinfo was given: what runs SEV, the firmware folder and the processor itself were not seen")
    }
    return facts
  }

  /// The contents of a file; `-` is standard input.
  public static func bytes(of path: String) throws -> [UInt8] {
    try HostFiles.read(named: path == "-" ? "/dev/stdin" : path, atMost: CPUInfo.mostBytes)
  }

  private static func readKernel(_ files: HostFiles, into facts: inout HostFacts) {
    let folder = "/sys/devices/system/cpu/vulnerabilities"
    facts.kernelVulnerabilities = files.names(in: folder).compactMap { name in
      files.line("\(folder)/\(name)").map { (name, $0) }
    }
    facts.distribution = files.bytes("/etc/os-release", atMost: 1 << 16).flatMap(Distribution.init(osRelease:))
    if files.exists("/sys/firmware") { facts.hasEFI = files.exists("/sys/firmware/efi") }
  }

  #if !os(Linux)
    /// A system without /proc: the architecture decides what it can, and the rest stays unknown.
    private static func nativeFacts() -> HostFacts {
      #if arch(x86_64)
        var facts = HostFacts(origin: "this machine", architecture: .x86)
        CPUIDWitness.read(into: &facts)
        facts.unread.append("this system does not show the microcode revision")
        return facts
      #else
        return HostFacts(origin: "this machine", architecture: .other("arm64"))
      #endif
    }
  #endif
}

extension HostFacts {
  /// From the flags; with files also its name. Without any flags a machine may be a guest, and is taken for one.
  mutating func readHypervisor(_ files: HostFiles?) {
    guard hypervisor == nil else { return }
    let flags = processors.map(\.kind.flags)
    if flags.contains(where: { $0?.hypervisor == true }) {
      hypervisor = "unnamed"
    } else if flags.contains(where: { $0 == nil }) {
      hypervisor = "unnamed"
      warnings.append("a processor has no flags, so this may be a virtual machine, and is judged as one")
    }
    guard let files, hypervisor != nil else { return }
    if files.line("/sys/hypervisor/type") == "xen" { hypervisor = "Xen" }
    let maker = ["sys_vendor", "product_name"].compactMap { files.line("/sys/class/dmi/id/\($0)") }
    if hypervisor == "unnamed", !maker.isEmpty { hypervisor = String(maker.joined(separator: " ").prefix(64)) }
  }

  mutating func readContainer(_ files: HostFiles) {
    let marks = ["docker", "kubepods", "containerd", "/lxc", "libpod"]
    let groups = files.bytes("/proc/1/cgroup", atMost: 1 << 16).map { String(decoding: $0, as: UTF8.self) } ?? ""
    isContainer =
      ["/.dockerenv", "/run/.containerenv", "/run/systemd/container"].contains(where: files.exists)
      || marks.contains(where: groups.contains)
    if isContainer {
      evidence.append("a container: the processor is the host's, what the host's modules allow may be hidden")
    }
  }
}

extension HostReader {
  /// The facts in an attestation report, alone or added to those about the guest that it is from.
  ///
  /// - Parameters:
  ///   - report: the verified report.
  ///   - guest: the facts about the guest; nil if there is only the report.
  ///   - name: the name of the host in reports.
  public static func read(_ report: ReportFacts, guest: HostFacts? = nil, name: String) -> HostFacts {
    var facts = guest ?? HostFacts(origin: name, architecture: .x86)
    if guest == nil {
      var processor = report.report.processor ?? Processor()
      processor.vendor = "AuthenticAMD"
      facts.processors = [(processor, 1)]
      facts.unread.append(
        "only a report was given: it speaks for its processor, microcode and firmware, and for nothing else")
    }
    facts.hypervisor = facts.hypervisor ?? "unnamed"
    facts.guestEncryption = .snp
    facts.report = report
    return facts
  }
}
