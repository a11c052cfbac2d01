#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file to which whole lines are appended, such as the metrics of a run. One process at a time writes it.
public final class AppendedFile {
  private let path: String
  private let descriptor: Int32
  private let lock: FileLock?
  /// The number of bytes in complete lines.
  public private(set) var byteCount = 0

  /// Opens or creates the file and truncates it to its first `byteCount` bytes. A shorter file is left unchanged.
  /// - Throws: ``FileError`` if the file cannot be written, is no plain file, or is being written by another process.
  public init(path: String, keeping byteCount: Int) throws {
    self.path = path
    try Self.check(path)
    let opened = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o666)
    guard opened >= 0 else { throw OutputTarget.failure(path, errno) }
    do {
      lock = try FileLock(opened, of: path)
      self.byteCount = try Self.begin(opened, of: path, keeping: byteCount)
    } catch {
      close(opened)
      throw error
    }
    descriptor = opened
  }

  /// Checks before a long computation whether lines can be appended to what is there.
  /// - Throws: ``FileError`` if it is no plain file, or is being written by another process.
  public static func check(_ path: String) throws {
    try OutputTarget.checkIsNoDash(path)
    var status = stat()
    guard stat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw FileError(file: path, "it is not a plain file, to which lines could be appended; choose another name")
    }
    let opened = open(path, O_RDONLY | O_CLOEXEC)
    guard opened >= 0 else { return }
    defer { close(opened) }
    _ = try FileLock(opened, of: path)
  }

  /// Leaves the beginning of a file.
  /// - Returns: how many bytes it has then.
  private static func begin(_ descriptor: Int32, of path: String, keeping byteCount: Int) throws -> Int {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw OutputTarget.failure(path, errno) }
    let kept = max(0, min(byteCount, Int(status.st_size)))
    guard ftruncate(descriptor, off_t(kept)) == 0, lseek(descriptor, 0, SEEK_END) >= 0 else {
      throw OutputTarget.failure(path, errno)
    }
    return kept
  }

  deinit { close(descriptor) }

  /// Appends bytes. If writing fails, a partly written piece is removed again.
  public func append(_ bytes: some Collection<UInt8>) throws {
    let bytes = Array(bytes)
    guard bytes.withUnsafeBytes({ writeAll($0, to: descriptor) }) else {
      let error = OutputTarget.failure(path, errno)
      if ftruncate(descriptor, off_t(byteCount)) == 0 { lseek(descriptor, 0, SEEK_END) }
      throw error
    }
    byteCount += bytes.count
  }

  /// Waits until everything written so far is durable on disk.
  public func synchronize() throws {
    guard fsync(descriptor) == 0 else { throw OutputTarget.failure(path, errno) }
  }
}
