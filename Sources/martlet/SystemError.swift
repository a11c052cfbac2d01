import Foundation
import MartletData

/// An error of the system that no reader or writer of Martlet's has put into words: a file's name and the reason, without
/// the libraries' domains and codes.
struct SystemError: CustomStringConvertible {
  let description: String

  /// nil for errors that Martlet words itself.
  init?(_ error: any Error) {
    let known = error as NSError
    var reason: String?
    if let error = error as? POSIXError { reason = OutputTarget.reason(error.code.rawValue) }
    if known.domain == NSPOSIXErrorDomain { reason = OutputTarget.reason(Int32(truncatingIfNeeded: known.code)) }
    if known.domain == NSCocoaErrorDomain {
      if let below = known.userInfo[NSUnderlyingErrorKey] as? NSError, below.domain == NSPOSIXErrorDomain {
        reason = OutputTarget.reason(Int32(truncatingIfNeeded: below.code))
      } else {
        reason =
          switch CocoaError.Code(rawValue: known.code) {
          case .fileWriteOutOfSpace: OutputTarget.reason(ENOSPC)
          case .fileWriteNoPermission, .fileReadNoPermission: "permission denied"
          case .fileWriteVolumeReadOnly: OutputTarget.reason(EROFS)
          case .fileNoSuchFile, .fileReadNoSuchFile: "there is no such file"
          case .fileWriteFileExists: "it exists already"
          default: "it cannot be used (error \(known.code))"
          }
      }
    }
    guard let reason else { return nil }
    let path = known.userInfo[NSFilePathErrorKey] as? String ?? (known.userInfo[NSURLErrorKey] as? URL)?.path
    description = path.map { "\($0): \(reason)" } ?? reason
  }
}
