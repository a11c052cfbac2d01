/// Why the engine cannot do what was asked.
public struct EngineError: Error, CustomStringConvertible, Sendable {
  /// What is wrong, and what to do about it.
  public let description: String
  /// - Parameter description: what is wrong, and what to do about it.
  public init(_ description: String) { self.description = description }
}

/// The prompt does not fit into the model's context.
public struct ContextOverflow: Error, CustomStringConvertible, Sendable {
  /// Where the prompt ends, in tokens from the beginning of its text.
  public let promptTokens: Int
  /// Tokens of the model's context.
  public let contextLength: Int
  /// A sentence that says so.
  public var description: String {
    "the prompt reaches position \(promptTokens), but this model's context ends at \(contextLength); shorten the prompt"
  }
}

/// The model computed NaN or infinity where numbers were wanted.
public struct ModelOutputError: Error, CustomStringConvertible, Sendable {
  /// A sentence that says so.
  public var description: String {
    "the model computes NaN or infinity for this text; its weights are damaged, or their format cannot represent their "
      + "values (try another `--format`)"
  }
}

/// Too many requests wait already.
public struct EngineOverloaded: Error, CustomStringConvertible, Sendable {
  /// How many wait.
  public let waiting: Int
  /// - Parameter waiting: how many wait.
  public init(waiting: Int) { self.waiting = waiting }
  /// A sentence that says so.
  public var description: String { "\(waiting) requests are waiting already; try again later" }
}
