/// Advice with commands for the actions of a finding, for the distribution of the machine.
public enum Advice {
  /// Sentences that say what to do about a finding on this machine, most urgent first.
  public static func lines(for finding: Finding, facts: HostFacts) -> [String] {
    finding.actions.flatMap { lines(for: $0, finding: finding, facts: facts) }
  }

  private static func lines(for action: Action, finding: Finding, facts: HostFacts) -> [String] {
    switch action {
    case .none: return []
    case .updateMicrocode:
      return package(finding, facts) + bios(finding.flaw, facts, finding.release)
    case .regenerateInitramfs:
      return ["the microcode is installed but not loaded: \(initramfs(facts.distribution?.family)), then reboot"]
    case .updateBIOS: return bios(finding.flaw, facts, finding.release)
    case .updateSEVFirmware, .sevFirmware:
      return [
        "update the SEV firmware to \(FirmwareVersion.cacheWarpFloor) or later: amd_sev_fam19h_model0xh.sbin of "
          + "linux-firmware, loaded by the ccp driver at its start, or a BIOS with MilanPI 1.0.0.C; then commit it, or a roll-back stays possible"
      ]
    case .doNotOfferSEV:
      return [
        "do not promise SEV to guests here: load kvm_amd with sev=0, and run confidential guests on a 4th generation EPYC"
      ]
    case .moveToNewerGeneration:
      return [
        "there is no fix for this generation: run encrypted guests on a patched Milan with SEV-SNP, or on Genoa or later"
      ]
    case .enableSNP:
      return ["the fix covers SEV-SNP: enable it in the BIOS and load kvm_amd with sev_snp=1, and start guests with it"]
    case .askProvider:
      return [
        "a guest cannot fix this: ask the provider which microcode its hosts run"
          + (finding.flaw == .reptar
            ? " (\(finding.flaw.advisory); for this processor: \(finding.citations.first?.row ?? "see --explain"))"
            : " (\(finding.flaw.advisory))")
      ]
    case .askProviderForSNP: return ["ask the provider for a guest with SEV-SNP, and for its attestation report"]
    case .askHostOperator:
      return [
        "update the host: microcode and, where guests use SEV-SNP, SEV firmware (\(finding.flaw.advisory)); from inside a container neither can be done"
      ]
    case .askVendor: return ["ask the processor's vendor; no public bulletin answers"]
    case .restartGuest: return ["stop this guest and start it again, so that it is measured on the fixed host"]
    case .relaunchWithoutDebug: return ["launch this guest with a policy that forbids debugging (bit 19 clear)"]
    case .verifyReport:
      return [
        "fetch a report with a nonce of your own (as root in the guest: snpguest report report.bin nonce.bin, "
          + "snpguest fetch vcek pem certs report.bin), then: martlet host --report report.bin --certificate "
          + "certs/vcek.pem --nonce $(xxd -p -c 64 nonce.bin)"
      ]
    case .lookInsideGuest:
      return [
        "run `martlet host` as root in the guest itself: the MSR SEV_STATUS tells (modprobe msr); on Azure fetch the report from the vTPM: "
          + "tpm2_nvread -C o 0x01400001 > hcl.bin; dd skip=32 bs=1 count=1184 if=hcl.bin of=report.bin, then martlet host --report report.bin"
      ]
    case .readRevision:
      return ["run this on the machine itself, as root, or give the whole of its /proc/cpuinfo with --input"]
    case .updateData:
      return [
        "its tables are of \(HostVerdict.dataDate): update Martlet, or add the lists of Intel and AMD with `martlet host --update-tables FILE`"
      ]
    }
  }

  private static func package(_ finding: Finding, _ facts: HostFacts) -> [String] {
    let family = facts.distribution?.family, flaw = finding.flaw
    // Processors that came out later are in later releases only, for which there are no bulletins of their own.
    let release = finding.release ?? firstReptarRelease, isFirst = release == firstReptarRelease
    let after = "\(initramfs(family)), then reboot"
    switch (flaw, family) {
    case (.reptar, .debian):
      return [
        "sudo apt install intel-microcode (3.\(release) or later, section non-free-firmware\(isFirst ? "; DSA-5563" : "")), then reboot"
      ]
    case (.reptar, .ubuntu):
      return ["sudo apt install intel-microcode (3.\(release) or later\(isFirst ? "; USN-6485-1" : "")), then reboot"]
    case (.reptar, .redHat):
      return ["sudo dnf update microcode_ctl (with Intel's release \(release) or later), \(after)"]
    case (.reptar, .suse): return ["sudo zypper update ucode-intel (\(release) or later), \(after)"]
    case (.reptar, .arch): return ["sudo pacman -S intel-ucode (\(release) or later), \(after)"]
    case (.reptar, _): return ["install microcode-\(release) or later of your distribution, then reboot"]
    // The first with 0x0A0011D1, by the package's own changelog.
    case (.cacheWarp, .debian):
      return ["sudo apt install amd64-microcode (3.20230719.1 or later, section non-free-firmware), then reboot"]
    case (.cacheWarp, .ubuntu):
      return ["sudo apt install amd64-microcode (on 22.04 3.20191218.1ubuntu2.2 or later), then reboot"]
    case (.cacheWarp, .redHat): return ["sudo dnf update linux-firmware, \(after)"]
    case (.cacheWarp, .suse):
      return ["sudo zypper update ucode-amd kernel-firmware (SUSE-SU-2023:4654), \(after)"]
    case (.cacheWarp, .arch): return ["sudo pacman -S amd-ucode, \(after)"]
    case (.cacheWarp, _):
      return ["install linux-firmware of July 2023 (commit b250b32ab1d0) or later, then reboot"]
    }
  }

  private static let firstReptarRelease = "20231114"

  private static func bios(_ flaw: Flaw, _ facts: HostFacts, _ release: String?) -> [String] {
    let months = [
      "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
      "December",
    ]
    let release = release ?? firstReptarRelease
    let month = Int(release.dropFirst(4).prefix(2)).flatMap { months.indices.contains($0 - 1) ? months[$0 - 1] : nil }
    let name =
      flaw == .cacheWarp
      ? "MilanPI 1.0.0.C or later" : "the microcode of \(month.map { $0 + " " } ?? "")\(release.prefix(4)) or later"
    if facts.hasEFI == false { return ["or install a BIOS with \(name)"] }
    return ["or install the maker's BIOS with \(name) (fwupdmgr update, or the maker's page)"]
  }

  private static func initramfs(_ family: Distribution.Family?) -> String {
    switch family {
    case .debian, .ubuntu: return "sudo update-initramfs -u -k all"
    case .redHat, .suse: return "sudo dracut --force --regenerate-all"
    case .arch: return "sudo mkinitcpio -P"
    case .other, nil: return "rebuild the initramfs"
    }
  }
}
