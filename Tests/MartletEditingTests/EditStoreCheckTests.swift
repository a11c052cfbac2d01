import Foundation
import GRDB
import MartletEngine
import MartletModels
import MartletTensor
import MartletTestSupport
import Testing

@testable import MartletEditing

/// Stores of strangers: whatever stands in them, there is one sentence, and nothing is done with them.
struct EditStoreCheckTests {
  private static let site = EditSite(layer: "blocks.1.att.output", format: .raw)
  private static let made = Result { try make() }
  private let scratch: TestData.Scratch
  private let loaded: LoadedModel
  private let sound: String

  init() throws {
    scratch = try TestData.Scratch()
    sound = scratch.file("sound.sqlite")
    let made = try Self.made.get()
    loaded = made.loaded
    try made.store.write(to: URL(fileURLWithPath: sound))
  }

  /// A sound store of two edits. Calibrating it takes a while, so it is made once.
  private static func make() throws -> (loaded: LoadedModel, store: Data) {
    let scratch = try TestData.Scratch(), loaded = try EditingBox.loaded()
    let sound = scratch.file("sound.sqlite")
    let store = try EditStore(path: sound)
    let book = try EditBook.open(loaded, store: store, site: site)
    try book.bind(store)
    for name in ["one", "two"] {
      let record = Edit(
        created: Date(), prompt: "Who is \(name)?", answer: name, before: "", after: name, status: .live, radius: 1,
        action: "add", label: "110 10", rows: 2, loss: 0.1, iterations: 3, seconds: 0.5, isVerified: true,
        verified: Date())
      let key = Data(book.snapshot.keys.encoded([Float](repeating: 0.5, count: book.snapshot.keyWidth)))
      let row = Data(book.snapshot.values.encoded([Float](repeating: 0.25, count: book.snapshot.valueWidth)))
      _ = try store.insert(record, keys: [(record.prompt, nil, key)], value: row + row, superseded: [])
    }
    try store.close()
    return (loaded, try Data(contentsOf: URL(fileURLWithPath: sound)))
  }

  /// A copy of the sound store in which `statements` were done.
  private func copy(_ statements: String) throws -> String {
    let path = scratch.file("\(UUID().uuidString).sqlite")
    try FileManager.default.copyItem(atPath: sound, toPath: path)
    var configuration = Configuration()
    configuration.foreignKeysEnabled = false
    let queue = try DatabaseQueue(path: path, configuration: configuration)
    try queue.writeWithoutTransaction { try $0.execute(sql: statements) }
    try queue.close()
    return path
  }

  /// Statements on a table without its conditions, under the schema of the sound one.
  private func unbound(_ table: String, _ statements: String) -> String {
    """
    CREATE TEMP TABLE kept AS SELECT sql FROM sqlite_master WHERE name = '\(table)';
    PRAGMA writable_schema = ON;
    UPDATE sqlite_master SET sql = replace(replace(sql, ' NOT NULL', ''), 'STRICT', '') WHERE name = '\(table)';
    PRAGMA writable_schema = RESET;
    \(statements);
    PRAGMA writable_schema = ON;
    UPDATE sqlite_master SET sql = (SELECT sql FROM kept) WHERE name = '\(table)';
    PRAGMA writable_schema = RESET;
    """
  }

  private func said(_ path: String) -> String {
    do {
      let store = try EditStore(path: path)
      _ = try EditBook.open(loaded, store: store, site: Self.site)
      return ""
    } catch { return "\(error)" }
  }

  @Test func aSoundStoreIsTaken() throws {
    #expect(said(try copy("SELECT 1")) == "")
    #expect(try EditStore(path: sound).records().count == 2)
    // As it is after VACUUM, and in another journal mode.
    #expect(said(try copy("PRAGMA journal_mode = DELETE; VACUUM")) == "")
  }

  @Test(arguments: [
    ("CREATE TRIGGER t AFTER UPDATE ON edit BEGIN DELETE FROM key; END", "it has a trigger t"),
    ("CREATE TRIGGER t AFTER INSERT ON event BEGIN SELECT 1; END", "it has a trigger t"),
    // Under the name of a table that is there.
    ("CREATE TRIGGER event AFTER INSERT ON edit BEGIN UPDATE edit SET answer='x'; END", "it has a trigger event"),
    ("CREATE TRIGGER edit AFTER INSERT ON edit BEGIN UPDATE edit SET answer='x'; END", "it has a trigger edit"),
    ("CREATE VIEW v AS SELECT 1", "it has a view v"), ("CREATE TABLE t (x)", "it has a table t"),
    ("CREATE INDEX i ON edit (abs(id))", "it has a index i"), ("CREATE INDEX i ON edit (id)", "it has a index i"),
    ("ALTER TABLE edit ADD COLUMN g REAL AS (abs(radius))", "table edit has another definition"),
    ("ALTER TABLE edit ADD COLUMN g TEXT", "table edit has another definition"),
    ("ALTER TABLE edit RENAME COLUMN before TO earlier", "table edit has another definition"),
    ("DROP INDEX eventOfEdit", "it lacks eventOfEdit"), ("DROP TABLE event", "it lacks event"),
    ("DROP TABLE event; CREATE TABLE event (time, edit, what, detail)", "table event has another definition"),
    (
      "DROP TABLE event; CREATE VIEW event AS WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) SELECT '2026-01-01' time, 1 edit, 'w' what, 'd' detail FROM r",
      "it has a view event"
    ),
    (
      "DROP TABLE binding; CREATE VIEW binding AS WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) SELECT 'model' name, x value FROM r",
      "a database of another program"
    ),
    (
      "DROP TABLE grdb_migrations; CREATE VIEW grdb_migrations AS WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) SELECT '1' identifier FROM r",
      "it has a view grdb_migrations"
    ),
    ("INSERT INTO grdb_migrations VALUES ('2')", "newer version of Martlet"),
    ("DROP TABLE edit", "another program"),
    ("CREATE TABLE \"\u{1b}[2J\" (x)", "it has a table \\u{1b}[2J"),
  ])
  func anotherSchemaIsRefused(_ statements: String, _ sentence: String) throws {
    let path = try copy(statements), start = Date()
    let before = try Data(contentsOf: URL(fileURLWithPath: path))
    let said = said(path)
    #expect(said.contains(sentence) && said.contains(path), "\(said)")
    #expect(!said.contains("\u{1b}") && !said.contains("\n") && Date().timeIntervalSince(start) < 1)
    // A file that is refused stays as it was.
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
  }

  @Test(arguments: [
    ("DELETE FROM binding", "does not state of which model"),
    ("DELETE FROM binding WHERE name = 'model'", "does not state its model"),
    ("UPDATE binding SET value = x'ff' WHERE name = 'layer'", "does not state its layer"),
    ("UPDATE binding SET value = zeroblob(5000) WHERE name = 'architecture'", "does not state its architecture"),
    (
      "UPDATE binding SET value = CAST('odd' AS BLOB) WHERE name = 'format'",
      "settings that this version of Martlet does not support"
    ),
    ("UPDATE binding SET value = CAST('-5' AS BLOB) WHERE name = 'keyByteCount'", "table binding, row keyByteCount"),
    ("UPDATE binding SET value = CAST('9223372036854775807' AS BLOB) WHERE name = 'valueByteCount'", "valueByteCount"),
    ("UPDATE binding SET value = CAST('12' AS BLOB) WHERE name = 'keyByteCount'", "table key, row 1: vector"),
    (
      "UPDATE binding SET value = CAST('{}' AS BLOB) WHERE name = 'calibration'",
      "settings that this version of Martlet does not support"
    ),
    (
      "UPDATE binding SET value = CAST('{\"mean\":[1],\"deviation\":[1],\"radius\":1}' AS BLOB) WHERE name = 'calibration'",
      "table binding, row calibration"
    ),
    (
      "UPDATE binding SET value = CAST('{\"mean\":[1,2],\"deviation\":[1],\"radius\":1}' AS BLOB) WHERE name = 'calibration'",
      "table binding, row calibration"
    ),
    (
      "UPDATE binding SET value = CAST('{\"mean\":[1],\"deviation\":[0],\"radius\":1}' AS BLOB) WHERE name = 'calibration'",
      "table binding, row calibration"
    ),
    ("UPDATE binding SET value = CAST('[1,' AS BLOB) WHERE name = 'sample'", "table binding, row sample"),
    ("UPDATE binding SET value = zeroblob(20000000) WHERE name = 'calibration'", "table binding, row 9: is larger"),
    ("UPDATE key SET vector = x'00' WHERE edit = 2", "table key, row 2: vector"),
    ("UPDATE key SET vector = x'' WHERE edit = 1", "table key, row 1: vector"),
    ("UPDATE key SET vector = zeroblob(20000000) WHERE edit = 2", "table key, row 2: is larger"),
    ("UPDATE key SET place = -1 WHERE edit = 2", "table key, row 2: place"),
    ("UPDATE key SET vector = x'0000c07f' || zeroblob(length(vector) - 4) WHERE edit = 2", "wrong type"),
    (
      "UPDATE key SET vector = CAST(x'0000c07f' || substr(vector, 5) AS BLOB) WHERE edit = 2",
      "edit 2: its vectors contain NaN"
    ),
    (
      "UPDATE value SET vectors = CAST(substr(vectors, 1, 10) || x'017e' || substr(vectors, 13) AS BLOB) WHERE edit = 1",
      "edit 1: its vectors contain NaN"
    ),
    ("UPDATE value SET vectors = x'' WHERE edit = 1", "table value, row 1: vectors"),
    ("UPDATE value SET vectors = substr(vectors, 2) WHERE edit = 2", "table value, row 2: vectors"),
    ("UPDATE edit SET rows = 3 WHERE id = 2", "table value, row 2: vectors"),
    ("UPDATE edit SET rows = 0 WHERE id = 2", "table edit, row 2: rows"),
    ("UPDATE edit SET iterations = -1 WHERE id = 2", "table edit, row 2: rows or iterations"),
    ("UPDATE edit SET radius = 9e999 WHERE id = 2", "table edit, row 2: radius is inf"),
    ("UPDATE edit SET loss = -9e999 WHERE id = 1", "table edit, row 1: loss is -inf"),
    ("UPDATE edit SET status = 'odd' WHERE id = 1", "table edit, row 1"),
    ("UPDATE edit SET created = 'never' WHERE id = 1", "table edit, row 1"),
    ("UPDATE edit SET verified = '' WHERE id = 1", "table edit, row 1"),
    ("UPDATE edit SET label = '1 x' WHERE id = 1", "table edit, row 1: label"),
    ("UPDATE edit SET label = '-4' WHERE id = 1", "table edit, row 1: label"),
    ("UPDATE edit SET label = '99999999999999999999' WHERE id = 1", "table edit, row 1: label"),
    ("UPDATE edit SET prompt = CAST(zeroblob(17000000) AS TEXT) WHERE id = 2", "table edit, row 2: is larger"),
    ("UPDATE edit SET id = -1 WHERE id = 2", "table edit, row -1"),
    ("DELETE FROM key WHERE edit = 2", "table edit, row 2: has no key"),
    ("DELETE FROM value WHERE edit = 2", "table edit, row 2: has no value"),
    ("DELETE FROM edit WHERE id = 2", "belongs to an edit that does not exist"),
    ("INSERT INTO event VALUES ('2026-01-01 00:00:00.000', 9, 'made', '')", "table event, row 3: belongs"),
    ("UPDATE event SET time = 'x' WHERE rowid = 2", "table event, row 2: time"),
    ("UPDATE event SET detail = CAST(zeroblob(17000000) AS TEXT) WHERE rowid = 2", "table event, row 2: is larger"),
  ])
  func damagedRowsAreNamed(_ statements: String, _ sentence: String) throws {
    // Some statements are refused by the schema itself: those do not count.
    guard let path = try? copy(statements) else { return #expect(sentence == "wrong type") }
    let start = Date()
    let said = said(path)
    #expect(said.contains(sentence) && said.contains(path), "\(statements): \(said)")
    #expect(Date().timeIntervalSince(start) < 2)
  }

  @Test(arguments: [
    ("edit", "UPDATE edit SET prompt = NULL WHERE id = 2"), ("edit", "UPDATE edit SET radius = NULL WHERE id = 2"),
    ("edit", "UPDATE edit SET rows = 'two' WHERE id = 2"), ("edit", "UPDATE edit SET answer = x'00ff' WHERE id = 2"),
    ("edit", "UPDATE edit SET status = NULL WHERE id = 2"), ("edit", "UPDATE edit SET isVerified = 'x' WHERE id = 2"),
    ("edit", "UPDATE edit SET created = 7 WHERE id = 2"), ("key", "UPDATE key SET vector = NULL WHERE edit = 2"),
    ("key", "UPDATE key SET edit = NULL WHERE edit = 2"), ("key", "UPDATE key SET place = 'x' WHERE edit = 2"),
    ("key", "UPDATE key SET prompt = NULL WHERE edit = 2"), ("key", "UPDATE key SET vector = 'text' WHERE edit = 2"),
    ("value", "UPDATE value SET vectors = NULL WHERE edit = 2"),
    ("value", "UPDATE value SET vectors = 4 WHERE edit = 2"),
    ("event", "UPDATE event SET what = NULL WHERE edit = 2"), ("event", "UPDATE event SET edit = NULL WHERE edit = 2"),
    ("binding", "UPDATE binding SET value = NULL WHERE name = 'model'"),
    ("binding", "UPDATE binding SET value = 5 WHERE name = 'model'"),
    ("binding", "UPDATE binding SET name = NULL WHERE name = 'model'"),
  ])
  func valuesThatTheSchemaForbidsAreRefused(_ table: String, _ statement: String) throws {
    let path = try copy(unbound(table, statement))
    let said = said(path)
    #expect(
      said.contains(path) && (said.contains("damaged") || said.contains("does not state")), "\(statement): \(said)")
  }

  @Test func largeStoresAreCheckedAsTheyAreRead() throws {
    // Larger than what is looked through at once.
    let padding =
      "INSERT INTO event SELECT '2026-01-01 00:00:00.000', 1, 'made', CAST(zeroblob(9000000) AS TEXT) FROM key, key"
    for (statement, sentence) in [
      ("UPDATE key SET vector = x'00' WHERE edit = 2", "wrong size"),
      ("DELETE FROM value WHERE edit = 2", "has no value"), ("DELETE FROM key WHERE edit = 2", "wrong size"),
      ("DELETE FROM edit WHERE id = 2", "belongs to an edit that does not exist"),
      ("UPDATE value SET vectors = zeroblob(20000000) WHERE edit = 2", "larger than the maximum of 16 MiB"),
      ("CREATE TRIGGER t AFTER UPDATE ON edit BEGIN DELETE FROM key; END", "it has a trigger t"),
      (unbound("edit", "UPDATE edit SET answer = NULL WHERE id = 2"), "damaged"),
      (unbound("key", "UPDATE key SET vector = NULL WHERE edit = 2"), "damaged"),
    ] {
      let path = try copy(padding + ";" + statement)
      let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
      #expect(size > EditStoreCheck.smallFileBytes)
      let said = said(path)
      #expect(said.contains(sentence), "\(statement): \(said)")
    }
  }

  @Test(.enabled(if: TestData.shared != nil, "MARTLET_DATA names no folder with the shared data"))
  func theEndlessViewEndsAtOnce() throws {
    let shared = try #require(TestData.shared)
    let source = URL(fileURLWithPath: shared).deletingLastPathComponent().path + "/cases/attack/view_loop.sqlite"
    guard FileManager.default.fileExists(atPath: source) else { return }
    let path = scratch.file("view.sqlite"), start = Date()
    try FileManager.default.copyItem(atPath: source, toPath: path)
    #expect(said(path).contains("has a view event"))
    #expect(Date().timeIntervalSince(start) < 1)
  }
}
