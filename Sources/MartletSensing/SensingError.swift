import Foundation
import MartletData

/// Why a signal cannot be measured or recovered: one sentence with the remedy.
public struct SensingError: ExplainedError {
  /// One sentence that names what is wrong and what helps.
  public let message: String
  /// - Parameter message: one sentence that names what is wrong and what helps.
  public init(_ message: String) { self.message = message }
}
