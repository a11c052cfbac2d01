import MartletData

extension [TeachingRow] {
  /// Writes rows as JSON lines; the file appears whole or not at all.
  /// - Parameters:
  ///   - path: the file.
  ///   - replaces: whether an existing file may be replaced.
  /// - Throws: `FileError` if it cannot be written.
  public func write(to path: String, replaces: Bool = false) throws {
    var bytes: [UInt8] = []
    for row in self {
      row.json.write(to: &bytes)
      bytes.append(UInt8(ascii: "\n"))
    }
    try AtomicFile.write(bytes, to: path, replaces: replaces)
  }
}
