import MartletData

/// Why one record of a file of data cannot be used, and the byte of the file where that shows.
struct BadRecord: Error {
  let offset: Int
  let problem: String

  /// Parses a value that stands in a file.
  /// - Throws: ``BadRecord`` with the true cause, as far as it can be seen.
  static func parse(_ bytes: [UInt8], _ range: Range<Int>) throws(BadRecord) -> JSONValue {
    do {
      return try JSONValue(parsing: bytes[range])
    } catch {
      guard let error = error as? JSONError else { throw BadRecord(offset: range.lowerBound, problem: "\(error)") }
      throw BadRecord(error, bytes, range)
    }
  }

  init(offset: Int, problem: String) {
    self.offset = offset
    self.problem = problem
  }

  /// What people write that is no JSON, by how it begins.
  private static let foreignWords: [(word: String, problem: String)] = [
    ("NaN", "NaN is not a value of JSON; write null or a number"),
    ("nan", "nan is not a value of JSON; write null or a number"),
    ("Infinity", "Infinity is not a value of JSON; write null or a number"),
    ("inf", "inf is not a value of JSON; write null or a number"),
    ("None", "None is Python; JSON has null"), ("True", "True is Python; JSON has true"),
    ("False", "False is Python; JSON has false"), ("undefined", "undefined is JavaScript; JSON has null"),
    ("'", "JSON needs double quotes, not single ones"), ("//", "JSON has no comments"), ("/*", "JSON has no comments"),
    ("#", "JSON has no comments"), ("\u{201c}", "JSON needs straight double quotes"),
  ]

  private init(_ error: JSONError, _ bytes: [UInt8], _ range: Range<Int>) {
    let record = bytes[range]
    if let invalid = DataText.firstInvalid(record) {
      let byte = record[range.lowerBound + invalid]
      let latin = byte >= 0xa0 ? " (\(Character(Unicode.Scalar(byte))) in Latin-1)" : ""
      self.init(
        offset: range.lowerBound + invalid,
        problem:
          "byte 0x\(String(byte, radix: 16))\(latin) is not UTF-8; convert the file first, e.g. iconv -f latin1 -t utf-8"
      )
      return
    }
    // The parser counts lines and columns within the record, in bytes.
    var start = range.lowerBound
    for _ in 1..<max(1, error.line) {
      start = record[start...].firstIndex(of: 0x0a).map { $0 + 1 } ?? start
    }
    let offset = min(start + error.column - 1, range.upperBound)
    for place in [offset, offset - 1] where place >= range.lowerBound {
      if let found = Self.foreignWords.first(where: { record[place...].starts(with: $0.word.utf8) }) {
        self.init(offset: place, problem: found.problem)
        return
      }
    }
    var problem = "it is not JSON: \(error.problem)"
    if offset >= range.upperBound || error.problem.contains("no end") {
      problem += "; it may have been cut off"
    } else if error.problem.contains("more after the end"),
      [UInt8(ascii: "{"), UInt8(ascii: "[")].contains(record[offset])
    {
      problem = "there is a second value in the same line; put each value in a separate line"
    } else if bytes[offset] == UInt8(ascii: "}") || bytes[offset] == UInt8(ascii: "]"),
      record[..<offset].last(where: { $0 > 0x20 }) == UInt8(ascii: ",")
    {
      problem = "there is a comma before the closing bracket; remove it"
    }
    self.init(offset: offset, problem: problem)
  }
}
