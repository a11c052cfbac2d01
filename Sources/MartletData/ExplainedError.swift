import Foundation

/// Why something cannot be done, for the person who asked: what is wrong and where and, where there is one, the cure. Every
/// error of Martlet's libraries that can come from what people give is one.
///
///     do { try LoadedModel.load(path) } catch let error as any ExplainedError {
///       print(error.message)
///     }
public protocol ExplainedError: LocalizedError, CustomStringConvertible, Sendable {
  /// One sentence that names the file or the value, the place, and what helps.
  var message: String { get }
}

extension ExplainedError {
  public var description: String { message }
  public var errorDescription: String? { message }
}
