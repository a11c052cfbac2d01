/// Whole numbers of a range, digit by digit.
enum DigitRange {
  static func expression(_ range: ClosedRange<UInt64>) -> Grammar.Expression {
    .choice(
      lengths(range).map { sameLength(Array(String($0.lowerBound).utf8), Array(String($0.upperBound).utf8)) })
  }

  /// The range, cut where the number of digits grows.
  static func lengths(_ range: ClosedRange<UInt64>) -> [ClosedRange<UInt64>] {
    var result: [ClosedRange<UInt64>] = []
    var low = range.lowerBound
    while true {
      let last = UInt64(String(repeating: "9", count: String(low).count)) ?? .max
      result.append(low...min(last, range.upperBound))
      guard last < range.upperBound else { return result }
      low = last + 1
    }
  }

  private static func sameLength(_ low: [UInt8], _ high: [UInt8]) -> Grammar.Expression {
    guard let first = low.first, let last = high.first else { return .nothing }
    let zero = UInt8(ascii: "0"), nine = UInt8(ascii: "9")
    let rest = low.count - 1
    if low.dropFirst().allSatisfy({ $0 == zero }), high.dropFirst().allSatisfy({ $0 == nine }) {
      return .sequence([.range(first...last)] + [Grammar.Expression](repeating: .range(zero...nine), count: rest))
    }
    let lowRest = Array(low.dropFirst()), highRest = Array(high.dropFirst())
    if first == last { return .sequence([.range(first...first), sameLength(lowRest, highRest)]) }
    let zeros = [UInt8](repeating: zero, count: rest), nines = [UInt8](repeating: nine, count: rest)
    var choices = [Grammar.Expression.sequence([.range(first...first), sameLength(lowRest, nines)])]
    if first + 1 < last {
      choices.append(.sequence([.range(first + 1...last - 1), sameLength(zeros, nines)]))
    }
    choices.append(.sequence([.range(last...last), sameLength(zeros, highRest)]))
    return .choice(choices)
  }
}
