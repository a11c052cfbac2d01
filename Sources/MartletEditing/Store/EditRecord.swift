import Foundation
import GRDB

/// An ``Edit`` as a row of the table `edit`, whose columns are its members.
struct EditRecord: Codable, FetchableRecord, MutablePersistableRecord {
  static let databaseTableName = "edit"
  var edit: Edit

  init(_ edit: Edit) { self.edit = edit }

  init(from decoder: any Decoder) throws { edit = try Edit(from: decoder) }

  func encode(to encoder: any Encoder) throws { try edit.encode(to: encoder) }

  mutating func didInsert(_ inserted: InsertionSuccess) { edit.id = Int(inserted.rowID) }
}

/// A question of an edit: its own, a rewording, or one with another name of the subject.
struct EditKey: Sendable, Codable, FetchableRecord, PersistableRecord {
  static let databaseTableName = "key"
  var edit: Int
  var place: Int
  var prompt: String
  /// What the question is about, where that was given.
  var subject: String?
  /// A row of ``VectorTable``.
  var vector: Data
}

/// The value of an edit.
struct EditValue: Sendable, Codable, FetchableRecord, PersistableRecord {
  static let databaseTableName = "value"
  var edit: Int
  /// Rows of ``VectorTable``, one behind the other.
  var vectors: Data
}

/// An ``EditEvent`` as a row of the table `event`.
struct EventRecord: Codable, FetchableRecord, PersistableRecord {
  static let databaseTableName = "event"
  var event: EditEvent

  init(_ event: EditEvent) { self.event = event }

  init(from decoder: any Decoder) throws { event = try EditEvent(from: decoder) }

  func encode(to encoder: any Encoder) throws { try event.encode(to: encoder) }
}
