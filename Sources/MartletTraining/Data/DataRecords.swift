import MartletData

/// The records of a file of JSON or of a table, whichever its content says it is.
struct DataRecords {
  struct Record {
    var line: Int
    var offset: Int
    var example: Result<(DataExample, form: String?), BadRecord>
    /// Whether it writes half of a surrogate pair, which is no character.
    var hasHalfPairs = false
  }

  static let jsonEndings = [".jsonl", ".json", ".ndjson", ".jsonlines", ".jl"]
  static let tableEndings = [".csv", ".tsv"]

  let text: DataText
  /// What is to be said about how the file was read.
  private(set) var notes: [String]
  private let form: DataForm
  private enum Source {
    case json(JSONRecords)
    case table(TableRecords)
  }
  private var source: Source
  /// Elements of a list inside of an object around all of the data.
  private var inner: [JSONValue] = []
  private var innerOffset = 0

  /// nil for a file that is plain text.
  /// - Throws: ``TrainingError`` for a file whose name promises what it does not hold.
  init?(_ text: DataText, form: DataForm) throws {
    self.text = text
    self.form = form
    notes = text.notes
    let bytes = text.bytes, name = text.plainName
    let isNamedJSON = Self.jsonEndings.contains { name.hasSuffix($0) }
    let isNamedTable = Self.tableEndings.contains { name.hasSuffix($0) }
    let start = bytes.firstIndex { $0 > 0x20 } ?? 0
    let opens = bytes[start] == UInt8(ascii: "{") || bytes[start] == UInt8(ascii: "[")
    let json = JSONRecords(bytes)
    if isNamedJSON && opens || !isNamedTable && opens && Self.holdsExamples(json, bytes, form) {
      source = .json(json)
      if !isNamedJSON { notes.append("\(text.path) contains JSON and is read as JSON") }
      unwrap(json)
      return
    }
    let table = TableRecords(bytes, isTabbed: name.hasSuffix(".tsv"))
    if isNamedTable || table.columns.count > 1 && form.recognises(table.columns) {
      source = .table(table)
      if !isNamedTable { notes.append("\(text.path) contains a table and is read as a table") }
      if let problem = table.problem {
        let (line, column) = text.place(problem.offset)
        throw TrainingError("\(text.path), line \(line), column \(column): \(problem.problem)")
      }
      guard form.recognises(table.columns) else {
        let found = table.columns.prefix(6).joined(separator: ", ").printable
        throw TrainingError(
          "\(text.path), line 1, column 1: the columns (\(found)) are none of \(form.keys.text), \(form.keys.messages), \(form.keys.prompt) with \(form.keys.completion), or instruction with output; rename them in the first line, or with --text-key, --messages-key, --prompt-key and --completion-key"
        )
      }
      return
    }
    guard isNamedJSON else { return nil }
    // It will be told what is wrong with its first line.
    source = .json(json)
  }

  /// Whether the first value of a file is an example.
  private static func holdsExamples(_ records: JSONRecords, _ bytes: [UInt8], _ form: DataForm) -> Bool {
    var records = records
    guard let first = records.next(), let value = try? BadRecord.parse(bytes, first.range) else { return false }
    if let list = value.array { return list.contains { $0["role"] != nil || $0["from"] != nil } }
    return value.object.map { form.recognises($0.members.map(\.key)) || Self.list(in: $0, form) != nil } ?? false
  }

  /// The one list of examples in an object that is around all of them: `{"data": [...]}`.
  private static func list(in object: JSONObject, _ form: DataForm) -> [JSONValue]? {
    guard !form.recognises(object.members.map(\.key)) else { return nil }
    let lists = object.members.compactMap(\.value.array).filter { list in
      list.first?.object.map { form.recognises($0.members.map(\.key)) } ?? false
    }
    return lists.count == 1 ? lists[0] : nil
  }

  private mutating func unwrap(_ records: JSONRecords) {
    var rest = records
    guard let only = rest.next(), rest.next() == nil,
      let object = (try? BadRecord.parse(text.bytes, only.range))?.object, let list = Self.list(in: object, form)
    else { return }
    inner = list.reversed()
    innerOffset = only.range.lowerBound
    _ = nextOfSource()
  }

  mutating func next() -> Record? {
    if let value = inner.popLast() {
      return Record(line: 1, offset: innerOffset, example: example(value, innerOffset..<text.bytes.count))
    }
    return nextOfSource()
  }

  private mutating func nextOfSource() -> Record? {
    switch source {
    case .json(var records):
      let found = records.next()
      source = .json(records)
      return found.map(record)
    case .table(var table):
      let found = table.next()
      source = .table(table)
      return found.map { found in
        let range = found.offset..<found.offset
        return Record(
          line: found.line, offset: found.offset, example: found.row.flatMap { example(.object($0), range) })
      }
    }
  }

  private func record(_ found: JSONRecords.Found) -> Record {
    if found.isCutOff, found.range.isEmpty {
      let problem = "the list has no closing ]; the file may have been cut off"
      return Record(
        line: found.line, offset: found.range.lowerBound,
        example: .failure(BadRecord(offset: found.range.lowerBound, problem: problem)))
    }
    let result: Result<(DataExample, form: String?), BadRecord>
    do throws(BadRecord) {
      result = example(try BadRecord.parse(text.bytes, found.range), found.range)
    } catch {
      result = .failure(error)
    }
    return Record(
      line: found.line, offset: found.range.lowerBound, example: result, hasHalfPairs: hasHalfPairs(found.range))
  }

  private func example(
    _ value: JSONValue, _ range: Range<Int>
  ) -> Result<(DataExample, form: String?), BadRecord> {
    do throws(FormProblem) {
      // A list of messages is a conversation without anything around it.
      if let list = value.array, list.contains(where: { $0["role"] != nil || $0["from"] != nil }) {
        return .success((.conversation(try ConversationRecord(list)), form: nil))
      }
      guard let object = value.object else { throw FormProblem("it is \(value.kind), not a JSON object ({...})") }
      return .success(try form.example(object))
    } catch {
      return .failure(BadRecord(offset: place(of: error, in: range), problem: error.problem))
    }
  }

  /// Where the key stands that a problem names.
  private func place(of problem: FormProblem, in range: Range<Int>) -> Int {
    guard let key = problem.key else { return range.lowerBound }
    let name = Array("\"\(key)\"".utf8)
    var places: [Int] = []
    var at = range.lowerBound
    while at + name.count <= range.upperBound, places.count <= problem.occurrence {
      if text.bytes[at] == name[0], text.bytes[at..<at + name.count].elementsEqual(name) { places.append(at) }
      at += 1
    }
    return places.last ?? range.lowerBound
  }

  /// Looks for `\ud800` to `\udfff` without its other half.
  private func hasHalfPairs(_ range: Range<Int>) -> Bool {
    let bytes = text.bytes
    func code(_ at: Int) -> UInt32? {
      guard at + 6 <= range.upperBound, bytes[at] == UInt8(ascii: "\\"), bytes[at + 1] == UInt8(ascii: "u") else {
        return nil
      }
      return UInt32(String(decoding: bytes[at + 2..<at + 6], as: UTF8.self), radix: 16)
    }
    var at = range.lowerBound
    while at < range.upperBound,
      let next = bytes[at..<range.upperBound].firstIndex(of: UInt8(ascii: "\\"))
    {
      at = next + 2
      guard let first = code(next), (0xd800..<0xe000).contains(first) else { continue }
      guard first < 0xdc00, let second = code(next + 6), (0xdc00..<0xe000).contains(second) else { return true }
      at = next + 12
    }
    return false
  }
}
