#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file mapped read-only into memory. Pages are loaded on first access and belong to the system's page cache.
public final class MappedFile: @unchecked Sendable {
  /// The file's path.
  public let path: String
  /// The contents, which stay mapped as long as this object exists.
  public let bytes: UnsafeRawBufferPointer
  private let isMapped: Bool

  /// A file that is embedded in the program. `bytes` must stay valid as long as the program runs.
  public init(name: String, builtIn bytes: UnsafeRawBufferPointer) {
    path = name
    self.bytes = bytes
    isMapped = false
  }

  /// - Throws: ``FileError`` if the file is missing, unreadable, empty, or not a regular file.
  public init(path: String) throws {
    self.path = path
    isMapped = true
    // Without waiting: a named pipe would hold the call until somebody writes.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      let reason = errno == ENOENT ? "there is no such file" : String(cString: strerror(errno))
      throw FileError(file: path, "\(reason); check the path")
    }
    defer { close(descriptor) }
    var information = stat()
    guard fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFREG else {
      throw FileError(file: path, "it is not a plain file; give the path of a file")
    }
    let size = Int(information.st_size)
    guard size > 0 else { throw FileError(file: path, "the file is empty; fetch or save it again") }
    guard let base = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED else {
      throw FileError(file: path, "it cannot be mapped: \(String(cString: strerror(errno)))")
    }
    bytes = UnsafeRawBufferPointer(start: base, count: size)
  }

  /// The bytes of a file of at most `limit` bytes, copied.
  public static func contents(of path: String, limit: Int = .max) throws -> [UInt8] {
    let file = try MappedFile(path: path)
    guard file.bytes.count <= limit else {
      throw FileError(file: path, "\(file.bytes.count) bytes are more than the limit for such a file (\(limit))")
    }
    return withExtendedLifetime(file) { Array(file.bytes) }
  }

  deinit {
    if isMapped { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) }
  }

  /// Allows the system to drop the pages that lie completely inside `range`; they are read again on the next access.
  public func release(_ range: Range<Int>) {
    guard isMapped else { return }
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let start = (range.lowerBound + page - 1) / page * page, end = range.upperBound / page * page
    guard start < end, let base = bytes.baseAddress else { return }
    madvise(UnsafeMutableRawPointer(mutating: base + start), end - start, MADV_DONTNEED)
  }
}
