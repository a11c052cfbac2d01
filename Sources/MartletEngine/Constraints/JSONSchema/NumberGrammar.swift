/// Writes the decimal texts of numbers: as they are, without exponents, leading zeros or a sign before 0.
enum NumberGrammar {
  typealias Expression = Grammar.Expression
  typealias Units = NumberSet.Units

  /// A single number.
  static func text(_ value: Units) -> String {
    let sign = value < 0 ? "-" : ""
    let (whole, fraction) = value.magnitude.quotientAndRemainder(dividingBy: NumberSet.one.magnitude)
    if fraction == 0 { return "\(sign)\(whole)" }
    var digits = Substring(String(fraction))
    let zeros = String(repeating: "0", count: 15 - digits.count)
    while digits.last == "0" { digits.removeLast() }
    return "\(sign)\(whole).\(zeros)\(digits)"
  }

  /// The numbers of a piece that has several.
  static func expression(_ piece: NumberSet.Piece, _ grammar: inout Grammar) throws -> Expression {
    if !piece.steps.isEmpty { return try multiples(piece, &grammar) }
    let range = closed(piece.range)
    var choices: [Expression] = []
    if range.upperBound >= 0 {
      choices += unsigned(max(0, range.lowerBound)...range.upperBound, piece.kind)
    }
    if range.lowerBound < 0 {
      let magnitudes = unsigned(max(1, -range.upperBound)...(-range.lowerBound), piece.kind)
      choices += magnitudes.map { .sequence([.literal("-"), $0]) }
    }
    guard !choices.isEmpty else {
      throw EngineError("its bounds leave no number that can be written with 15 digits; widen them")
    }
    return .choice(choices)
  }

  /// Where a range has no end, 15 digits are written, or those of 64 bits where it begins beyond them.
  private static func closed(_ range: ClosedRange<Units>) -> ClosedRange<Units> {
    let usual = 999_999_999_999_999 * NumberSet.one
    var (low, high) = (range.lowerBound, range.upperBound)
    if high > NumberSet.limits.upperBound { high = low <= usual ? usual : NumberSet.limits.upperBound }
    if low < NumberSet.limits.lowerBound { low = high >= -usual ? -usual : NumberSet.limits.lowerBound }
    return low...high
  }

  private static func unsigned(_ range: ClosedRange<Units>, _ kind: NumberSet.Kind) -> [Expression] {
    let one = NumberSet.one
    let (low, high) = (range.lowerBound, range.upperBound)
    var choices: [Expression] = []
    let firstWhole = (low + one - 1) / one, lastWhole = high / one
    if kind != .fractional, firstWhole <= lastWhole {
      choices.append(DigitRange.expression(UInt64(firstWhole)...UInt64(lastWhole)))
    }
    guard kind != .whole else { return choices }
    // The numbers between two whole ones: those of the first and of the last such gap may be some only.
    var from = low / one
    let to = high / one
    func between(_ wholes: ClosedRange<Units>, _ fractions: ClosedRange<Units>) {
      // 15 digits in all: these are told apart by every reader.
      for length in DigitRange.lengths(UInt64(wholes.lowerBound)...UInt64(wholes.upperBound)) {
        let digits = length.upperBound == 0 ? 15 : 15 - String(length.lowerBound).count
        guard digits > 0, let fraction = fraction(fractions, digits: digits, kind) else { continue }
        choices.append(.sequence([DigitRange.expression(length), .literal("."), fraction]))
      }
    }
    if from == to {
      between(from...from, low % one...high % one)
      return choices
    }
    if low % one != 0 {
      between(from...from, low % one...one - 1)
      from += 1
    }
    if from < to { between(from...to - 1, 0...one - 1) }
    between(to...to, 0...high % one)
    return choices
  }

  /// Digits behind the point, at least one, whose value is in a range of units below 1.
  private static func fraction(_ range: ClosedRange<Units>, digits: Int, _ kind: NumberSet.Kind) -> Expression? {
    var size: Units = 1
    for _ in digits..<15 { size *= 10 }
    var low = (range.lowerBound + size - 1) / size
    let high = range.upperBound / size
    if kind == .fractional { low = max(low, 1) }
    guard low <= high else { return nil }
    var power: Units = 1
    for _ in 1..<digits { power *= 10 }
    return tail(low, high, power)
  }

  /// Digits that, filled up with zeros, make a number from `low` to `high`; `power` is the first digit's worth.
  private static func tail(_ low: Units, _ high: Units, _ power: Units) -> Expression {
    let zero = Units(UInt8(ascii: "0"))
    func digits(_ range: ClosedRange<Units>) -> Expression {
      .range(UInt8(zero + range.lowerBound)...UInt8(zero + range.upperBound))
    }
    func rest(_ low: Units, _ high: Units) -> Expression {
      // No more digits are as good as zeros.
      if power == 1 { return .nothing }
      return low == 0 ? .optional(tail(low, high, power / 10)) : tail(low, high, power / 10)
    }
    func free(_ power: Units) -> Expression {
      .repeated(digits(0...9), minimum: 0, maximum: String(power).count - 1)
    }
    let (first, last) = (low / power, high / power)
    if low % power == 0, high % power == power - 1 { return .sequence([digits(first...last), free(power)]) }
    if first == last { return .sequence([digits(first...first), rest(low % power, high % power)]) }
    var choices: [Expression] = [.sequence([digits(first...first), rest(low % power, power - 1)])]
    if first + 1 < last { choices.append(.sequence([digits(first + 1...last - 1), free(power)])) }
    choices.append(.sequence([digits(last...last), rest(0, high % power)]))
    return .choice(choices)
  }

  // MARK: Multiples

  private static let mostListed = 5000

  private static func multiples(_ piece: NumberSet.Piece, _ grammar: inout Grammar) throws -> Expression {
    guard let step = piece.step, let ends = piece.ends else {
      throw EngineError("`multipleOf` has multiples beyond 64 bits only; make it smaller")
    }
    if (ends.upperBound - ends.lowerBound) / step <= Units(mostListed) {
      try GrammarWork.spend(100 * Int((ends.upperBound - ends.lowerBound) / step))
      var texts: [String] = []
      for index in 0...(ends.upperBound - ends.lowerBound) / step {
        let value = ends.lowerBound + index * step
        if piece.kind == .fractional, value % NumberSet.one == 0 { continue }
        if piece.steps.allSatisfy({ isMultipleInDoubles(value, $0) }) { texts.append(text(value)) }
      }
      guard !texts.isEmpty else { throw EngineError("its bounds leave no number for `multipleOf`; widen them") }
      return try Grammar.literals(texts, into: &grammar)
    }
    guard step % NumberSet.one == 0, let whole = UInt64(exactly: step / NumberSet.one) else {
      throw EngineError(
        "`multipleOf` \(text(step)) is supported for at most \(mostListed) numbers; add `minimum` and `maximum`")
    }
    let range = closed(piece.range)
    var choices: [Expression] = []
    func magnitudes(_ low: Units, _ high: Units) throws -> Expression {
      let first = (low + NumberSet.one - 1) / NumberSet.one, last = high / NumberSet.one
      guard first <= last else { throw EngineError("its bounds leave no number for `multipleOf`; widen them") }
      return try MultiplesGrammar.expression(of: whole, UInt64(first)...UInt64(last), &grammar)
    }
    if range.upperBound >= 0 { choices.append(try magnitudes(max(0, range.lowerBound), range.upperBound)) }
    if range.upperBound < 0 || range.lowerBound <= -step {
      choices.append(.sequence([.literal("-"), try magnitudes(max(step, -range.upperBound), -range.lowerBound)]))
    }
    return .choice(choices)
  }

  /// Whether programs that divide in binary floating point agree that a number is a multiple: 0.07 / 0.01 is not 7.
  private static func isMultipleInDoubles(_ value: Units, _ step: Units) -> Bool {
    if step % NumberSet.one == 0 { return true }
    guard let value = Double(text(value)), let step = Double(text(step)) else { return false }
    let quotient = value / step
    return quotient == quotient.rounded(.towardZero)
  }
}
