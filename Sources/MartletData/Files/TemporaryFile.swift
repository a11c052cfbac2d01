#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The file `NAME.PID.part` beside a file that is being written, locked while its writer lives.
struct TemporaryFile {
  private let path: String
  private let slot: Int?

  /// Makes one in the folder of `file`. Errors name the file as `name`.
  static func make(for file: String, named name: String) throws -> (TemporaryFile, Int32) {
    for number in 0..<1000 {
      let path = prefix(of: file) + "\(getpid())\(number == 0 ? "" : "-\(number)").part"
      let slot = OpenFiles.add(path)
      let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o666)
      if descriptor >= 0 {
        // Some file systems have no locks; then only the process number tells whether the writer lives.
        _ = flock(descriptor, LOCK_EX | LOCK_NB)
        return (TemporaryFile(path: path, slot: slot), descriptor)
      }
      let problem = errno
      OpenFiles.remove(slot)
      // Left by a process that had this number before, or written by another thread.
      guard problem == EEXIST else { throw OutputTarget.failure(name, problem) }
    }
    throw FileError(
      file: name, "there are too many temporary files in its folder; remove those that end in .part")
  }

  func remove() {
    unlink(path)
    OpenFiles.remove(slot)
  }

  /// Gives the file its name.
  func rename(to target: OutputTarget) throws {
    defer { OpenFiles.remove(slot) }
    if target.replaces {
      guard systemRename(path, target.file) == 0 else { throw OutputTarget.failure(target.path, errno) }
      return
    }
    // What another process has put there meanwhile stays. Some file systems have no hard links.
    if link(path, target.file) == 0 {
      unlink(path)
      return
    }
    guard errno != EEXIST, access(target.file, F_OK) != 0 else { throw OutputTarget.alreadyThere(target.path) }
    guard systemRename(path, target.file) == 0 else { throw OutputTarget.failure(target.path, errno) }
  }

  /// What names of temporary files beside `file` begin with. Long names are cut, as names end at 255 bytes.
  private static func prefix(of file: String) -> String {
    let slash = file.utf8.lastIndex(of: UInt8(ascii: "/"))
    let folder = slash.map { String(file[...$0]) } ?? ""
    var name = slash.map { String(file[file.utf8.index(after: $0)...]) } ?? file
    while name.utf8.count > 225 { name.removeLast() }
    return folder + name + "."
  }

  /// Removes what processes that are gone had begun to write under the name `file`.
  static func removeLeftovers(of file: String) {
    let prefix = prefix(of: file)
    let slash = prefix.lastIndex(of: "/")
    let folder = slash.map { String(prefix[...$0]) } ?? "./"
    let start = slash.map { String(prefix[prefix.index(after: $0)...]) } ?? prefix
    guard let list = opendir(folder) else { return }
    defer { closedir(list) }
    var dead: [String] = []
    while let entry = readdir(list) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard name.hasPrefix(start), name.hasSuffix(".part"), name.utf8.count > start.utf8.count + 5 else { continue }
      let parts = name.dropFirst(start.count).dropLast(5).split(separator: "-", omittingEmptySubsequences: false)
      guard parts.count <= 2, let process = pid_t(parts[0]), process > 0, parts.count == 1 || Int(parts[1]) != nil,
        kill(process, 0) != 0, errno == ESRCH
      else { continue }
      dead.append(name)
    }
    for name in dead where !isLocked(folder + name) { unlink(folder + name) }
  }

  /// Whether somebody writes the file: a process of another container is alive without having a number here.
  private static func isLocked(_ path: String) -> Bool {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK
  }
}

/// `rename` of the system, which methods of that name hide.
private func systemRename(_ old: String, _ new: String) -> Int32 { rename(old, new) }
