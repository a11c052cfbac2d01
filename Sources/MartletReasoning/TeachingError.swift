import Foundation
import MartletData

/// Why teaching cannot start or continue: one sentence with the remedy.
public struct TeachingError: ExplainedError {
  /// One sentence that names what is wrong and what helps.
  public let message: String
  /// - Parameter message: one sentence that names what is wrong and what helps.
  public init(_ message: String) { self.message = message }
}
