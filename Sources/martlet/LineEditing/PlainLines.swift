import Foundation
/// Lines of a file, or of standard input where it is no terminal, as they come. Bytes that are not UTF-8 are an error, not repaired:
/// a repaired question would be another question.
struct PlainLines {
  private var buffer: [UInt8] = []
  private var isAtEnd = false
  /// Lines handed over so far.
  private(set) var count = 0
  private let file: FileHandle
  private let name: String

  init() { (file, name) = (.standardInput, "standard input") }

  /// - Parameter path: `-` is standard input.
  /// - Throws: ``LineError`` when the file cannot be opened.
  init(path: String) throws {
    guard path != "-" else {
      (file, name) = (.standardInput, "standard input")
      return
    }
    guard let file = FileHandle(forReadingAtPath: path) else {
      throw LineError("\(path) cannot be read: \(String(cString: strerror(errno)))")
    }
    (self.file, name) = (file, path)
  }

  /// The next line without its end; nil when there is none.
  /// - Throws: ``LineError`` when the line is not UTF-8; the lines that follow can still be read.
  mutating func next() throws -> String? {
    var searched = 0
    while true {
      if let end = buffer[searched...].firstIndex(of: 10) {
        let line = buffer[..<end]
        defer { buffer.removeFirst(end + 1) }
        return try text(line)
      }
      searched = buffer.count
      if isAtEnd {
        guard !buffer.isEmpty else { return nil }
        defer { buffer = [] }
        return try text(buffer[...])
      }
      read()
    }
  }

  private mutating func text(_ bytes: ArraySlice<UInt8>) throws -> String {
    count += 1
    var bytes = bytes
    if bytes.last == 13 { bytes.removeLast() }
    if count == 1, bytes.starts(with: [0xef, 0xbb, 0xbf]) { bytes.removeFirst(3) }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw LineError("line \(count) of \(name) is not UTF-8; convert it first, e.g. with iconv")
    }
    return text
  }

  private mutating func read() {
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = bytes.withUnsafeMutableBytes { Foundation.read(file.fileDescriptor, $0.baseAddress, $0.count) }
    if count < 0, errno == EINTR { return }
    if count <= 0 { isAtEnd = true } else { buffer += bytes[..<count] }
  }
}

/// Why a line cannot be taken.
struct LineError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
