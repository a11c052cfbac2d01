import Foundation
import MartletData

/// A file of rows that grows in the order of the run, whatever order rows are finished in, so that a run which was ended and resumed
/// leaves the same bytes as one that was not. Without a path nothing is written.
package final class RowsFile {
  private let file: AppendedFile?
  /// Finished rows that wait for earlier ones, by their place.
  private var waiting: [Int: [UInt8]] = [:]
  private var next: Int

  /// - Parameters:
  ///   - path: the file; nil for none.
  ///   - byteCount: how many bytes of it are kept.
  ///   - next: the place of the first row that is written.
  package init(_ path: String?, keeping byteCount: Int, next: Int) throws {
    file = try path.map { try AppendedFile(path: $0, keeping: byteCount) }
    self.next = next
  }

  /// Takes a finished row; it is written as soon as all rows before it are.
  package func add(_ line: [UInt8], at place: Int) throws {
    guard let file else { return }
    waiting[place] = line
    while let line = waiting.removeValue(forKey: next) {
      try file.append(line + [UInt8(ascii: "\n")])
      next += 1
    }
  }

  /// Waits until all that is written is durable.
  package func synchronize() throws { try file?.synchronize() }

  /// Whether a file holds nothing, or is not there.
  package static func isEmpty(_ path: String) throws -> Bool {
    guard FileManager.default.fileExists(atPath: path) else { return true }
    return try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int == 0
  }

  /// The whole lines of a file and their end; what follows the last line break is of a line that was being written.
  package static func lines(_ path: String) throws -> [(bytes: Data, end: Int)] {
    guard FileManager.default.fileExists(atPath: path) else { return [] }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw FileError(file: path, "it cannot be read; check its permissions")
    }
    var lines: [(Data, Int)] = []
    var start = data.startIndex
    while let end = data[start...].firstIndex(of: UInt8(ascii: "\n")) {
      lines.append((data[start..<end], end + 1 - data.startIndex))
      start = end + 1
    }
    return lines
  }
}
