import MartletProcessor

/// A table of facts the program carries: tab-separated text, its version, date and sources in the head.
///
///     # version 2026-02-10
///     # date 2026-02-10
///     # source KEY what the key stands for
///     signature <tab> … <tab> sources <tab> date <tab> …
struct HostTable: Sendable {
  let name: String
  let version: String
  let date: String
  private let sources: [String: String]
  private let columns: [String: Int]
  let rows: [[String]]

  init(_ name: String) {
    var size = 0
    let text = martlet_host_table(name, &size).map {
      String(decoding: UnsafeBufferPointer(start: $0, count: size), as: UTF8.self)
    }
    var meta: [String: String] = [:], sources: [String: String] = [:], lines: [[String]] = []
    for line in (text ?? "").utf8.split(separator: UInt8(ascii: "\n")) {
      if line.first == UInt8(ascii: "#") {
        let words = String(Substring(line)).split(separator: " ", maxSplits: 2).map(String.init)
        if words.count == 3, words[1] == "source" {
          let parts = words[2].split(separator: " ", maxSplits: 1).map(String.init)
          sources[parts[0]] = parts.count > 1 ? parts[1] : ""
        } else if words.count == 3 {
          meta[words[1]] = words[2]
        }
      } else {
        lines.append(
          line.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false).map { String(Substring($0)) })
      }
    }
    self.name = name
    version = meta["version"] ?? ""
    date = meta["date"] ?? ""
    self.sources = sources
    let head = lines.first ?? []
    columns = Dictionary(zip(head, head.indices)) { first, _ in first }
    rows = Array(lines.dropFirst())
  }

  /// Text of `column` in `row`; empty where there is none.
  func text(_ column: String, of row: [String]) -> String {
    guard let index = columns[column], index < row.count else { return "" }
    return row[index]
  }

  func number(_ column: String, of row: [String]) -> UInt32? { UInt32(number: text(column, of: row)) }

  func citation(_ row: [String], _ words: String) -> Citation {
    Citation(
      table: name, version: version, tableDate: date, row: words, date: text("date", of: row),
      sources: text("sources", of: row).split(separator: "+").map { sources[String($0)] ?? String($0) })
  }
}
