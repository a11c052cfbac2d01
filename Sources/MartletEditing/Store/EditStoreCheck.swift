import Foundation
import GRDB
import MartletData
import MartletEngine

#if canImport(GRDBSQLite)
  import GRDBSQLite
#else
  import SQLite3
#endif

/// Looks through a file of edits before anything in it is used, as it may be a stranger's: tables, indexes and nothing
/// else, exactly as Martlet makes them; then row by row what stands in every column.
struct EditStoreCheck {
  /// Most bytes of a row: above what the longest answer of the widest layer takes.
  static let mostRowBytes = 16 << 20
  /// Files up to this size are looked through whole when they are opened; rows of larger ones as they are read.
  static let smallFileBytes = 32 << 20

  let path: String
  let database: Database

  /// Lets SQLite refuse rows that are larger than ``mostRowBytes`` instead of reading them.
  static func bound(_ database: Database) {
    guard let connection = database.sqliteConnection else { return }
    _ = sqlite3_limit(connection, SQLITE_LIMIT_LENGTH, Int32(mostRowBytes))
  }

  private func damaged(_ place: String, _ problem: String) -> EditError {
    EditStore.damaged(path, place, problem)
  }

  // MARK: Schema

  /// SQLite lets a trigger have a table's name, so a name alone says nothing.
  private struct Key: Hashable {
    let name, kind: String
  }

  private struct Item: Equatable {
    let key: Key
    let table: String
    let sql: String?
  }

  private static func items(_ database: Database) throws -> [Item] {
    // A store has ten; a stranger's schema may have any number.
    try Row.fetchAll(database, sql: "SELECT name, type, tbl_name, sql FROM sqlite_master ORDER BY name, type LIMIT 100")
      .map { row in
        Item(
          key: Key(name: try row.decode(atIndex: 0), kind: try row.decode(atIndex: 1)),
          table: try row.decode(atIndex: 2), sql: try row.decode(atIndex: 3))
      }
  }

  /// - Returns: whether the file holds a store; false where it is empty.
  /// - Throws: ``EditError`` when anything differs from what Martlet makes.
  func schema() throws -> Bool {
    let found = try Self.items(database)
    if found.isEmpty { return false }
    let fresh = try DatabaseQueue()
    try EditStore.migrator.migrate(fresh)
    let known = try fresh.read(Self.items)
    let migrations = known.first { $0.key == Key(name: "grdb_migrations", kind: "table") }
    if let migrations, found.filter({ $0.key.name == migrations.key.name }) == [migrations],
      try Int.fetchOne(database, sql: "SELECT 1 FROM grdb_migrations WHERE identifier <> '1' LIMIT 1") != nil
    {
      throw EditError("\(path) was written by a newer version of Martlet; update Martlet")
    }
    let keys = Set(found.map(\.key))
    guard ["edit", "binding"].allSatisfy({ keys.contains(Key(name: $0, kind: "table")) }) else {
      throw EditError("\(path) is a database of another program; give another file with --edits")
    }
    func refuse(_ what: String) -> EditError {
      EditError(
        "\(path) is not a store of edits as Martlet creates it: \(what); it is not used, because it could run unwanted SQL: restore a copy, or give another file with --edits"
          .printable)
    }
    var names: Set<String> = []
    for item in found {
      let (name, kind) = (item.key.name, item.key.kind.prefix(20))
      guard !["trigger", "view"].contains(kind), let right = known.first(where: { $0.key == item.key }) else {
        throw refuse("it has a \(kind) \(name.prefix(60))")
      }
      guard item == right else { throw refuse("its \(kind) \(name) has another definition") }
      guard names.insert(name).inserted else { throw refuse("it has \(name) twice") }
    }
    if let missing = known.first(where: { !keys.contains($0.key) }) { throw refuse("it lacks \(missing.key.name)") }
    return true
  }

  // MARK: Rows

  private enum Kind { case text, integer, real, blob }
  private typealias Column = (name: String, kind: Kind, isOptional: Bool)

  private static let tables: [(name: String, columns: [Column])] = [
    ("binding", [("name", .text, false), ("value", .blob, false)]),
    (
      "edit",
      [
        ("id", .integer, false), ("created", .text, false), ("prompt", .text, false), ("answer", .text, false),
        ("before", .text, false), ("after", .text, false), ("status", .text, false), ("subject", .text, true),
        ("author", .text, true), ("radius", .real, false), ("action", .text, false), ("label", .text, false),
        ("rows", .integer, false), ("loss", .real, false), ("iterations", .integer, false), ("seconds", .real, false),
        ("isVerified", .integer, false), ("verified", .text, false),
      ]
    ),
    (
      "key",
      [
        ("edit", .integer, false), ("place", .integer, false), ("prompt", .text, false), ("subject", .text, true),
        ("vector", .blob, false),
      ]
    ),
    ("value", [("edit", .integer, false), ("vectors", .blob, false)]),
    (
      "event",
      [("time", .text, false), ("edit", .integer, false), ("what", .text, false), ("detail", .text, false)]
    ),
  ]

  /// Every row of every table by itself.
  func rows() throws {
    for table in Self.tables {
      var last: Int64?
      do {
        let names = table.columns.map { "\"\($0.name)\"" }.joined(separator: ", ")
        let rows = try Row.fetchCursor(database, sql: "SELECT rowid, \(names) FROM \(table.name) ORDER BY rowid")
        while let row = try rows.next() {
          let number: Int64 = try row.decode(atIndex: 0)
          last = number
          for (place, column) in table.columns.enumerated() {
            if let problem = Self.problem(row.databaseValue(at: place + 1), column) {
              throw damaged("table \(table.name), row \(number)", "\(column.name) \(problem)")
            }
          }
          if table.name == "edit" { try edit(row, number) }
          if table.name == "event" || table.name == "key" { try time(row, table.name, number) }
        }
      } catch let error as DatabaseError where error.resultCode == .SQLITE_TOOBIG {
        let next = try Int64.fetchOne(
          database, sql: "SELECT min(rowid) FROM \(table.name) WHERE rowid > ?", arguments: [last ?? Int64.min])
        throw damaged(
          "table \(table.name), row \(next ?? 0)",
          "is larger than the maximum of \(Self.mostRowBytes >> 20) MiB for an edit")
      }
    }
  }

  private static func problem(_ value: DatabaseValue, _ column: Column) -> String? {
    switch (value.storage, column.kind) {
    case (.null, _): column.isOptional ? nil : "is missing"
    case (.string, .text), (.int64, .integer), (.blob, .blob): nil
    case (.double(let number), .real): number.isFinite && number >= 0 ? nil : "is \(number), which is not valid"
    default: "is of the wrong type"
    }
  }

  private func time(_ row: Row, _ table: String, _ number: Int64) throws {
    if table == "event", (try? row.decode(Date.self, atIndex: 1)) == nil {
      throw damaged("table event, row \(number)", "time is not a date")
    }
    if table == "key", try row.decode(Int.self, atIndex: 2) < 0 {
      throw damaged("table key, row \(number)", "place is negative")
    }
  }

  private func edit(_ row: Row, _ number: Int64) throws {
    let place = "table edit, row \(number)"
    guard number > 0 else { throw damaged(place, "its number is not positive") }
    let record: Edit
    do { record = try EditRecord(row: row).edit } catch {
      throw damaged(place, "a date, the status or a flag has a value that Martlet does not write")
    }
    guard record.rows > 0, record.iterations >= 0 else { throw damaged(place, "rows or iterations is not a count") }
    guard record.labelTokens.count == record.label.split(separator: " ").count,
      record.labelTokens.allSatisfy({ $0 >= 0 })
    else { throw damaged(place, "label contains something that is not a token") }
  }

  /// Keys, values and events belong to edits, every edit has its own, and vectors have the sizes that the store names.
  func relations(keyByteCount: Int?, valueByteCount: Int?) throws {
    for table in ["key", "value", "event"] {
      if let row = try Int64.fetchOne(
        database,
        sql: "SELECT rowid FROM \(table) WHERE NOT EXISTS (SELECT 1 FROM edit WHERE id = \(table).edit) LIMIT 1")
      {
        throw damaged("table \(table), row \(row)", "belongs to an edit that does not exist")
      }
    }
    for table in ["key", "value"] {
      if let row = try Int64.fetchOne(
        database,
        sql: "SELECT id FROM edit WHERE NOT EXISTS (SELECT 1 FROM \(table) WHERE \(table).edit = edit.id) LIMIT 1")
      {
        throw damaged("table edit, row \(row)", "has no \(table)")
      }
    }
    if let keyByteCount,
      let row = try Int64.fetchOne(
        database, sql: "SELECT rowid FROM key WHERE length(vector) <> ? LIMIT 1", arguments: [keyByteCount])
    {
      throw damaged("table key, row \(row)", "vector does not have the \(keyByteCount) bytes of a key")
    }
    if let valueByteCount,
      let row = try Int64.fetchOne(
        database,
        sql: """
          SELECT value.edit FROM value JOIN edit ON edit.id = value.edit
          WHERE length(vectors) = 0 OR length(vectors) <> edit.rows * ? LIMIT 1
          """, arguments: [valueByteCount])
    {
      throw damaged(
        "table value, row \(row)", "vectors do not have \(valueByteCount) bytes for each of the edit's rows")
    }
  }
}

extension Row {
  fileprivate func databaseValue(at index: Int) -> DatabaseValue { self[index] }
}
