import Foundation
import MartletData

/// Why an evaluation cannot be run: one sentence with the remedy.
public struct EvaluationError: ExplainedError {
  /// One sentence that names what is wrong and what helps.
  public let message: String
  /// The status with which an endpoint refused a request; nil where no endpoint did.
  public internal(set) var status: Int?
  /// - Parameter message: one sentence that names what is wrong and what helps. Characters that a terminal would interpret are replaced.
  public init(_ message: String) { self.message = message.printable }
}
