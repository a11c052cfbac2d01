import Foundation
import MartletData

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Removing and copying models of the library. Nothing outside its folder is ever removed or written.
extension ModelLibrary {
  /// Removes the model with a name from the library.
  /// - Returns: the entry that was removed.
  /// - Throws: ``ModelError`` if the library has no model with that name; a path is not accepted.
  public func remove(_ name: String) throws -> Entry {
    let entry = try entry(name)
    for path in try files(of: entry) where unlink(path) != 0 && errno != ENOENT {
      throw ModelError("\(path) cannot be removed: \(OutputTarget.reason(errno))")
    }
    // Folders that are left empty, up to the library's own.
    var folder = isFolder(entry.path) ? entry.path : entry.path.parentFolder
    while folder.hasPrefix(self.folder + "/"), rmdir(folder) == 0 {
      folder = folder.parentFolder
    }
    return entry
  }

  /// Adds a model to the library under another name. If the source is in the library, both names share the data on
  /// disk; otherwise the files are copied.
  /// - Returns: the new path.
  public func copy(_ source: String, to name: String, replaces: Bool) throws -> String {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    guard !name.isEmpty, parts.allSatisfy({ !["", ".", ".."].contains($0) && !$0.hasPrefix(".") }),
      !name.unicodeScalars.contains(where: { $0.value < 32 || $0.value == 127 })
    else {
      throw ModelError(
        "\(name.printable) is not a valid name for a model; names are words such as small or owner/small, not paths")
    }
    let origin = try resolve(source)
    let isOwn = list().contains { $0.path == origin }
    let destination: String
    let pairs: [(from: String, to: String)]
    if isFolder(origin) {
      destination = folder + "/" + name
      pairs = try names(in: origin).sorted().filter { !isFolder(origin + "/" + $0) && !$0.hasSuffix(".part") }
        .map { (origin + "/" + $0, destination + "/" + $0) }
    } else {
      let ending = "." + (origin as NSString).pathExtension
      destination = folder + "/" + name + (name.hasSuffix(ending) ? "" : ending)
      pairs = [(origin, destination)]
    }
    if let taken = list().first(where: { $0.name == name }), !replaces {
      throw ModelError("a model \(taken.name) exists already; choose another name, or add --force")
    }
    for pair in pairs {
      if let real = realpath(pair.from, nil) {
        defer { free(real) }
        if let there = realpath(pair.to, nil) {
          defer { free(there) }
          guard strcmp(real, there) != 0 else { throw ModelError("\(source) and \(name) are the same model") }
        }
      }
      try OutputTarget.makeFolder(pair.to.parentFolder)
      try OutputTarget.check(pair.to, replaces: replaces)
      if isOwn, !replaces, link(pair.from, pair.to) == 0 { continue }
      try AtomicFile.copy(pair.from, to: pair.to, replaces: replaces)
    }
    return destination
  }

  /// The model of that name, which must be one of the library's.
  private func entry(_ name: String) throws -> Entry {
    let entries = list()
    if let exact = entries.first(where: { $0.name == name }) { return exact }
    let ends = entries.filter { ($0.name as NSString).lastPathComponent == name || $0.name + ".gguf" == name }
    if ends.count == 1 { return ends[0] }
    if ends.count > 1 {
      throw ModelError("\(name.printable) could be \(ends.map(\.name).joined(separator: " or ")); name one of them")
    }
    if FileManager.default.fileExists(atPath: name) {
      throw ModelError(
        "\(name.printable) is a path; only models under MARTLET_HOME are removed, by the names that `martlet models list` shows"
      )
    }
    throw ModelError("there is no model \(name.printable) in \(folder); see `martlet models list`")
  }

  private func isFolder(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// The files of a model: itself, or what a folder holds that is no model of its own. Links are taken as they are, so
  /// that nothing behind them is touched.
  private func files(of entry: Entry) throws -> [String] {
    guard isFolder(entry.path) else { return [entry.path] }
    let others = Set(list().map(\.path))
    return try names(in: entry.path).map { entry.path + "/" + $0 }.filter { !others.contains($0) && !isFolder($0) }
  }

  private func names(in folder: String) throws -> [String] {
    let names = try? FileManager.default.contentsOfDirectory(atPath: folder)
    guard let names else { throw ModelError("\(folder) cannot be read; check its permissions") }
    return names
  }
}
