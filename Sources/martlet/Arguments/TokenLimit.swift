import ArgumentParser

/// Most tokens of an answer.
struct TokenLimit: Equatable {
  static let rule = "a whole number of at least 1, or -1 for no limit other than the model's context length"
  private static let most = 1 << 30

  let count: Int

  init(_ count: Int) { self.count = count }

  init?(argument: String) {
    guard let count = Int(argument), count == -1 || (1...Self.most).contains(count) else { return nil }
    self.count = count == -1 ? Self.most : count
  }

  /// What follows an option.
  /// - Throws: `ValidationError` with the rule.
  static func parse(_ argument: String) throws -> TokenLimit {
    guard let limit = TokenLimit(argument: argument) else { throw ValidationError("give \(rule)") }
    return limit
  }
}
