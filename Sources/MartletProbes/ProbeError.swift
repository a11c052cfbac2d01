import Foundation
import MartletData

/// Why a probe cannot be run: one sentence with the remedy.
public struct ProbeError: ExplainedError {
  /// One sentence that names what is wrong and what helps.
  public let message: String
  /// - Parameter message: one sentence that names what is wrong and what helps.
  public init(_ message: String) { self.message = message }
}
