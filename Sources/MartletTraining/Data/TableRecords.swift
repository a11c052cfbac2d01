import MartletData

/// The rows of a table of text (CSV as RFC 4180 has it, or TSV), whose first line names the columns. A field in double
/// quotes may hold separators, line breaks, and quotes written twice.
struct TableRecords {
  /// What can be found in a place where a row should be.
  struct Found {
    var line: Int
    var offset: Int
    var row: Result<JSONObject, BadRecord>
  }

  /// The columns' names.
  private(set) var columns: [String] = []
  /// Why the first line names none.
  private(set) var problem: BadRecord?
  private let bytes: [UInt8]
  private let separator: UInt8
  private var at = 0
  private var line = 1

  /// - Parameter isTabbed: whether the file says that tabs part its fields; else the first line tells.
  init(_ bytes: [UInt8], isTabbed: Bool) {
    self.bytes = bytes
    let header = bytes.prefix { $0 != 0x0a && $0 != 0x0d }
    func count(_ byte: UInt8) -> Int { header.count { $0 == byte } }
    let candidates = [UInt8(ascii: "\t"), UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "|")]
    separator =
      isTabbed
      ? candidates[0] : candidates.max { count($0) < count($1) }.flatMap { count($0) > 0 ? $0 : nil } ?? candidates[1]
    do throws(BadRecord) {
      columns = try fields().map { String($0.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed()) }
    } catch {
      problem = error
    }
    var seen: Set<String> = []
    if let twice = columns.first(where: { Self.meant.contains($0) && !seen.insert($0).inserted }) {
      problem = BadRecord(offset: 0, problem: "two columns are called \(twice); give each column a different name")
    }
  }

  /// Columns that examples are made of; others may be there twice.
  private static let meant: Set<String> = [
    "text", "prompt", "completion", "response", "instruction", "input", "output", "question", "answer", "messages",
    "conversations", "system", "history",
  ]

  mutating func next() -> Found? {
    while true {
      while at < bytes.count, bytes[at] == 0x0a || bytes[at] == 0x0d {
        if bytes[at] == 0x0a { line += 1 }
        at += 1
      }
      guard at < bytes.count else { return nil }
      let start = at, startLine = line
      do throws(BadRecord) {
        // A line of white space is none.
        guard let object = try row(from: start) else { continue }
        return Found(line: startLine, offset: start, row: .success(object))
      } catch {
        return Found(line: startLine, offset: start, row: .failure(error))
      }
    }
  }

  private mutating func row(from start: Int) throws(BadRecord) -> JSONObject? {
    let values = try fields()
    if values.count == 1, values[0].allSatisfy(\.isWhitespace), columns.count > 1 { return nil }
    guard values.count == columns.count else {
      throw BadRecord(
        offset: start,
        problem:
          "it has \(values.count) fields, but the first line has \(columns.count) columns; put fields that contain the separator in double quotes"
      )
    }
    var object = JSONObject()
    for (name, value) in zip(columns, values) { object.append(name, Self.value(value)) }
    return object
  }

  /// A list of messages may stand in a field as JSON; everything else is text.
  private static func value(_ text: String) -> JSONValue {
    if text.hasPrefix("[{"), let list = try? JSONValue(parsing: text), list.array != nil { return list }
    return .string(text)
  }

  /// The fields of a row; `at` is then behind its line break.
  private mutating func fields() throws(BadRecord) -> [String] {
    var fields: [String] = []
    while true {
      var field: [UInt8] = []
      if at < bytes.count, bytes[at] == UInt8(ascii: "\"") {
        let opening = at
        at += 1
        while true {
          guard at < bytes.count else {
            throw BadRecord(offset: opening, problem: "the quotes that open here are not closed")
          }
          if bytes[at] == UInt8(ascii: "\"") {
            at += 1
            guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") else { break }
          }
          if bytes[at] == 0x0a { line += 1 }
          field.append(bytes[at])
          at += 1
        }
      }
      // What stands outside of quotes, which is all of a plain field.
      while at < bytes.count, bytes[at] != separator, bytes[at] != 0x0a, bytes[at] != 0x0d {
        field.append(bytes[at])
        at += 1
      }
      guard let text = String(validating: field, as: UTF8.self) else {
        let start = at - field.count, place = DataText.firstInvalid(field) ?? 0
        let problem = BadRecord(
          offset: max(0, start + place),
          problem: "byte 0x\(String(field[place], radix: 16)) is not UTF-8; convert the file first, e.g. with iconv")
        while at < bytes.count, bytes[at] != 0x0a { at += 1 }
        throw problem
      }
      fields.append(text)
      guard at < bytes.count, bytes[at] == separator else { break }
      at += 1
    }
    if at < bytes.count, bytes[at] == 0x0d { at += 1 }
    if at < bytes.count, bytes[at] == 0x0a {
      at += 1
      line += 1
    }
    return fields
  }
}
