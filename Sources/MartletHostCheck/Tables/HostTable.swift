import CMartletData

/// A table of facts that is part of the program: tab-separated text with version, date and sources in its head.
///
///     # version 2026-02-10
///     # date 2026-02-10
///     # source KEY what the key stands for
///     signature <tab> … <tab> sources <tab> date <tab> …
struct HostTable: Sendable {
  private(set) var head: Head
  /// Names of the columns, in order.
  let names: [String]
  private let columns: [String: Int]
  private(set) var rows: [[String]]

  /// The lines above the rows.
  struct Head: Sendable {
    let name: String
    fileprivate(set) var version = ""
    fileprivate(set) var date = ""
    fileprivate(set) var sources: [String: String] = [:]
    fileprivate var end = 0

    /// Reads the head alone.
    init(_ name: String) {
      self.name = name
      HostTable.withBytes(name) { read($0) }
    }

    fileprivate init(_ name: String, of text: UnsafeBufferPointer<UInt8>) {
      self.name = name
      read(text)
    }

    private mutating func read(_ text: UnsafeBufferPointer<UInt8>) {
      while end < text.count, text[end] == UInt8(ascii: "#") {
        let line = text[end...].prefix { $0 != UInt8(ascii: "\n") }
        end += line.count + 1
        let words = line.split(separator: UInt8(ascii: " "), maxSplits: 3).map { String(decoding: $0, as: UTF8.self) }
        switch words.dropFirst().first {
        case "version": version = words.dropFirst(2).joined(separator: " ")
        case "date": date = words.last ?? ""
        case "source" where words.count == 4: sources[words[2]] = words[3]
        default: break
        }
      }
    }
  }

  /// The built-in table with the rows that updates have added.
  init(_ name: String, updates: UpdatedTables = .current) {
    self = Self.withBytes(name) { HostTable(name, of: $0) }
    guard let update = updates.tables[name] else { return }
    head.version += " with \(update.head.version)"
    head.date = max(head.date, update.head.date)
    head.sources.merge(update.head.sources) { first, _ in first }
    rows += update.rows
  }

  /// A table that is read from `text`.
  init(_ name: String, of text: UnsafeBufferPointer<UInt8>) {
    head = Head(name, of: text)
    let lines = text[min(head.end, text.count)...].split(separator: UInt8(ascii: "\n")).map { line in
      line.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
        .map { String(decoding: $0, as: UTF8.self) }
    }
    names = lines.first ?? []
    columns = Dictionary(zip(names, names.indices)) { first, _ in first }
    rows = Array(lines.dropFirst())
  }

  private static func withBytes<Result>(_ name: String, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
    let file = martlet_find(martlet_host_tables, name + ".tsv")
    return body(UnsafeBufferPointer(start: file.bytes, count: file.size))
  }

  /// Text of `column` in `row`; empty where there is none.
  func text(_ column: String, of row: [String]) -> String {
    guard let index = columns[column], index < row.count else { return "" }
    return row[index]
  }

  func number(_ column: String, of row: [String]) -> UInt32? { UInt32(number: text(column, of: row)) }

  func citation(_ row: [String], _ words: String) -> Citation {
    Citation(
      table: head.name, version: head.version, tableDate: head.date, row: words, date: text("date", of: row),
      sources: text("sources", of: row).split(separator: "+").map { head.sources[String($0)] ?? String($0) })
  }
}
