#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file that grows by whole lines, such as a run's metrics.
public final class AppendedFile {
  private let path: String
  private let descriptor: Int32
  /// Bytes of whole lines.
  public private(set) var byteCount = 0

  /// Opens the file, or makes it, and leaves its first `byteCount` bytes (what is shorter stays as it is).
  public init(path: String, keeping byteCount: Int) throws {
    self.path = path
    var status = stat()
    if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
      throw CheckpointError(file: path, "it is not a plain file; choose another folder, or remove it")
    }
    descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw OutputTarget.failure(path, errno) }
    guard fstat(descriptor, &status) == 0 else { throw OutputTarget.failure(path, errno) }
    self.byteCount = max(0, min(byteCount, Int(status.st_size)))
    guard ftruncate(descriptor, off_t(self.byteCount)) == 0, lseek(descriptor, 0, SEEK_END) >= 0 else {
      throw OutputTarget.failure(path, errno)
    }
  }

  deinit { close(descriptor) }

  /// Adds bytes at the end. Where that fails, what came of them is taken away again.
  public func append(_ bytes: some Collection<UInt8>) throws {
    let bytes = Array(bytes)
    guard bytes.withUnsafeBytes({ writeAll($0, to: descriptor) }) else {
      let error = OutputTarget.failure(path, errno)
      if ftruncate(descriptor, off_t(byteCount)) == 0 { lseek(descriptor, 0, SEEK_END) }
      throw error
    }
    byteCount += bytes.count
  }

  /// Makes what was written durable.
  public func synchronize() throws {
    guard fsync(descriptor) == 0 else { throw OutputTarget.failure(path, errno) }
  }
}
