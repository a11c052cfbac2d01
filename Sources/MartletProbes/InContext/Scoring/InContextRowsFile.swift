import MartletData
import MartletEvaluation

/// A file of rows that grows context by context, so that a run which was ended at any moment goes on behind the last whole context and
/// leaves the same file as one that was not ended.
public final class InContextRowsFile {
  /// The rows of an earlier run that are kept.
  public let rows: [InContextRow]
  private let file: AppendedFile

  /// Begins a file, or goes on with one.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - resumes: whether the rows of an earlier run are kept.
  ///   - replaces: whether an existing file may be begun anew.
  ///   - queriesPerContext: the number of rows that belong together.
  /// - Throws: `FileError` if the file cannot be written, or holds what are no rows.
  public init(_ path: String, resumes: Bool, replaces: Bool, queriesPerContext: Int) throws {
    guard resumes else {
      try OutputTarget.check(path, replaces: replaces)
      rows = []
      file = try AppendedFile(path: path, keeping: 0)
      return
    }
    let lines = try RowsFile.lines(path)
    let kept = lines.count / queriesPerContext * queriesPerContext
    guard kept > 0 else {
      rows = []
      file = try AppendedFile(path: path, keeping: 0)
      return
    }
    file = try AppendedFile(path: path, keeping: lines[kept - 1].end)
    rows = try InContextRow.read(path)
  }

  /// Appends the rows of a context in one go.
  public func append(_ rows: [InContextRow]) throws {
    try file.append(Array(rows.map { $0.json.text + "\n" }.joined().utf8))
  }

  /// Waits until everything is durable.
  public func synchronize() throws { try file.synchronize() }
}
