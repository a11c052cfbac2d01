import Foundation
import MartletData

/// Why the engine cannot do what was requested.
public struct EngineError: ExplainedError {
  /// What is wrong, and what to do about it.
  public let message: String
  /// - Parameter message: what is wrong, and what to do about it.
  public init(_ message: String) { self.message = message }
}

/// The prompt does not fit into the model's context.
public struct ContextOverflow: ExplainedError {
  /// The position of the end of the prompt in the text, in tokens.
  public let promptTokens: Int
  /// The length of the model's context in tokens.
  public let contextLength: Int
  /// One sentence that names what is wrong and what helps.
  public var message: String {
    "the prompt reaches position \(promptTokens), but this model's context ends at \(contextLength); shorten the prompt"
  }
}

/// The model computed NaN or infinity from which no token can be chosen.
public struct ModelOutputError: ExplainedError {
  package init() {}
  /// One sentence that names what is wrong and what helps.
  public var message: String {
    "the model computes NaN or infinity for this text; its weights are damaged, or their format cannot represent their "
      + "values (try another `--format`)"
  }
}

/// Too many requests are already waiting.
public struct EngineOverloaded: ExplainedError {
  /// The number of waiting requests.
  public let waiting: Int
  /// - Parameter waiting: the number of waiting requests.
  public init(waiting: Int) { self.waiting = waiting }
  /// One sentence that names what is wrong and what helps.
  public var message: String { "\(waiting) requests are waiting already; try again later" }
}
