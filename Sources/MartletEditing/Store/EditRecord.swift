import Foundation
import GRDB

/// One correction, as it is kept.
public struct EditRecord: Sendable, Codable, Equatable, FetchableRecord, MutablePersistableRecord {
  public static let databaseTableName = "edit"

  public enum Status: String, Sendable, Codable, CaseIterable {
    case live
    /// A newer edit of the same prompt is in force.
    case superseded
    case undone
  }

  public internal(set) var id: Int?
  public var created: Date
  public var prompt: String
  public var answer: String
  /// What the model said before, and says now.
  public var before: String
  public var after: String
  public var status: Status
  /// Given by whoever made the edit; nil where it was read from the prompt.
  public var subject: String?
  /// Who made it, as far as told.
  public var author: String?
  /// How far the key reaches.
  public var radius: Double
  /// What the codebook did with it: `add`, `expand`, `split`.
  public var action: String
  /// Tokens of the answer with what ends it.
  public var label: String
  /// Rows of the value.
  public var rows: Int
  /// Loss a token when training stopped, and steps until then.
  public var loss: Double
  public var iterations: Int
  public var seconds: Double
  /// Whether the answer came out word for word in free generation.
  public var isVerified: Bool
  public var verified: Date

  public mutating func didInsert(_ inserted: InsertionSuccess) { id = Int(inserted.rowID) }

  /// The tokens of ``label``.
  var labelTokens: [Int] { label.split(separator: " ").compactMap { Int($0) } }
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

/// Something that happened to an edit.
public struct EditEvent: Sendable, Codable, Equatable, FetchableRecord, PersistableRecord {
  public static let databaseTableName = "event"
  public var time: Date
  public var edit: Int
  /// `made`, `superseded`, `undone`, `restored`, `verified`, `failed`.
  public var what: String
  public var detail: String
}
