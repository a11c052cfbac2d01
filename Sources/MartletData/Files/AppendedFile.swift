#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file to which whole lines are appended, such as the metrics of a run.
public final class AppendedFile {
  private let path: String
  private let descriptor: Int32
  /// The number of bytes in complete lines.
  public private(set) var byteCount = 0

  /// Opens or creates the file and truncates it to its first `byteCount` bytes. A shorter file is left unchanged.
  ///
  /// - Throws: ``FileError`` where the file cannot be written, or another process has it and `locks` is true.
  public init(path: String, keeping byteCount: Int, locks: Bool = false) throws {
    self.path = path
    var status = stat()
    if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
      throw FileError(file: path, "it is not a plain file; choose another folder, or remove it")
    }
    descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw OutputTarget.failure(path, errno) }
    if locks, flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
      close(descriptor)
      throw FileError(file: path, "another process is writing it; wait until that has ended, or name another file")
    }
    guard fstat(descriptor, &status) == 0 else { throw OutputTarget.failure(path, errno) }
    self.byteCount = max(0, min(byteCount, Int(status.st_size)))
    guard ftruncate(descriptor, off_t(self.byteCount)) == 0, lseek(descriptor, 0, SEEK_END) >= 0 else {
      throw OutputTarget.failure(path, errno)
    }
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
