import Foundation
import GRDB

/// An ``Edit`` as a row of the table `edit`, whose columns have the names of its members.
struct EditRecord: FetchableRecord, MutablePersistableRecord {
  static let databaseTableName = "edit"
  var edit: Edit

  init(_ edit: Edit) { self.edit = edit }

  /// - Throws: `RowDecodingError` for a column that is missing or of the wrong type, `DecodingError` for a status that
  ///   does not exist.
  init(row: Row) throws {
    let status: String = try row.value(of: "status")
    guard let status = Edit.Status(rawValue: status) else {
      throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "there is no status \(status)"))
    }
    edit = Edit(
      created: try row.value(of: "created"), prompt: try row.value(of: "prompt"),
      answer: try row.value(of: "answer"), before: try row.value(of: "before"),
      after: try row.value(of: "after"), status: status, subject: try row.value(of: "subject"),
      author: try row.value(of: "author"), radius: try row.value(of: "radius"),
      action: try row.value(of: "action"), label: try row.value(of: "label"),
      rows: try row.value(of: "rows"), loss: try row.value(of: "loss"),
      iterations: try row.value(of: "iterations"), seconds: try row.value(of: "seconds"),
      isVerified: try row.value(of: "isVerified"), verified: try row.value(of: "verified"))
    edit.id = try row.value(of: "id")
  }

  func encode(to container: inout PersistenceContainer) {
    container["id"] = edit.id
    container["created"] = edit.created
    container["prompt"] = edit.prompt
    container["answer"] = edit.answer
    container["before"] = edit.before
    container["after"] = edit.after
    container["status"] = edit.status.rawValue
    container["subject"] = edit.subject
    container["author"] = edit.author
    container["radius"] = edit.radius
    container["action"] = edit.action
    container["label"] = edit.label
    container["rows"] = edit.rows
    container["loss"] = edit.loss
    container["iterations"] = edit.iterations
    container["seconds"] = edit.seconds
    container["isVerified"] = edit.isVerified
    container["verified"] = edit.verified
  }

  mutating func didInsert(_ inserted: InsertionSuccess) { edit.id = Int(inserted.rowID) }
}

/// A question of an edit: its own, a rewording, or one with another name of the subject.
struct EditKey: Sendable, Codable, FetchableRecord, PersistableRecord {
  static let databaseTableName = "key"
  var edit: Int
  var place: Int
  var prompt: String
  /// The subject of the question if it was given.
  var subject: String?
  /// A row of ``VectorTable``.
  var vector: Data
}

/// The value of an edit.
struct EditValue: Sendable, Codable, FetchableRecord, PersistableRecord {
  static let databaseTableName = "value"
  var edit: Int
  /// Consecutive rows of ``VectorTable``.
  var vectors: Data
}

/// An ``EditEvent`` as a row of the table `event`.
struct EventRecord: FetchableRecord, PersistableRecord {
  static let databaseTableName = "event"
  var event: EditEvent

  init(_ event: EditEvent) { self.event = event }

  init(row: Row) throws {
    event = EditEvent(
      time: try row.value(of: "time"), edit: try row.value(of: "edit"),
      what: try row.value(of: "what"), detail: try row.value(of: "detail"))
  }

  func encode(to container: inout PersistenceContainer) {
    container["time"] = event.time
    container["edit"] = event.edit
    container["what"] = event.what
    container["detail"] = event.detail
  }
}

extension Row {
  /// The value of a column.
  /// - Throws: `RowDecodingError` if there is no such column or its value is of another type.
  fileprivate func value<Value: DatabaseValueConvertible>(of column: String) throws -> Value {
    try decode(Value.self, forColumn: column)
  }
}
