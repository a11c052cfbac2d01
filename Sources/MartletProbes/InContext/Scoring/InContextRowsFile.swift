import Foundation
import MartletData
import MartletEvaluation

/// A file of rows that grows context by context, so that a run which was ended at any moment goes on behind the last whole context and
/// leaves the same file as one that was not ended.
public final class InContextRowsFile {
  /// The rows of an earlier run that are kept, by model: those of whole contexts, in their order.
  public let done: [[InContextRow]]
  private let file: AppendedFile

  /// Begins a file, or goes on with one.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - probe: what is asked.
  ///   - subjects: the models that are asked, in their order.
  ///   - resumes: whether the rows of an earlier run are kept.
  ///   - replaces: whether an existing file may be begun anew.
  /// - Throws: `FileError` if the file cannot be written, or holds what are no rows; ``ProbeError`` if its rows are of another run. The file
  ///   is left as it is then.
  public init(
    _ path: String, of probe: InContextProbe, by subjects: [InContextSubject], resumes: Bool, replaces: Bool
  ) throws {
    guard resumes else {
      try OutputTarget.check(path, replaces: replaces)
      done = subjects.map { _ in [] }
      file = try AppendedFile(path: path, keeping: 0)
      return
    }
    let lines = try RowsFile.lines(path)
    try Self.checkEnd(of: path, behind: lines.last?.end ?? 0)
    let rows = try lines.enumerated().map { index, line in
      let place = "\(path), line \(index + 1)"
      guard let value = try? JSONValue(parsing: line.bytes) else { throw Self.isNoRow(place) }
      return try InContextRow(JSONLines.Line(place: place, number: index + 1, value: value))
    }
    // Nothing is cut off before it is known that everything is of this run.
    done = try probe.resumed(rows, by: subjects)
    let kept = done.reduce(0) { $0 + $1.count }
    file = try AppendedFile(path: path, keeping: kept > 0 ? lines[kept - 1].end : 0)
  }

  /// How every row begins.
  private static let beginning = Array("{\"model\":".utf8)

  /// What stands behind the last whole line must be the beginning of a row that was being written.
  private static func checkEnd(of path: String, behind end: Int) throws {
    guard let data = FileManager.default.contents(atPath: path) else { return }
    let rest = data.dropFirst(end).prefix(beginning.count)
    if !rest.elementsEqual(beginning.prefix(rest.count)) { throw isNoRow("\(path), last line") }
  }

  private static func isNoRow(_ place: String) -> FileError {
    FileError(file: place, "it is no row of `martlet probe icl`; choose another name for the rows, or remove the file")
  }

  /// Appends the rows of a context in one go.
  public func append(_ rows: [InContextRow]) throws {
    try file.append(Array(rows.map { $0.json.text + "\n" }.joined().utf8))
  }

  /// Waits until everything is durable.
  public func synchronize() throws { try file.synchronize() }
}
