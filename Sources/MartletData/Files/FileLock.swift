import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file that this process alone writes. The lock ends with the last of the process's own locks of the file, or with the process, however
/// that ends; it does not bind the process itself.
///
/// It is one of flock(2) on a descriptor that nothing else uses. A lock of fcntl(2) would be gone as soon as any descriptor of the file is
/// closed, such as that of a reader who draws a page of the metrics.
final class FileLock: Sendable {
  private struct File: Hashable {
    let device: UInt64, number: UInt64
  }

  /// The locks of this process, each with how many hold it.
  private static let held = Mutex<[File: (descriptor: Int32, count: Int)]>([:])
  private let file: File

  /// Locks an open file; nil on file systems without locks, which do without.
  /// - Throws: ``FileError`` if another process holds it.
  init?(_ opened: Int32, of path: String) throws {
    var status = stat()
    guard fstat(opened, &status) == 0 else { throw OutputTarget.failure(path, errno) }
    let file = File(device: UInt64(status.st_dev), number: UInt64(status.st_ino))
    let isLocked = try Self.held.withLock { held in
      if let (descriptor, count) = held[file] {
        held[file] = (descriptor, count + 1)
        return true
      }
      let descriptor = fcntl(opened, F_DUPFD_CLOEXEC, 0)
      guard descriptor >= 0 else { throw OutputTarget.failure(path, errno) }
      guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
        let problem = errno
        close(descriptor)
        guard problem == EWOULDBLOCK else { return false }
        throw FileError(
          file: path, "another process is writing it; wait until that has ended, or choose another name")
      }
      held[file] = (descriptor, 1)
      return true
    }
    guard isLocked else { return nil }
    self.file = file
  }

  deinit {
    Self.held.withLock { held in
      guard let (descriptor, count) = held[file] else { return }
      held[file] = count > 1 ? (descriptor, count - 1) : nil
      // A copy of the descriptor, as that of the writer, shares the lock; it is unlocked before it is closed.
      guard count == 1 else { return }
      flock(descriptor, LOCK_UN)
      close(descriptor)
    }
  }
}
