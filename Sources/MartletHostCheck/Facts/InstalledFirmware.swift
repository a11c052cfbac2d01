/// Microcode that lies in the firmware folder, whether or not it runs.
struct InstalledFirmware {
  let files: HostFiles

  func read(into facts: inout HostFacts) -> [InstalledMicrocode] {
    guard !facts.isGuest else { return [] }
    var found: [InstalledMicrocode] = [], seen: Set<String> = []
    for (kind, _) in facts.processors {
      let file =
        kind.isIntel
        ? IntelMicrocode.fileName(of: kind).map { "intel-ucode/" + $0 }
        : kind.isAMD ? AMDMicrocode.fileName(of: kind).map { "amd-ucode/" + $0 } : nil
      guard let file, seen.insert(file).inserted else { continue }
      var isThere = false
      for folder in ["/lib/firmware/updates/", "/lib/firmware/", "/usr/lib/firmware/"] {
        let path = folder + file
        if let bytes = files.bytes(path, atMost: 16 << 20) {
          isThere = true
          do {
            found += try kind.isIntel ? IntelMicrocode.read(bytes, path: path) : AMDMicrocode.read(bytes, path: path)
          } catch {
            facts.warn("\(error)")
          }
          break
        }
        if let ending = [".xz", ".zst"].first(where: { files.exists(path + $0) }) {
          isThere = true
          facts.unread.append("\(path)\(ending) is compressed and was not read")
          break
        }
      }
      if !isThere { facts.evidence.append("no microcode for this processor under /lib/firmware (\(file))") }
    }
    return found
  }
}
