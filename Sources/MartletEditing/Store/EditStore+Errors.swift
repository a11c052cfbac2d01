import GRDB
import MartletData

extension EditStore {
  /// The error for a row that cannot be used.
  static func damaged(_ path: String, _ place: String, _ problem: String) -> EditError {
    EditError(
      "\(path): \(place): \(problem); the file is damaged or was not written by Martlet: restore a copy, or remove the edit with sqlite3"
        .printable)
  }

  /// An error of SQLite as one sentence for the user.
  static func plain(_ error: any Error, _ path: String) -> any Error {
    if error is RowDecodingError {
      return EditError("\(path) is damaged: a value is missing or of the wrong type; restore a copy")
    }
    guard let error = error as? DatabaseError else { return error }
    switch error.resultCode {
    case .SQLITE_NOTADB, .SQLITE_CORRUPT:
      return EditError(
        "\(path) is damaged or not a database; restore a copy, or rescue it with sqlite3 \(path) .recover")
    case .SQLITE_CANTOPEN: return EditError("\(path) cannot be opened; check that its folder exists and can be written")
    case .SQLITE_READONLY:
      return EditError("\(path) cannot be written, so no edit can be made or undone; check its permissions")
    case .SQLITE_FULL: return EditError("the disk is full; nothing was changed in \(path)")
    case .SQLITE_IOERR:
      return EditError(
        "\(path) could not be read or written (\(error.message ?? "disk error")); nothing was changed: check that the disk works and has free space"
      )
    case .SQLITE_TOOBIG:
      return EditError(
        "\(path) contains a row that is larger than the maximum of \(EditStoreCheck.mostRowBytes >> 20) MiB for an edit; restore a copy"
      )
    case .SQLITE_BUSY: return EditError("\(path) is in use by another process; try again later")
    default: return EditError("\(path): \(error.message ?? "\(error)")")
    }
  }
}
