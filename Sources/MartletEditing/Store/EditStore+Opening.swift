import Foundation
import GRDB
import MartletData

extension EditStore {
  /// The access for which a store is opened.
  public enum Access: Sendable {
    /// Reading only. The file must exist and does not have to be writable.
    case reading
    /// Reading and writing. The store is created if it does not exist.
    case making
  }

  /// Where and how SQLite opens a store.
  struct Place {
    let address: String
    let configuration: Configuration
    let isThere: Bool

    /// - Throws: ``EditError`` when there is nothing to read; errors of SQLite when a new store cannot be made.
    init(_ path: String, _ access: Access) throws {
      let files = FileManager.default
      if access == .making, !files.fileExists(atPath: path) { try EditStore.make(path) }
      isThere = files.fileExists(atPath: path)
      guard isThere else { throw EditError("\(path): the file does not exist") }
      let folder = path.parentFolder
      let isWritable = files.isWritableFile(atPath: path) && files.isWritableFile(atPath: folder.isEmpty ? "." : folder)
      var configuration = EditStore.configuration
      guard access == .reading, !isWritable else {
        address = path
        self.configuration = configuration
        return
      }
      configuration.readonly = true
      self.configuration = configuration
      // SQLite keeps a log and an index of it beside the file, and cannot here. Without a log the file alone says all.
      let log = try? files.attributesOfItem(atPath: path + "-wal")[.size] as? Int
      address = log ?? 0 > 0 ? path : EditStore.immutableAddress(path)
    }
  }

  /// How every connection to a store is set up.
  static var configuration: Configuration {
    var configuration = Configuration()
    configuration.busyMode = .timeout(10)
    configuration.prepareDatabase { db in
      EditStoreCheck.bound(db)
      try db.execute(sql: "PRAGMA synchronous = FULL")
      try db.execute(sql: "PRAGMA trusted_schema = OFF")
    }
    return configuration
  }

  /// The address of a file that nobody changes while it is open.
  private static func immutableAddress(_ path: String) -> String {
    let plain = CharacterSet(charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/")
    return "file:\(path.addingPercentEncoding(withAllowedCharacters: plain) ?? path)?immutable=1"
  }

  /// Makes an empty store beside its place and links it there when it is whole: no other process ever sees half of it,
  /// and where one was faster its store stands.
  private static func make(_ path: String) throws {
    let draft = "\(path).new-\(ProcessInfo.processInfo.processIdentifier)-\(UInt32.random(in: 0...UInt32.max))"
    defer { for ending in ["", "-wal", "-shm", "-journal"] { unlink(draft + ending) } }
    let database = try DatabasePool(path: draft, configuration: configuration)
    try migrator.migrate(database)
    _ = try database.writeWithoutTransaction { try $0.checkpoint(.truncate) }
    try database.close()
    if link(draft, path) == 0 || errno == EEXIST { return }
    // A file system without links.
    if !FileManager.default.fileExists(atPath: path) { rename(draft, path) }
  }

  /// Looks through a file before anything is done with it, or to it.
  static func check(_ path: String, _ place: Place) throws {
    let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
    let queue = try DatabaseQueue(path: place.address, configuration: place.configuration)
    let isStore = try queue.read { db in
      let check = EditStoreCheck(path: path, database: db)
      guard try check.schema() else { return false }
      guard size < EditStoreCheck.smallFileBytes else { return true }
      if let problem = try String.fetchOne(db, sql: "PRAGMA quick_check(1)"), problem != "ok" {
        throw EditError(
          "\(path) is damaged (\(problem)); restore a copy, or rescue it with sqlite3 \(path) .recover".printable)
      }
      try check.rows()
      let binding = try binding(db, path)?.binding
      try check.relations(keyByteCount: binding?.keyByteCount, valueByteCount: binding?.valueByteCount)
      return true
    }
    // An empty file, as a program that was ended at once may have left it.
    if !isStore, !place.configuration.readonly { try migrator.migrate(queue) }
    try queue.close()
    if !isStore, place.configuration.readonly { throw EditError("\(path) is empty and cannot be written") }
  }

  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1") { db in
      try db.execute(
        sql: """
          CREATE TABLE binding (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
          CREATE TABLE edit (
            id INTEGER PRIMARY KEY AUTOINCREMENT, created TEXT NOT NULL, prompt TEXT NOT NULL, answer TEXT NOT NULL,
            before TEXT NOT NULL, after TEXT NOT NULL, status TEXT NOT NULL, subject TEXT, author TEXT,
            radius REAL NOT NULL, action TEXT NOT NULL, label TEXT NOT NULL, rows INTEGER NOT NULL, loss REAL NOT NULL,
            iterations INTEGER NOT NULL, seconds REAL NOT NULL, isVerified INTEGER NOT NULL, verified TEXT NOT NULL
          ) STRICT;
          CREATE TABLE key (
            edit INTEGER NOT NULL REFERENCES edit (id), place INTEGER NOT NULL, prompt TEXT NOT NULL,
            subject TEXT, vector BLOB NOT NULL, PRIMARY KEY (edit, place)
          ) STRICT;
          CREATE TABLE value (edit INTEGER PRIMARY KEY REFERENCES edit (id), vectors BLOB NOT NULL) STRICT;
          CREATE TABLE event (
            time TEXT NOT NULL, edit INTEGER NOT NULL REFERENCES edit (id), what TEXT NOT NULL, detail TEXT NOT NULL
          ) STRICT;
          CREATE INDEX eventOfEdit ON event (edit);
          """)
    }
    return migrator
  }
}
