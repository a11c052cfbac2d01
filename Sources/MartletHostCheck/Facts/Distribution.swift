/// The Linux distribution, for advice with commands.
public struct Distribution: Sendable, Equatable {
  /// Groups of distributions with the same package names.
  public enum Family: String, Sendable, CaseIterable {
    /// A group, determined from `ID` and `ID_LIKE` in os-release.
    case debian, ubuntu, redHat, suse, arch, other
  }
  /// The name of the distribution.
  public var name: String
  /// The group whose package names it uses.
  public var family: Family

  /// - Parameter osRelease: contents of /etc/os-release.
  init?(osRelease: [UInt8]) {
    var fields: [String: String] = [:]
    for line in String(decoding: osRelease, as: UTF8.self).split(separator: "\n") {
      let parts = line.split(separator: "=", maxSplits: 1)
      guard parts.count == 2 else { continue }
      fields[String(parts[0])] = parts[1].trimmingPrefix("\"").prefix { $0 != "\"" }.description
    }
    guard let id = fields["ID"] else { return nil }
    name = String((fields["PRETTY_NAME"] ?? id).prefix(64))
    let ids = [id] + (fields["ID_LIKE"] ?? "").split(separator: " ").map(String.init)
    let families: [String: Family] = [
      "debian": .debian, "ubuntu": .ubuntu, "rhel": .redHat, "fedora": .redHat, "centos": .redHat, "suse": .suse,
      "opensuse": .suse, "sles": .suse, "arch": .arch,
    ]
    family = ids.lazy.compactMap { families[$0] }.first ?? .other
  }
}
