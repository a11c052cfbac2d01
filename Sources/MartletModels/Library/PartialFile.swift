import Foundation
import MartletData

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file that arrives in pieces: written as `NAME.part`, locked while somebody writes it, and renamed when it is
/// whole and on disk. A process that dies lets go of the lock, so that the next one goes on or begins anew.
final class PartialFile {
  private let path: String
  private let partial: String
  private let descriptor: Int32
  private(set) var count: Int

  /// Waits for other downloads of the same file.
  /// - Returns: nil when `isThere` says that the file has come meanwhile.
  static func open(_ path: String, isThere: () -> Bool) async throws -> PartialFile? {
    while true {
      // In this order, as looking may mean reading the whole file.
      if !FileManager.default.fileExists(atPath: path + ".part"), isThere() { return nil }
      if let file = try PartialFile(path) {
        guard isThere() else { return file }
        file.remove()  // A finished file needs no beginning of itself.
        return nil
      }
      try await Task.sleep(for: .milliseconds(200))
    }
  }

  /// Nil where another process has the file.
  private init?(_ path: String) throws {
    self.path = path
    partial = path + ".part"
    descriptor = Glue.open(partial)
    guard descriptor >= 0 else {
      throw ModelError(OutputTarget.failure(partial, errno).description)
    }
    count = 0
    // Whoever had it before may have renamed it: then this is the finished file, or nobody's.
    var mine = stat(), named = stat()
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, fstat(descriptor, &mine) == 0, lstat(partial, &named) == 0,
      mine.st_ino == named.st_ino, mine.st_dev == named.st_dev
    else {
      close(descriptor)
      return nil
    }
    count = Int(mine.st_size)
  }

  deinit { close(descriptor) }

  private enum Glue {
    // Not through a link that somebody has laid there.
    static func open(_ path: String) -> Int32 {
      #if canImport(Glibc)
        Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
      #else
        Darwin.open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
      #endif
    }
    static func write(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int, _ place: Int) -> Int {
      #if canImport(Glibc)
        Glibc.pwrite(descriptor, bytes, count, off_t(place))
      #else
        Darwin.pwrite(descriptor, bytes, count, off_t(place))
      #endif
    }
  }

  private func failure() -> ModelError {
    errno == ENOSPC
      ? ModelError("the disk is full; free some space for \(path) and run the same command again to resume")
      : ModelError(OutputTarget.failure(partial, errno).description)
  }

  /// Begins anew.
  func clear() throws {
    guard ftruncate(descriptor, 0) == 0 else { throw failure() }
    count = 0
  }

  func append(_ data: Data) throws {
    try data.withUnsafeBytes { bytes in
      var rest = bytes[...]
      while let base = UnsafeRawBufferPointer(rebasing: rest).baseAddress, !rest.isEmpty {
        let written = Glue.write(descriptor, base, rest.count, count)
        if written < 0 {
          if errno == EINTR { continue }
          throw failure()
        }
        count += written
        rest = rest.dropFirst(written)
      }
    }
  }

  /// SHA-256 of what has come.
  func digest() throws -> String { try Self.digest(partial) }

  /// SHA-256 of a file.
  static func digest(_ path: String) throws -> String {
    let map = try MappedFile(path: path)
    defer { withExtendedLifetime(map) {} }
    var digest = SHA256()
    for start in stride(from: 0, to: map.bytes.count, by: 1 << 20) {
      digest.update(map.bytes[start..<min(map.bytes.count, start + 1 << 20)])
    }
    return digest.finalize()
  }

  /// Makes the file durable under its name.
  func commit() throws {
    guard fsync(descriptor) == 0, rename(partial, path) == 0 else { throw failure() }
    try AtomicFile.syncFolder(path.parentFolder)
  }

  func remove() { unlink(partial) }
}
