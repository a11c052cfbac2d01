import Foundation
import MartletData

/// Why a continuation cannot be scored: one sentence with the remedy.
public struct ScoringError: ExplainedError {
  /// One sentence that names what is wrong and what helps.
  public let message: String
  /// - Parameter message: one sentence that names what is wrong and what helps. Characters that a terminal would
  ///   interpret are replaced, because texts that come from files may contain anything.
  public init(_ message: String) { self.message = message.printable }
}
