import Foundation
import GRDB

/// Tells whether somebody has changed a store's file since it was last asked, at the price of a look or two.
final class EditStoreWatch {
  /// Which file stands under the path.
  private struct Identity: Equatable {
    var device: UInt64, number: UInt64
  }

  private let path: String
  private let connection: DatabaseQueue?
  private let identity: Identity?
  private var mark: Int64

  /// - Parameter store: which is open.
  init(_ store: EditStore) throws {
    path = store.path
    identity = Self.identity(path)
    guard !store.isReadOnly else {
      connection = nil
      mark = Self.contents(path)
      return
    }
    var configuration = EditStore.configuration
    configuration.readonly = true
    let connection = try DatabaseQueue(path: path, configuration: configuration)
    self.connection = connection
    mark = try Self.dataVersion(connection)
  }

  /// Another file stands under the path, or none.
  var isReplaced: Bool { Self.identity(path) != identity }

  /// Whether anything was written since the last call, by anyone.
  func hasChanged() throws -> Bool {
    let now = try connection.map(Self.dataVersion) ?? Self.contents(path)
    defer { mark = now }
    return now != mark
  }

  /// SQLite counts for each connection what others have written.
  private static func dataVersion(_ connection: DatabaseQueue) throws -> Int64 {
    try connection.unsafeRead { try Int64.fetchOne($0, sql: "PRAGMA data_version") ?? 0 }
  }

  /// A file that SQLite may not watch: its size and time, and those of its log.
  private static func contents(_ path: String) -> Int64 {
    var hasher = Hasher()
    for ending in ["", "-wal"] {
      let attributes = try? FileManager.default.attributesOfItem(atPath: path + ending)
      hasher.combine(attributes?[.size] as? Int)
      hasher.combine(attributes?[.modificationDate] as? Date)
    }
    return Int64(hasher.finalize())
  }

  private static func identity(_ path: String) -> Identity? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return Identity(device: UInt64(status.st_dev), number: UInt64(status.st_ino))
  }
}
