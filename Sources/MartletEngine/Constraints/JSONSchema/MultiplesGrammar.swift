/// Multiples of a whole number, digit by digit: a rule stands for what the digits so far leave when divided.
struct MultiplesGrammar {
  typealias Expression = Grammar.Expression
  private let divisor: UInt64
  private var rules: [[UInt64]: Expression?] = [:]
  /// Rules would be many beyond this number.
  private static let mostRules = 6000

  /// The multiples of `divisor` in a range.
  static func expression(
    of divisor: UInt64, _ range: ClosedRange<UInt64>, _ grammar: inout Grammar
  ) throws -> Expression {
    // Multiples of 700 are those of 7, and two zeros.
    var (reduced, size, zeros) = (divisor, UInt64(1), 0)
    while reduced % 10 == 0, reduced > 0 {
      reduced /= 10
      size *= 10
      zeros += 1
    }
    let first = range.lowerBound / size + (range.lowerBound % size > 0 ? 1 : 0), last = range.upperBound / size
    guard reduced > 0, first <= last else {
      throw EngineError("its bounds leave no number for `multipleOf`; widen them")
    }
    guard reduced <= UInt64(mostRules / 19) else {
      throw EngineError("`multipleOf` \(divisor) has too many multiples; add `minimum` and `maximum`")
    }
    var multiples = MultiplesGrammar(divisor: reduced)
    var choices: [Expression] = first == 0 ? [.literal("0")] : []
    for length in DigitRange.lengths(max(1, first)...max(1, last)) where length.upperBound <= last {
      let low = Array(String(length.lowerBound).utf8), high = Array(String(length.upperBound).utf8)
      if let digits = try multiples.digits(low[...], high[...], isFree: (false, false), remainder: 0, &grammar) {
        choices.append(.sequence([digits, .literal(String(repeating: "0", count: zeros))]))
      }
    }
    guard !choices.isEmpty else { throw EngineError("its bounds leave no number for `multipleOf`; widen them") }
    return .choice(choices)
  }

  private init(divisor: UInt64) { self.divisor = divisor }

  /// The digits that follow: not below `low` and not above `high`, where the digits so far are equal to theirs.
  private mutating func digits(
    _ low: ArraySlice<UInt8>, _ high: ArraySlice<UInt8>, isFree: (low: Bool, high: Bool), remainder: UInt64,
    _ grammar: inout Grammar
  ) throws -> Expression? {
    guard let least = low.first, let most = high.first else { return remainder == 0 ? .nothing : nil }
    let isShared = isFree.low && isFree.high
    let key = [UInt64(low.count), remainder]
    if isShared, let known = rules[key] { return known }
    let zero = UInt8(ascii: "0"), nine = UInt8(ascii: "9")
    let (from, to) = (isFree.low ? zero : least, isFree.high ? nine : most)
    try GrammarWork.spend(300)
    var choices: [Expression] = []
    for digit in from...to {
      let rest = try digits(
        low.dropFirst(), high.dropFirst(), isFree: (isFree.low || digit > least, isFree.high || digit < most),
        remainder: (remainder * 10 + UInt64(digit - zero)) % divisor, &grammar)
      if let rest { choices.append(.sequence([.range(digit...digit), rest])) }
    }
    let rule = choices.isEmpty ? nil : try grammar.named(.choice(choices))
    if isShared { rules[key] = .some(rule) }
    return rule
  }
}
