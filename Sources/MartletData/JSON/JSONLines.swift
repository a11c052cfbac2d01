import Foundation

/// Reads JSON Lines, one JSON value per line, from a file (plain, gzip or zstd), a pipe or standard input.
///
///     for line in try JSONLines.read("questions.jsonl.gz") {
///       guard let text = line.value["text"]?.string else { throw line.failure("it has no text") }
///     }
///
/// Training data is read by MartletTraining instead, which can leave out damaged lines and report them.
public enum JSONLines {
  /// A line that is not empty.
  public struct Line: Sendable {
    /// The position for error messages: the file and the line.
    public let place: String
    /// The line number, counted from 1, with empty lines included.
    public let number: Int
    /// The parsed value.
    public let value: JSONValue

    package init(place: String, number: Int, value: JSONValue) {
      (self.place, self.number, self.value) = (place, number, value)
    }

    /// An error that names the file and this line.
    public func failure(_ problem: String) -> FileError { FileError(file: place, problem) }
  }

  /// Reads every line that is not empty. A byte order mark, which some editors and spreadsheets write, is ignored.
  ///
  /// - Parameter path: a file, or `-` for standard input. Compression is detected from the first bytes.
  /// - Throws: ``FileError`` that names the line that is not JSON, or says why the file cannot be read.
  public static func read(_ path: String) throws -> [Line] {
    try lines(contents(path), of: path == "-" ? "standard input" : path)
  }

  /// Parses every line of a text that is not empty.
  /// - Throws: ``FileError`` that names the line that is not JSON.
  package static func lines(_ data: Data, of name: String) throws -> [Line] {
    try data.split(separator: 0x0a, omittingEmptySubsequences: false)
      .enumerated().compactMap { index, bytes in
        if bytes.allSatisfy({ $0 <= 0x20 }) { return nil }
        let place = "\(name), line \(index + 1)"
        do { return Line(place: place, number: index + 1, value: try JSONValue(parsing: bytes)) } catch let error
          as JSONError
        {
          throw FileError(
            file: "\(place), column \(error.column)",
            "it is not JSON (\(error.problem)); each line must be one JSON object, so correct or remove it")
        }
      }
  }

  /// All that a file of JSON holds, unpacked and without a byte order mark.
  /// - Throws: ``FileError`` that says why it cannot be read.
  package static func contents(_ path: String) throws -> Data {
    let name = path == "-" ? "standard input" : path
    var data = try bytes(path, name)
    if let compression = Compression(data.prefix(16)) {
      data = Data(try data.withUnsafeBytes { try compression.unpack($0, of: name) })
    }
    return Data(data.trimmingPrefix([0xef, 0xbb, 0xbf]))
  }

  /// All that the file holds. A pipe has no size, and is read to its end.
  private static func bytes(_ path: String, _ name: String) throws -> Data {
    guard path == "-" || FileManager.default.fileExists(atPath: path) else {
      throw FileError(file: path, "there is no such file; check the path")
    }
    guard let file = path == "-" ? .standardInput : FileHandle(forReadingAtPath: path) else {
      throw FileError(
        file: path, "it cannot be read (\(String(cString: strerror(errno)))); check its permissions")
    }
    do { return try file.readToEnd() ?? Data() } catch {
      throw FileError(file: name, "it cannot be read; give the path of a file")
    }
  }
}
