/// Microcode revisions and platform masks beside /proc/cpuinfo: sysfs of every processor and, for root, the MSRs.
struct RevisionWitness {
  let files: HostFiles
  /// Numbers of the processors of each kind.
  let numbers: [[Int]]
  let isLive: Bool

  func read(into facts: inout HostFacts) {
    var split: [(kind: Processor, count: Int)] = []
    for (index, entry) in facts.processors.enumerated() {
      let numbers = index < numbers.count ? numbers[index] : []
      var kinds: [Processor: Int] = [:]
      // A guest has none of these folders; one look is enough.
      guard let first = numbers.first, files.exists(folder(first)) else {
        split.append(entry)
        continue
      }
      for number in numbers {
        var kind = entry.kind
        witness(number, &kind, &facts)
        kinds[kind, default: 0] += 1
      }
      split += kinds.sorted { ($0.key.revision ?? 0) < ($1.key.revision ?? 0) }.map { ($0.key, $0.value) }
    }
    facts.processors = split
    readMSR(into: &facts)
    nameHybrid(&facts)
  }

  private func folder(_ number: Int) -> String { "/sys/devices/system/cpu/cpu\(number)/microcode" }

  private func witness(_ number: Int, _ kind: inout Processor, _ facts: inout HostFacts) {
    if let text = files.line(folder(number) + "/processor_flags") {
      if let mask = UInt32(number: text) { kind.platformMask = mask }
    }
    guard let text = files.line(folder(number) + "/version") else { return }
    guard let revision = UInt32(number: text) else {
      return facts.warn("\(folder(number))/version holds \(quoted(text)), which is not a revision")
    }
    if let shown = kind.revision, shown != revision {
      facts.warn(
        "/proc/cpuinfo shows revision \(shown.hexadecimal8), sysfs \(revision.hexadecimal8): the older one is judged")
      kind.revision = min(shown, revision)
    } else {
      kind.revision = revision
    }
  }

  /// MSR 0x8B (revision: upper half on Intel, lower on AMD) and 0x17 (platform id, bits 52 to 50) of the first
  /// processor of each kind. On a guest they are the hypervisor's, as all the rest is.
  private func readMSR(into facts: inout HostFacts) {
    guard isLive, !facts.isGuest else { return }
    let path = "/dev/cpu/\(numbers.first?.first ?? 0)/msr"
    guard files.isReadable(path) else {
      facts.unread.append("root could read the processor's MSRs (modprobe msr), a second witness of the revision")
      return
    }
    guard let kind = facts.processors.first?.kind else { return }
    if let value = HostFiles.number64(path, at: 0x8b) {
      let revision = UInt32(truncatingIfNeeded: kind.isIntel ? value >> 32 : value)
      if revision != 0 {
        facts.evidence.append("MSR 0x8B: revision \(revision.hexadecimal8)")
        if let shown = kind.revision, shown != revision {
          facts.warn(
            "/proc/cpuinfo shows revision \(shown.hexadecimal8), MSR 0x8B \(revision.hexadecimal8): the older one is judged"
          )
          facts.processors[0].kind.revision = min(shown, revision)
        } else {
          facts.processors[0].kind.revision = revision
        }
      }
    }
    if kind.isIntel, let value = HostFiles.number64(path, at: 0x17) {
      let mask = UInt32(1) << UInt32(value >> 50 & 7)
      facts.evidence.append("MSR 0x17: platform \(mask.hexadecimal)")
      for index in facts.processors.indices where facts.processors[index].kind.platformMask == nil {
        facts.processors[index].kind.platformMask = mask
      }
    }
  }

  /// Performance and efficiency cores have one signature and one revision; both are judged.
  private func nameHybrid(_ facts: inout HostFacts) {
    guard let performance = files.line("/sys/devices/cpu_core/cpus"),
      let efficiency = files.line("/sys/devices/cpu_atom/cpus")
    else { return }
    facts.evidence.append(
      "hybrid: performance cores \(quoted(performance)), efficiency cores \(quoted(efficiency)), one microcode for both"
    )
  }
}

extension HostFacts {
  /// At most 16, and each once.
  mutating func warn(_ warning: String) {
    if warnings.count < 16, !warnings.contains(warning) { warnings.append(warning) }
  }
}
