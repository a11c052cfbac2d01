import Foundation
import MartletEngine

/// JSON objects, one a line, of a file (plain or gzipped), a pipe or standard input.
enum JSONLines {
  struct Line {
    /// From 1, empty lines counted.
    let number: Int
    let value: JSONValue
  }

  /// Every line that is not empty.
  ///
  /// - Parameter path: `-` is standard input.
  /// - Throws: ``EditError`` naming the line that is no JSON.
  static func read(_ path: String) throws -> [Line] {
    // Some editors and spreadsheets begin UTF-8 with a byte order mark.
    let data = try bytes(path).trimmingPrefix([0xef, 0xbb, 0xbf])
    return try data.split(separator: 0x0a, omittingEmptySubsequences: false).enumerated().compactMap { index, bytes in
      if bytes.allSatisfy({ $0 <= 0x20 }) { return nil }
      do { return Line(number: index + 1, value: try JSONValue(parsing: Array(bytes))) } catch let error as JSONError {
        throw EditError(
          "\(name(path)), line \(index + 1), column \(error.column): it is no JSON (\(error.problem)); each line must be one JSON object, so mend it or take it out"
        )
      }
    }
  }

  /// What a path is called in errors.
  static func name(_ path: String) -> String { path == "-" ? "standard input" : path }

  private static func bytes(_ path: String) throws -> Data {
    guard path.hasSuffix(".gz") else {
      // A pipe has no size, and is read to its end.
      guard path == "-" || FileManager.default.fileExists(atPath: path) else {
        throw EditError("\(path): there is no such file; check the path")
      }
      guard let file = path == "-" ? .standardInput : FileHandle(forReadingAtPath: path) else {
        throw EditError("\(path) cannot be read: \(String(cString: strerror(errno)))")
      }
      do { return try file.readToEnd() ?? Data() } catch {
        throw EditError("\(name(path)) cannot be read; give a file of JSON lines")
      }
    }
    guard FileManager.default.fileExists(atPath: path) else {
      throw EditError("\(path): there is no such file; check the path")
    }
    let process = Process(), pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["gzip", "-dc", path]
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    do { try process.run() } catch {
      throw EditError("\(path) is compressed, and gzip is not installed; decompress it first")
    }
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw EditError("\(path) is no gzip file, or damaged") }
    return data
  }
}
