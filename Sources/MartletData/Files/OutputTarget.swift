#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What exists at an output path, and whether it may be written.
///
/// Without `--force`, only a path where nothing exists is written. With it, files are replaced, symbolic links are
/// followed, and devices and named pipes are written to. Folders are never replaced.
public struct OutputTarget {
  /// The path as the user gave it, for messages.
  public let path: String
  /// The file itself, behind symbolic links.
  let file: String
  let replaces: Bool
  /// Whether bytes go into what is there: a device or a pipe.
  let isStream: Bool
  private var existing: stat?

  /// - Throws: ``FileError`` if the path may not be written; the message says what can be done.
  public init(_ path: String, replaces: Bool) throws {
    self.path = path
    self.replaces = replaces
    guard !path.isEmpty else { throw FileError(file: "the output", "its name is empty; give the name of a file") }
    try Self.checkIsNoDash(path)
    var link = stat(), status = stat()
    guard lstat(path, &link) == 0 else {
      guard errno == ENOENT else { throw Self.failure(path, errno) }
      if path.hasSuffix("/") {
        throw FileError(file: path, "it is the name of a folder; give the name of a file in it")
      }
      (file, isStream) = (path, false)
      try Self.checkFolder(of: path)
      return
    }
    let isLink = Self.kind(link) == S_IFLNK
    guard stat(path, &status) == 0 else {
      guard isLink, errno == ENOENT else { throw Self.failure(path, errno) }
      throw FileError(file: path, "it is a symbolic link without a target; remove it, or give the file itself")
    }
    switch Self.kind(status) {
    case S_IFDIR: throw FileError(file: path, "it is a folder; give the name of a file")
    case S_IFSOCK: throw FileError(file: path, "it is a socket; give the name of a file")
    case S_IFREG where !path.hasPrefix("/dev/") && !path.hasPrefix("/proc/"):
      guard replaces else {
        if isLink {
          throw FileError(
            file: path, "it is a symbolic link to a file; choose another name, or add --force to replace that file")
        }
        throw status.st_mode & 0o222 == 0
          ? FileError(
            file: path, "it exists already and is read-only; choose another name, or add --force to replace it")
          : Self.alreadyThere(path)
      }
      guard let real = realpath(path, nil) else { throw Self.failure(path, errno) }
      defer { free(real) }
      (file, isStream, existing) = (String(cString: real), false, status)
      try Self.checkFolder(of: file)
    default:
      guard replaces else {
        let kind = Self.kind(status) == S_IFIFO ? "a pipe" : "a device"
        throw FileError(file: path, "it is \(kind); choose another name, or add --force to write to it")
      }
      (file, isStream) = (path, true)
    }
  }

  /// Checks before a long computation whether its output can be written afterwards.
  public static func check(_ path: String, replaces: Bool) throws { _ = try OutputTarget(path, replaces: replaces) }

  /// Elsewhere a dash is standard output; as a name it is a mistake.
  static func checkIsNoDash(_ path: String) throws {
    guard path != "-" else {
      throw FileError(file: "-", "this output needs the name of a file; write ./- for a file of that name")
    }
  }

  static func alreadyThere(_ path: String) -> FileError {
    FileError(file: path, "it exists already; choose another name, or add --force")
  }

  private static func kind(_ status: stat) -> mode_t { status.st_mode & S_IFMT }

  private static func checkFolder(of file: String) throws {
    let slash = file.lastIndex(of: "/")
    let folder = slash.map { $0 == file.startIndex ? "/" : String(file[..<$0]) } ?? "."
    var status = stat()
    guard stat(folder, &status) == 0 else {
      guard errno == ENOENT else { throw failure(file, errno) }
      throw FileError(file: file, "it cannot be written: the folder \(folder) does not exist; create it first")
    }
    guard kind(status) == S_IFDIR else {
      throw FileError(file: file, "it cannot be written: \(folder) is not a folder")
    }
    guard access(folder, W_OK | X_OK) == 0 else { throw failure(file, errno) }
  }

  /// Opens the device or pipe.
  func openStream() throws -> Int32 {
    // A pipe that nobody reads would be waited for without end.
    let descriptor = open(file, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
    guard descriptor >= 0 else {
      if errno == ENXIO { throw FileError(file: path, "no program reads this pipe; start the reader first") }
      throw Self.failure(path, errno)
    }
    _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK)
    return descriptor
  }

  /// What a replaced file allowed, its successor allows.
  func giveModeAndOwner(to descriptor: Int32) {
    guard let existing else { return }
    // The owner first, as changing it takes bits from the mode. Only root can; others keep their own.
    _ = fchown(descriptor, existing.st_uid, existing.st_gid)
    _ = fchmod(descriptor, existing.st_mode & 0o7777)
  }

  /// Creates a folder and its parent folders.
  public static func makeFolder(_ path: String) throws {
    var status = stat()
    if stat(path, &status) == 0 {
      guard kind(status) == S_IFDIR else {
        throw FileError(file: path, "this is not a folder; choose another name")
      }
      return
    }
    guard errno == ENOENT else { throw folderFailure(path, errno) }
    if let slash = path.lastIndex(of: "/"), slash != path.startIndex { try makeFolder(String(path[..<slash])) }
    guard mkdir(path, 0o777) == 0 || errno == EEXIST else { throw folderFailure(path, errno) }
    guard stat(path, &status) == 0, kind(status) == S_IFDIR else {
      throw FileError(file: path, "this is not a folder; choose another name")
    }
  }

  private static func folderFailure(_ path: String, _ code: Int32) -> FileError {
    FileError(file: path, "this folder cannot be created: \(reason(code))")
  }

  /// An error that says why a file cannot be written and what helps.
  public static func failure(_ path: String, _ code: Int32) -> FileError {
    FileError(file: path, "it cannot be written: \(reason(code))")
  }

  /// What a system error (`errno`) means for writing, and what can be done.
  public static func reason(_ code: Int32) -> String {
    switch code {
    case ENOSPC: "the disk is full; free some space, or write elsewhere"
    case EDQUOT: "your disk quota is used up; free some space, or write elsewhere"
    case EFBIG: "the file would exceed the size limit (see `ulimit -f`)"
    case EACCES, EPERM: "you have no permission to write there"
    case EROFS: "the file system is read-only; write elsewhere"
    case EPIPE: "its reader has ended"
    case EBADF: "it is closed"
    case ENAMETOOLONG: "the name is too long"
    case ENOTDIR: "a part of the path is not a folder"
    case EISDIR: "it is a folder; give the name of a file"
    case ELOOP: "its symbolic links form a cycle"
    case ENOENT: "a folder of its path does not exist"
    default: String(cString: strerror(code))
    }
  }
}

/// Writes all bytes and continues after interrupting signals.
/// - Returns: false on failure; `errno` holds the reason.
package func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
  var rest = bytes[...]
  while !rest.isEmpty {
    #if canImport(Glibc)
      let written = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
    #else
      let written = Darwin.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
    #endif
    if written < 0 {
      if errno == EINTR { continue }
      if errno == EAGAIN {
        var state = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = poll(&state, 1, -1)
        continue
      }
      return false
    }
    rest = rest.dropFirst(written)
  }
  return true
}
