import Foundation

/// An error that explains itself to the user: what is wrong, where, and what helps.
///
/// Every error that a library of Martlet throws because of its input conforms to this protocol, so one `catch` prints
/// any of them. `localizedDescription` and string interpolation give the same text as ``message``.
///
///     do { try LoadedModel.load(path) } catch let error as any ExplainedError {
///       print(error.message)
///     }
public protocol ExplainedError: LocalizedError, CustomStringConvertible, Sendable {
  /// One sentence that names the file or value that is wrong, the position in it, and what helps.
  var message: String { get }
}

extension ExplainedError {
  /// The same text as ``message``.
  public var description: String { message }
  /// The same text as ``message``; `localizedDescription` returns it.
  public var errorDescription: String? { message }
}
