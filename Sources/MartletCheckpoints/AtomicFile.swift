#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file that is written beside its name, synced, and renamed into place: readers see the old file or the
/// whole new one. Dropped before ``commit()``, it leaves nothing behind.
public final class AtomicFile {
  private let path: String
  private let temporary: String
  private var descriptor: Int32
  private var buffer: [UInt8] = []

  public init(path: String) throws {
    self.path = path
    Self.removeLeftovers(of: path)
    temporary = "\(path).\(getpid()).part"
    descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw failure() }
    buffer.reserveCapacity(1 << 20)
  }

  /// Removes what processes that are gone had begun to write under the name `path`.
  public static func removeLeftovers(of path: String) {
    let slash = path.lastIndex(of: "/")
    let folder = slash.map { String(path[...$0]) } ?? "./"
    let start = (slash.map { String(path[path.index(after: $0)...]) } ?? path) + "."
    guard let list = opendir(folder) else { return }
    defer { closedir(list) }
    var dead: [String] = []
    while let entry = readdir(list) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard name.hasPrefix(start), name.hasSuffix(".part"), name.utf8.count > start.utf8.count + 5,
        let process = pid_t(name.dropFirst(start.count).dropLast(5)), process > 0, kill(process, 0) != 0,
        errno == ESRCH
      else { continue }
      dead.append(name)
    }
    for name in dead { unlink(folder + name) }
  }

  deinit {
    guard descriptor >= 0 else { return }
    close(descriptor)
    unlink(temporary)
  }

  private func failure() -> CheckpointError {
    CheckpointError(file: path, "it cannot be written: \(String(cString: strerror(errno)))")
  }

  public func write(_ bytes: UnsafeRawBufferPointer) throws {
    if buffer.count + bytes.count > 1 << 20 { try flush() }
    if bytes.count > 1 << 20 { try send(bytes) } else { buffer.append(contentsOf: bytes) }
  }

  private func flush() throws {
    try buffer.withUnsafeBytes(send)
    buffer.removeAll(keepingCapacity: true)
  }

  #if canImport(Glibc)
    private static let systemWrite = Glibc.write
  #else
    private static let systemWrite = Darwin.write
  #endif

  private func send(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = Self.systemWrite(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
      if written < 0 {
        if errno == EINTR { continue }
        throw failure()
      }
      rest = rest.dropFirst(written)
    }
  }

  /// Makes the names in a folder durable.
  public static func syncFolder(_ path: String) throws {
    let folder = open(path, O_RDONLY | O_CLOEXEC)
    guard folder >= 0 else {
      throw CheckpointError(file: path, "it cannot be opened: \(String(cString: strerror(errno)))")
    }
    defer { close(folder) }
    guard fsync(folder) == 0 else {
      throw CheckpointError(file: path, "it cannot be synced: \(String(cString: strerror(errno)))")
    }
  }

  /// Makes the file durable under its name.
  public func commit() throws {
    try flush()
    guard fsync(descriptor) == 0, close(descriptor) == 0 else { throw failure() }
    descriptor = -1
    guard rename(temporary, path) == 0 else { throw failure() }
  }
}
