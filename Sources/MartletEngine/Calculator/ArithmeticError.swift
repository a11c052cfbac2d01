import Foundation
import MartletData

/// Why a text is no arithmetic that can be computed.
public struct ArithmeticError: ExplainedError, Equatable {
  /// One sentence that names what is wrong and what helps.
  public let message: String
  init(_ message: String) { self.message = message }
}
