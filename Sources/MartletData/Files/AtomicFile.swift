#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file that is written under a temporary name, synced, and renamed into place: readers see either the old file or
/// the complete new one. If it is released before ``commit()``, no file remains.
///
/// The new file keeps the mode and the owner of the file it replaces. If the path is a symbolic link, its target is
/// replaced and the link remains. Devices and named pipes are written to and never replaced.
public final class AtomicFile {
  private let path: String
  /// The file that is written; nil where the bytes go into a device or pipe.
  private let temporary: TemporaryFile?
  private let target: OutputTarget
  private var descriptor: Int32
  private var buffer: [UInt8] = []

  /// - Parameters:
  ///   - path: where the file will appear.
  ///   - replaces: whether an existing file may be replaced (`--force` on the command line).
  public init(path: String, replaces: Bool = true) throws {
    self.path = path
    target = try OutputTarget(path, replaces: replaces)
    if target.isStream {
      temporary = nil
      descriptor = try target.openStream()
    } else {
      Self.removeLeftovers(of: target.file)
      let (file, descriptor) = try TemporaryFile.make(for: target.file, named: path)
      temporary = file
      self.descriptor = descriptor
      target.giveModeAndOwner(to: descriptor)
    }
    buffer.reserveCapacity(1 << 20)
  }

  /// Writes a whole file.
  public static func write(_ bytes: some Collection<UInt8>, to path: String, replaces: Bool = true) throws {
    let file = try AtomicFile(path: path, replaces: replaces)
    try Array(bytes).withUnsafeBytes { try file.write($0) }
    try file.commit()
  }

  /// Copies a whole file.
  public static func copy(_ source: String, to path: String, replaces: Bool = true) throws {
    let map = try MappedFile(path: source)
    defer { withExtendedLifetime(map) {} }
    let file = try AtomicFile(path: path, replaces: replaces)
    try file.write(UnsafeRawBufferPointer(map.bytes))
    try file.commit()
  }

  /// Removes temporary files for `path` that processes left when they ended before ``commit()``.
  public static func removeLeftovers(of path: String) { TemporaryFile.removeLeftovers(of: path) }

  deinit {
    guard descriptor >= 0 else { return }
    close(descriptor)
    temporary?.remove()
  }

  private func failure() -> FileError { OutputTarget.failure(path, errno) }

  /// Appends bytes.
  public func write(_ bytes: UnsafeRawBufferPointer) throws {
    if buffer.count + bytes.count > 1 << 20 { try flush() }
    if bytes.count > 1 << 20 { try send(bytes) } else { buffer.append(contentsOf: bytes) }
  }

  private func flush() throws {
    try buffer.withUnsafeBytes(send)
    buffer.removeAll(keepingCapacity: true)
  }

  private func send(_ bytes: UnsafeRawBufferPointer) throws {
    guard writeAll(bytes, to: descriptor) else { throw failure() }
  }

  /// Waits until the entries of a folder are durable on disk.
  public static func syncFolder(_ path: String) throws {
    let folder = open(path.isEmpty ? "." : path, O_RDONLY | O_CLOEXEC)
    guard folder >= 0 else {
      throw FileError(file: path, "it cannot be opened: \(String(cString: strerror(errno)))")
    }
    defer { close(folder) }
    guard fsync(folder) == 0 else {
      throw FileError(file: path, "it cannot be synced: \(String(cString: strerror(errno)))")
    }
  }

  /// Makes the file durable on disk and gives it its final name.
  public func commit() throws {
    try flush()
    // Devices and pipes have nothing to sync, and say so.
    let isSynced = fsync(descriptor) == 0 || temporary == nil && [EINVAL, ENOTSUP, EROFS].contains(errno)
    guard isSynced else { throw failure() }
    guard let temporary else {
      defer { descriptor = -1 }
      guard close(descriptor) == 0 else { throw failure() }
      return
    }
    // The name is given before the descriptor is closed: the lock on it keeps others from sweeping the file away.
    try temporary.rename(to: target)
    close(descriptor)
    descriptor = -1
  }
}
