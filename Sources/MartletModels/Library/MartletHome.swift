import Foundation
import MartletData

/// The folder for the user's data: models, cached states, conversations. It is `MARTLET_HOME`, or `.martlet` in the
/// home folder, which is `HOME` or, if that is not set, the entry in the system's user database.
public enum MartletHome {
  /// The folder according to the environment of this process.
  public static var folder: String { folder(environment: ProcessInfo.processInfo.environment) }

  /// - Parameters:
  ///   - environment: an empty variable counts as one that is not set.
  ///   - systemHome: the user's home folder in the system's user database.
  static func folder(
    environment: [String: String], systemHome: @autoclosure () -> String = NSHomeDirectory()
  ) -> String {
    func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    let home = value("HOME") ?? systemHome()
    guard let named = value("MARTLET_HOME") else { return trimmed(home) + "/.martlet" }
    // Where no shell has read the variable (systemd, Docker) its tilde is still there.
    if named == "~" { return trimmed(home) }
    return trimmed(named.hasPrefix("~/") ? home + named.dropFirst() : named)
  }

  private static func trimmed(_ path: String) -> String {
    let cut = String(path.reversed().drop { $0 == "/" }.reversed())
    return cut.isEmpty ? path.isEmpty ? "." : "" : cut
  }

  /// Creates the folder of a private file of the user.
  public static func makeFolder(of file: String) throws {
    let folder = file.parentFolder
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw FileError(
        file: folder, "the folder cannot be created; set MARTLET_HOME to a writable folder")
    }
  }
}
