import Foundation
import MartletData
import MartletModels

/// The lines that were entered, of this run and earlier ones; the newest come last. Bounded in number and size.
struct LineHistory: Sendable {
  static let mostLines = 1000
  static let mostBytes = 1 << 20
  /// A longer line is kept for this run only.
  private static let mostLineBytes = 1 << 16

  private(set) var lines: [String] = []
  /// Where lines are kept between runs.
  private let path: String?

  /// Reads what earlier runs left; a file that is missing or damaged holds nothing.
  init(path: String? = nil) {
    self.path = path
    guard let path, let bytes = try? MappedFile.contents(of: path, limit: 16 * Self.mostBytes) else { return }
    lines = bytes.split(separator: 10).compactMap { line in
      (try? JSONValue(parsing: line))?.string
    }
    let count = lines.count
    trim()
    // Lines are only added while people write, so the file is shortened here.
    if count > lines.count { try? rewrite(path) }
  }

  /// Adds a line, unless it is the last one again.
  /// - Throws: ``ModelError`` or ``FileError`` when it cannot be kept for later runs.
  mutating func add(_ line: String) throws {
    guard !line.isEmpty, line != lines.last else { return }
    lines.append(line)
    trim()
    guard let path, line.utf8.count <= Self.mostLineBytes else { return }
    try MartletHome.makeFolder(of: path)
    // Whole lines are added at the end, so that two chats at once lose none.
    let file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw OutputTarget.failure(path, errno) }
    defer { close(file) }
    guard try Self.encoded(line).withUnsafeBytes({ writeAll($0, to: file) }) else {
      throw OutputTarget.failure(path, errno)
    }
  }

  private mutating func trim() {
    var bytes = 0
    let kept = lines.suffix(Self.mostLines).reversed().prefix { line in
      bytes += line.utf8.count
      return bytes <= Self.mostBytes
    }
    lines = kept.reversed()
  }

  private func rewrite(_ path: String) throws {
    let file = try AtomicFile(path: path)
    for line in lines where line.utf8.count <= Self.mostLineBytes {
      try Self.encoded(line).withUnsafeBytes { try file.write($0) }
    }
    try file.commit()
  }

  /// A JSON string a line, so that line breaks in it survive.
  private static func encoded(_ line: String) throws -> Data {
    try JSONSerialization.data(withJSONObject: line, options: [.fragmentsAllowed, .withoutEscapingSlashes])
      + Data("\n".utf8)
  }
}
