import CMartletSystem

/// The processor's own word, which no file mounted over /proc/cpuinfo can change.
enum CPUIDWitness {
  static func read(into facts: inout HostFacts) {
    guard let identity = registers(0), let signature = registers(1)?.eax else { return }
    let vendor = text([identity.ebx, identity.edx, identity.ecx])
    var processor = Processor()
    processor.vendor = vendor.trimmingBlanks
    processor.signature = signature & 0x0fff_3fff
    if facts.processors.isEmpty {
      var flags = Processor.Flags()
      flags.hypervisor = (registers(1)?.ecx ?? 0) >> 31 == 1
      flags.fastShortRepeatMove = (registers(7)?.edx ?? 0) >> 4 & 1 == 1
      processor.flags = flags
      processor.modelName = brand()
      facts.processors = [(processor, 1)]
    }
    let shown = Set(facts.processors.map { $0.kind.signature })
    if !facts.processors.contains(where: {
      $0.kind.vendor == processor.vendor && $0.kind.signature == processor.signature
    }) {
      facts.warnings.append(
        "/proc/cpuinfo shows \(shown.map { $0?.hexadecimal8 ?? "no signature" }.sorted().joined(separator: ", ")), the processor itself says "
          + "\(processor.vendor ?? "") \((processor.signature ?? 0).hexadecimal8): the processor is believed")
      for index in facts.processors.indices {
        facts.processors[index].kind.vendor = processor.vendor
        facts.processors[index].kind.signature = processor.signature
      }
    }
    if (registers(7)?.edx ?? 0) >> 4 & 1 == 1 {
      // Kernels before 5.6 do not know the flag.
      for index in facts.processors.indices { facts.processors[index].kind.flags?.fastShortRepeatMove = true }
    }
    if let ecx = registers(1)?.ecx, ecx >> 31 == 1 {
      let name = registers(0x4000_0000).map { text([$0.ebx, $0.ecx, $0.edx]) } ?? ""
      facts.hypervisor = names[name] ?? (name.isEmpty ? "unnamed" : String(name.prefix(12)))
    } else if facts.processors.contains(where: { $0.kind.flags?.hypervisor == true }) {
      facts.warnings.append("/proc/cpuinfo names a hypervisor, the processor itself does not")
    }
    var words = "CPUID: \(processor.vendor ?? "") \((processor.signature ?? 0).hexadecimal8)"
    if processor.isAMD, let eax = registers(0x8000_001f)?.eax {
      let parts = [(1, "SEV"), (3, "SEV-ES"), (4, "SEV-SNP")].filter { eax >> UInt32($0.0) & 1 == 1 }.map(\.1)
      if !parts.isEmpty { words += ", capable of \(parts.joined(separator: ", "))" }
    }
    facts.evidence.append(words)
  }

  /// What Hyper-V says of this guest's isolation: 0 none, 1 VBS, 2 SEV-SNP, 3 TDX; nil without Hyper-V.
  static func hyperVIsolation() -> UInt32? {
    guard let ecx = registers(1)?.ecx, ecx >> 31 == 1, let leaf = registers(0x4000_0000), leaf.eax >= 0x4000_000c,
      leaf.eax <= 0x4000_ffff, text([leaf.ebx, leaf.ecx, leaf.edx]) == "Microsoft Hv",
      let features = registers(0x4000_0003)
    else { return nil }
    guard features.ebx >> 22 & 1 == 1 else { return 0 }
    return registers(0x4000_000c).map { $0.ebx & 0xf }
  }

  private static let names = [
    "KVMKVMKVM": "KVM", "Microsoft Hv": "Microsoft Hyper-V", "VMwareVMware": "VMware", "XenVMMXenVMM": "Xen",
    "VBoxVBoxVBox": "VirtualBox", "TCGTCGTCGTCG": "QEMU without KVM", "bhyve bhyve ": "bhyve",
    "prl hyperv  ": "Parallels",
    "ACRNACRNACRN": "ACRN",
  ]

  private struct Registers {
    var eax: UInt32, ebx: UInt32, ecx: UInt32, edx: UInt32
  }

  private static func registers(_ leaf: UInt32, _ subleaf: UInt32 = 0) -> Registers? {
    var values: [UInt32] = [0, 0, 0, 0]
    guard martlet_cpuid(leaf, subleaf, &values) else { return nil }
    return Registers(eax: values[0], ebx: values[1], ecx: values[2], edx: values[3])
  }

  private static func text(_ registers: [UInt32]) -> String {
    let bytes = registers.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * UInt32($0))) } }
    return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }

  private static func brand() -> String? {
    let parts = (0x8000_0002...0x8000_0004).compactMap { registers(UInt32($0)) }
    guard parts.count == 3 else { return nil }
    return text(parts.flatMap { [$0.eax, $0.ebx, $0.ecx, $0.edx] }).trimmingBlanks
  }
}
