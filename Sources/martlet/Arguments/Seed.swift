import ArgumentParser

/// A seed that was given, or drawn.
struct Seed: Equatable {
  static let rule = "a whole number from 0 to 18446744073709551615, or -1 for a new random seed in each run"

  let number: UInt64

  init(_ number: UInt64) { self.number = number }

  /// Draws one that survives JSON, whose numbers are exact to 2^53 in most programs.
  init() { self.init(UInt64.random(in: 0..<1 << 53)) }

  init?(argument: String) {
    if argument == "-1" {
      self.init()
    } else {
      guard let number = UInt64(argument) else { return nil }
      self.init(number)
    }
  }

  /// What follows an option.
  /// - Throws: `ValidationError` with the rule.
  static func parse(_ argument: String) throws -> Seed {
    guard let seed = Seed(argument: argument) else { throw ValidationError("give \(rule)") }
    return seed
  }

  /// For JSON: a number, or a text where other programs would round the number.
  static func json(_ seed: UInt64) -> Any { seed < 1 << 53 ? seed as Any : "\(seed)" }
}
