import Foundation
import GRDB
import MartletData
import MartletEngine
import MartletModels

/// Edits and their history in an SQLite file.
///
/// Every change is one transaction that is durable on disk before it is acknowledged, so a crash loses no edit and
/// leaves no partial change.
public final class EditStore: Sendable {
  /// The model and the site to which a store is bound; others are rejected.
  public struct Binding: Sendable, Equatable {
    /// The fingerprint of the model.
    public var model: String
    /// The architecture of the model.
    public var architecture: String
    /// The layer and the format of the edits.
    public var site: EditSite
    /// Bytes of a key and of a row of a value.
    var keyByteCount, valueByteCount: Int
    /// Where keys came from: kernels of another instruction set round differently.
    var kernels: String
    /// The format of the edited layer's weights, and some numbers of the model that every format leaves as they are:
    /// they tell another format from another model. nil in stores of earlier versions.
    var weightFormat: String?
    var sample: [Float]?
  }

  /// The file.
  public let path: String
  /// Whether the file or its folder is not writable, so that edits can only be read.
  public let isReadOnly: Bool
  private let database: any DatabaseWriter

  /// The default path of the store of a model: `MODEL.edits.sqlite`.
  public static func path(besides model: String) -> String {
    var model = model
    while model.count > 1, model.hasSuffix("/") { model.removeLast() }
    return model + ".edits.sqlite"
  }

  /// Opens a store.
  /// - Throws: ``EditError`` if the file is not a store of edits, is damaged, was written by a newer version of
  ///   Martlet, or cannot be opened.
  public init(path: String, access: Access = .making) throws {
    self.path = path
    try EditStore.checkKind(path)
    do {
      let place = try Place(path, access)
      if place.isThere { try EditStore.check(path, place) }
      isReadOnly = place.configuration.readonly
      database =
        isReadOnly
        ? try DatabaseQueue(path: place.address, configuration: place.configuration)
        : try DatabasePool(path: place.address, configuration: place.configuration)
    } catch {
      throw EditStore.plain(error, path)
    }
  }

  /// Rejects what is not a regular file: SQLite would wait for a pipe and write into a device.
  private static func checkKind(_ path: String) throws {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG else { return }
    throw EditError("\(path) is not a file in which edits can be stored; give another file with --edits")
  }

  private func read<Result>(_ body: (Database) throws -> Result) throws -> Result {
    do { return try database.read(body) } catch { throw EditStore.plain(error, path) }
  }

  private func write<Result>(_ body: (Database) throws -> Result) throws -> Result {
    do { return try database.write(body) } catch { throw EditStore.plain(error, path) }
  }

  // MARK: binding

  /// The binding of the store and its calibration; nil as long as the store is new.
  /// - Throws: ``EditError`` where it holds edits and does not say of what.
  func binding() throws -> (binding: Binding, calibration: KeyCalibration)? {
    try read { try EditStore.binding($0, path) }
  }

  static func binding(_ db: Database, _ path: String) throws -> (binding: Binding, calibration: KeyCalibration)? {
    var values: [String: Data] = [:]
    for row in try Row.fetchAll(db, sql: "SELECT name, value FROM binding LIMIT 100") {
      values[try row.decode(String.self, atIndex: 0)] = try row.decode(Data.self, atIndex: 1)
    }
    if values.isEmpty {
      guard try Int.fetchOne(db, sql: "SELECT 1 FROM edit LIMIT 1") == nil else {
        throw EditError(
          "\(path) contains edits but does not state of which model (its table binding is empty); restore a copy, or give another file with --edits"
        )
      }
      return nil
    }
    func text(_ name: String) throws -> String {
      guard let data = values[name], data.count <= 1000, let text = String(validating: data, as: UTF8.self) else {
        throw EditError("\(path) does not state its \(name); it is damaged: restore a copy")
      }
      return text
    }
    guard let format = try PromptFormat(rawValue: text("format")),
      let rules = try CodebookRules(rawValue: text("rules")),
      let keyBytes = try Int(text("keyByteCount")), let valueBytes = try Int(text("valueByteCount")),
      let calibration = try? JSONDecoder().decode(KeyCalibration.self, from: values["calibration"] ?? Data())
    else {
      throw EditError(
        "\(path) has settings that this version of Martlet does not support; update Martlet, or restore a copy")
    }
    guard (1...EditStoreCheck.mostRowBytes).contains(keyBytes), (1...EditStoreCheck.mostRowBytes).contains(valueBytes)
    else { throw damaged(path, "table binding, row keyByteCount or valueByteCount", "is not the size of a vector") }
    guard calibration.isSound else {
      throw damaged(path, "table binding, row calibration", "contains numbers that are missing or not valid")
    }
    let site = EditSite(layer: try text("layer"), format: format, rules: rules)
    // Older stores have none.
    var sample: [Float]?
    if let data = values["sample"] {
      sample = data.count <= 4096 ? try? JSONDecoder().decode([Float].self, from: data) : nil
      if sample == nil { throw damaged(path, "table binding, row sample", "is not a list of numbers") }
    }
    return (
      Binding(
        model: try text("model"), architecture: try text("architecture"), site: site, keyByteCount: keyBytes,
        valueByteCount: valueBytes, kernels: try text("kernels"),
        weightFormat: values["weightFormat"].flatMap { String(validating: $0.prefix(40), as: UTF8.self) },
        sample: sample),
      calibration
    )
  }

  /// Binds the store; keys in `keys` (by edit and place) are replaced in the same transaction.
  func bind(_ binding: Binding, calibration: KeyCalibration, keys: [EditKey] = []) throws {
    try write { db in
      try Self.bind(db, binding, calibration)
      for key in keys { try key.update(db) }
    }
  }

  private static func bind(_ db: Database, _ binding: Binding, _ calibration: KeyCalibration) throws {
    let fields: [(String, Data)] = [
      ("model", Data(binding.model.utf8)), ("architecture", Data(binding.architecture.utf8)),
      ("layer", Data(binding.site.layer.utf8)), ("format", Data(binding.site.format.rawValue.utf8)),
      ("rules", Data(binding.site.rules.rawValue.utf8)), ("keyByteCount", Data("\(binding.keyByteCount)".utf8)),
      ("valueByteCount", Data("\(binding.valueByteCount)".utf8)), ("kernels", Data(binding.kernels.utf8)),
      ("calibration", try JSONEncoder().encode(calibration)),
      ("weightFormat", Data((binding.weightFormat ?? "").utf8)),
      ("sample", try JSONEncoder().encode(binding.sample ?? [])),
    ]
    for (name, value) in fields {
      try db.execute(sql: "INSERT OR REPLACE INTO binding VALUES (?, ?)", arguments: [name, value])
    }
  }

  // MARK: edits

  /// Stores a new edit; the edits in `superseded` are put out of force in the same transaction.
  ///
  /// - Parameters:
  ///   - binding: what a store that is new holds for from now on.
  ///   - version: of the store that the change was thought out for.
  /// - Returns: the record with its number, and the version that the store has now.
  /// - Throws: ``ChangedMeanwhile`` when the store is of another version by now.
  package func insert(
    _ record: Edit, keys: [(prompt: String, subject: String?, vector: Data)], value: Data, superseded: [Int],
    binding: (Binding, KeyCalibration)? = nil, after version: Version? = nil
  ) throws -> (record: Edit, version: Version) {
    try write { db in
      if let version, try Self.version(db) != version { throw ChangedMeanwhile() }
      if let (binding, calibration) = binding { try Self.bind(db, binding, calibration) }
      let record = try Self.insert(db, record, keys, value)
      for old in superseded { try Self.set(db, old, .superseded, "superseded", "by \(record.id ?? 0)") }
      return (record, try Self.version(db))
    }
  }

  /// Stores many edits in one transaction.
  package func insertAll(
    _ edits: [(record: Edit, keys: [(prompt: String, subject: String?, vector: Data)], value: Data)]
  )
    throws
  {
    try write { db in for edit in edits { _ = try Self.insert(db, edit.record, edit.keys, edit.value) } }
  }

  private static func insert(
    _ db: Database, _ record: Edit, _ keys: [(prompt: String, subject: String?, vector: Data)], _ value: Data
  ) throws -> Edit {
    var row = EditRecord(record)
    try row.insert(db)
    let id = Int(db.lastInsertedRowID)
    for (place, key) in keys.enumerated() {
      try EditKey(edit: id, place: place, prompt: key.prompt, subject: key.subject, vector: key.vector).insert(db)
    }
    try EditValue(edit: id, vectors: value).insert(db)
    try EventRecord(EditEvent(time: Date(), edit: id, what: "made", detail: record.answer)).insert(db)
    return row.edit
  }

  /// Changes the state of edits in one transaction.
  /// - Returns: the version that the store has now.
  /// - Throws: ``ChangedMeanwhile`` when the store is no longer of the version that the change was thought out for.
  func set(
    _ changes: [(edit: Int, status: Edit.Status, what: String, detail: String)], after version: Version? = nil
  ) throws -> Version {
    try write { db in
      if let version, try Self.version(db) != version { throw ChangedMeanwhile() }
      for change in changes { try Self.set(db, change.edit, change.status, change.what, change.detail) }
      return try Self.version(db)
    }
  }

  private static func set(
    _ db: Database, _ edit: Int, _ status: Edit.Status, _ what: String, _ detail: String
  ) throws {
    try db.execute(sql: "UPDATE edit SET status = ? WHERE id = ?", arguments: [status.rawValue, edit])
    try EventRecord(EditEvent(time: Date(), edit: edit, what: what, detail: detail)).insert(db)
  }

  /// Records the result of a verification.
  func verified(_ edit: Int, after: String, isVerified: Bool) throws {
    try write { db in
      try db.execute(
        sql: "UPDATE edit SET after = ?, isVerified = ?, verified = ? WHERE id = ?",
        arguments: [after, isVerified, Date(), edit])
      try EventRecord(
        EditEvent(time: Date(), edit: edit, what: isVerified ? "verified" : "failed", detail: after)
      ).insert(db)
    }
  }

  /// The edit with a number; nil if there is none.
  /// - Throws: ``EditError`` if the file cannot be read.
  public func record(_ id: Int) throws -> Edit? { try read { try EditRecord.fetchOne($0, key: id)?.edit } }

  /// The edits in the order in which they were made.
  public func records(status: Edit.Status? = nil) throws -> [Edit] {
    try read { db in
      let request = EditRecord.order(Column("id"))
      return try (status.map { request.filter(Column("status") == $0.rawValue) } ?? request).fetchAll(db).map(\.edit)
    }
  }

  /// The history of an edit, the oldest event first.
  /// - Throws: ``EditError`` if the file cannot be read.
  public func events(of edit: Int) throws -> [EditEvent] {
    try read { try EventRecord.filter(Column("edit") == edit).order(Column("rowid")).fetchAll($0).map(\.event) }
  }

  func keys(of edit: Int) throws -> [EditKey] {
    try read { try EditKey.filter(Column("edit") == edit).order(Column("place")).fetchAll($0) }
  }

  func value(of edit: Int) throws -> Data? { try read { try EditValue.fetchOne($0, key: edit)?.vectors } }

  /// An edit with everything that is needed to apply it.
  struct StoredEdit {
    let id: Int
    let status: Edit.Status
    let answer: String
    let keys: [EditKey]
    let value: Data
  }

  /// Visits every edit with its keys and value in order, in one pass over the file.
  func forEach(_ body: (StoredEdit) throws -> Void) throws {
    try read { db in
      let edits = try Row.fetchCursor(
        db,
        sql:
          "SELECT edit.id, status, answer, vectors FROM edit LEFT JOIN value ON value.edit = edit.id ORDER BY edit.id"
      )
      let keys = try Row.fetchCursor(
        db, sql: "SELECT edit, place, prompt, subject, vector FROM key ORDER BY edit, place"
      )
      .map {
        EditKey(
          edit: try $0.decode(atIndex: 0), place: try $0.decode(atIndex: 1), prompt: try $0.decode(atIndex: 2),
          subject: try $0.decode(atIndex: 3), vector: try $0.decode(atIndex: 4))
      }
      var next = try keys.next()
      while let row = try edits.next() {
        let id: Int = try row.decode(atIndex: 0)
        var own: [EditKey] = []
        while let key = next, key.edit <= id {
          guard key.edit == id else {
            throw EditStore.damaged(
              path, "table key, place \(key.place) of edit \(key.edit)", "belongs to an edit that does not exist")
          }
          own.append(key)
          next = try keys.next()
        }
        guard let status = Edit.Status(rawValue: try row.decode(atIndex: 1)) else {
          throw EditError(
            "\(path): edit \(id) is in a state that this version of Martlet does not support; update Martlet")
        }
        guard let value = try row.decode(Data?.self, atIndex: 3) else {
          throw EditStore.damaged(path, "table edit, row \(id)", "has no value")
        }
        try body(
          StoredEdit(id: id, status: status, answer: try row.decode(atIndex: 2), keys: own, value: value))
      }
      if let key = next {
        throw EditStore.damaged(
          path, "table key, place \(key.place) of edit \(key.edit)", "belongs to an edit that does not exist")
      }
    }
  }

  // MARK: changes by other processes

  /// A version of the content, by which users notice changes. O(1).
  package struct Version: Sendable, Equatable {
    /// Of the last event: every change writes one, but for a new calibration.
    var event: Int
    var calibration: Data?
  }

  /// Another process has changed the store since it was read.
  struct ChangedMeanwhile: Error {}

  private static func version(_ db: Database) throws -> Version {
    Version(
      event: try Int.fetchOne(db, sql: "SELECT max(rowid) FROM event") ?? 0,
      calibration: try Data.fetchOne(db, sql: "SELECT value FROM binding WHERE name = 'calibration'"))
  }

  func version() throws -> Version { try read(Self.version) }

  /// The state of every edit. O(edits).
  func statuses() throws -> (version: Version, ofEdits: [(edit: Int, status: Edit.Status)]) {
    try read { db in
      (
        try Self.version(db),
        try Row.fetchAll(db, sql: "SELECT id, status FROM edit ORDER BY id").map { row in
          let id: Int = try row.decode(atIndex: 0)
          guard let status = Edit.Status(rawValue: try row.decode(atIndex: 1)) else {
            throw EditError(
              "\(path): edit \(id) is in a state that this version of Martlet does not support; update Martlet")
          }
          return (id, status)
        }
      )
    }
  }

  /// One edit with its keys and value.
  func stored(_ edit: Int) throws -> StoredEdit? {
    try read { db in
      guard let record = try EditRecord.fetchOne(db, key: edit)?.edit else { return nil }
      guard let value = try EditValue.fetchOne(db, key: edit)?.vectors else {
        throw EditStore.damaged(path, "table edit, row \(edit)", "has no value")
      }
      return StoredEdit(
        id: edit, status: record.status, answer: record.answer,
        keys: try EditKey.filter(Column("edit") == edit).order(Column("place")).fetchAll(db), value: value)
    }
  }

  /// Writes all data into the single file and closes it.
  public func close() throws {
    do {
      if !isReadOnly { _ = try database.writeWithoutTransaction { try $0.checkpoint(.truncate) } }
      try database.close()
    } catch { throw EditStore.plain(error, path) }
  }
}
