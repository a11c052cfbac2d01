import Foundation
import MartletData

/// Why a probe cannot be run: one sentence with the cure.
public struct ProbeError: ExplainedError {
  public let message: String
  /// - Parameter message: one sentence that names what is wrong and what helps.
  public init(_ message: String) { self.message = message }
}
