import CMartletSystem

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Files of a machine: this one's, or a copy of its /proc and /sys under some folder.
struct HostFiles {
  /// Without a slash at its end; empty for this machine.
  let root: String

  init(root: String) { self.root = root == "/" ? "" : root }

  /// - Returns: nil where there is no such file or it may not be read.
  func bytes(_ path: String, atMost limit: Int = 1 << 20) -> [UInt8]? {
    try? Self.read(root + path, atMost: limit).get()
  }

  /// The first line, without blanks around it.
  func line(_ path: String) -> String? {
    bytes(path, atMost: 4096).map {
      let line = $0.prefix { $0 != UInt8(ascii: "\n") }
      return String(decoding: line, as: UTF8.self).trimmingBlanks
    }
  }

  func exists(_ path: String) -> Bool { access(root + path, F_OK) == 0 }
  func isReadable(_ path: String) -> Bool { access(root + path, R_OK) == 0 }

  /// Names in a folder, sorted; empty where there is none.
  func names(in path: String) -> [String] {
    guard let folder = opendir(root + path) else { return [] }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  struct Failure: Error {
    var code: Int32
    var words: String { String(cString: strerror(code)) }
  }

  /// A whole file. Fails with EFBIG above `limit` bytes.
  /// - Parameter first: bytes of the first try; a pipe has only one.
  static func read(_ path: String, atMost limit: Int, first: Int = 1 << 16) -> Result<[UInt8], Failure> {
    var capacity = min(first, limit + 1)
    while true {
      var count = 0
      let bytes = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, used in
        count = martlet_read_file(path, buffer.baseAddress, capacity, 0)
        used = max(0, count)
      }
      if count < 0 { return .failure(Failure(code: Int32(-count))) }
      if count < capacity { return .success(bytes) }
      if capacity > limit { return .failure(Failure(code: EFBIG)) }
      capacity = min(capacity * 8, limit + 1)
    }
  }

  /// A file that a person named.
  /// - Throws: HostCheckError with the cause.
  static func read(named path: String, atMost limit: Int) throws -> [UInt8] {
    switch read(path, atMost: limit, first: limit + 1) {
    case .success(let bytes): return bytes
    case .failure(let failure) where failure.code == EFBIG:
      throw HostCheckError("\(path) is larger than \(limit >> 20) MB, which no file of its kind is")
    case .failure(let failure): throw HostCheckError("\(path) cannot be read: \(failure.words)")
    }
  }
}

extension String {
  var trimmingBlanks: String {
    var text = Substring(self)
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text.drop { $0.isWhitespace })
  }
}
