import MartletData

/// A set of numbers, among those that are written where a schema has bounds: multiples of 10^-15 within the range of
/// 64-bit integers. On these every operation is exact.
struct NumberSet: Sendable {
  /// Numbers in billionths of millionths, 10^-15.
  typealias Units = Int128
  static let one: Units = 1_000_000_000_000_000
  static let limits: ClosedRange<Units> = Units(Int64.min) * one...Units(Int64.max) * one
  /// A range that goes beyond the limits has no end there.
  private static let endless: ClosedRange<Units> = limits.lowerBound - 1...limits.upperBound + 1

  enum Kind: Sendable { case any, whole, fractional }

  /// Numbers of a range that are of a kind and multiples of all `steps`.
  struct Piece: Sendable {
    var range: ClosedRange<Units>
    var kind = Kind.any
    var steps: [Units] = []
  }

  private(set) var pieces: [Piece]

  static let all = NumberSet(pieces: [Piece(range: endless)])
  static let none = NumberSet(pieces: [])
  static let whole = NumberSet(pieces: [Piece(range: endless, kind: .whole)])

  private init(pieces: [Piece]) { self.pieces = pieces }

  init(_ range: ClosedRange<Units>) { pieces = [Piece(range: range)] }

  /// Numbers from `low` up.
  init(from low: Units) {
    pieces =
      low > Self.limits.upperBound ? [] : [Piece(range: max(low, Self.limits.lowerBound)...Self.endless.upperBound)]
  }

  /// Numbers up to `high`.
  init(upTo high: Units) {
    pieces =
      high < Self.limits.lowerBound ? [] : [Piece(range: Self.endless.lowerBound...min(high, Self.limits.upperBound))]
  }

  /// Single numbers.
  init(_ numbers: [Units]) { pieces = numbers.map { Piece(range: $0...$0) } }

  /// Multiples of a positive number.
  init(multiplesOf step: Units) {
    let isWhole = step % Self.one == 0
    pieces = [Piece(range: Self.endless, kind: isWhole ? .whole : .any, steps: step == Self.one ? [] : [step])]
  }

  var isAll: Bool { isEverything(.any) }
  var isAllWhole: Bool { isEverything(.whole) }

  private func isEverything(_ kind: Kind) -> Bool {
    pieces.count == 1 && pieces[0].range == Self.endless && pieces[0].kind == kind && pieces[0].steps.isEmpty
  }

  var isEmpty: Bool {
    pieces.allSatisfy { piece in
      GrammarWork.note(10)
      return piece.isEmpty
    }
  }

  func union(_ other: NumberSet) -> NumberSet {
    GrammarWork.note(4 * (pieces.count + other.pieces.count))
    return NumberSet(pieces: pieces + other.pieces)
  }

  /// O(pieces of both) where one is a single range, else their product.
  func intersection(_ other: NumberSet) throws -> NumberSet {
    guard pieces.count <= 100 || other.pieces.count <= 100 else { return try points(with: other) }
    try GrammarWork.spend(10 * pieces.count * other.pieces.count)
    var result: [Piece] = []
    for left in pieces {
      for right in other.pieces {
        if let both = left.intersection(right), !both.isEmpty { result.append(both) }
      }
    }
    return NumberSet(pieces: result)
  }

  /// The intersection of long lists of single numbers.
  private func points(with other: NumberSet) throws -> NumberSet {
    try GrammarWork.spend(20 * (pieces.count + other.pieces.count))
    func values(_ set: NumberSet) throws -> [Units] {
      try set.pieces.map { piece in
        guard piece.range.lowerBound == piece.range.upperBound, piece.steps.isEmpty, piece.kind == .any else {
          throw EngineError("lists of more than 100 ranges of numbers cannot be combined; make them shorter")
        }
        return piece.range.lowerBound
      }
    }
    let others = Set(try values(other))
    return NumberSet(try values(self).filter(others.contains))
  }

  /// All other numbers; nil where multiples are among them.
  func complement() throws -> NumberSet? {
    guard pieces.allSatisfy(\.steps.isEmpty) else { return nil }
    if pieces.count > 100 { return try manyComplement() }
    var result = Self.all
    for piece in pieces { result = try result.intersection(piece.complement()) }
    return result
  }

  /// The same for long lists of single numbers.
  private func manyComplement() throws -> NumberSet {
    try GrammarWork.spend(20 * pieces.count)
    var result: [Piece] = []
    var low = Self.endless.lowerBound
    for piece in pieces.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
      guard piece.kind == .any else {
        throw EngineError("lists of more than 100 ranges of numbers cannot be negated; make them shorter")
      }
      if low < piece.range.lowerBound, piece.range.lowerBound > Self.limits.lowerBound {
        result.append(Piece(range: low...piece.range.lowerBound - 1))
      }
      low = max(low, piece.range.upperBound + 1)
    }
    if low <= Self.limits.upperBound { result.append(Piece(range: low...Self.endless.upperBound)) }
    return NumberSet(pieces: result)
  }
}

extension NumberSet.Piece {
  typealias Units = NumberSet.Units

  func intersection(_ other: Self) -> Self? {
    let low = max(range.lowerBound, other.range.lowerBound), high = min(range.upperBound, other.range.upperBound)
    guard low <= high else { return nil }
    var result = Self(range: low...high, kind: kind, steps: steps)
    if kind == .any { result.kind = other.kind } else if other.kind != .any, other.kind != kind { return nil }
    for step in other.steps where !result.steps.contains(step) { result.steps.append(step) }
    return result
  }

  fileprivate func complement() -> NumberSet {
    let low = range.lowerBound, high = range.upperBound
    var result = NumberSet.none
    if low >= NumberSet.limits.lowerBound { result = NumberSet(upTo: low - 1) }
    if high <= NumberSet.limits.upperBound { result = result.union(NumberSet(from: high + 1)) }
    switch kind {
    case .any: return result
    case .whole: return result.union(NumberSet(of: Self(range: range, kind: .fractional)))
    case .fractional: return result.union(NumberSet(of: Self(range: range, kind: .whole)))
    }
  }

  /// What every number of the piece is a multiple of; nil where that is beyond all numbers.
  var step: Units? {
    var result: Units = kind == .whole ? NumberSet.one : 1
    for step in steps {
      let (product, isTooLarge) = (result / NumberSet.greatestDivisor(result, step)).multipliedReportingOverflow(
        by: step)
      guard !isTooLarge else { return nil }
      result = product
    }
    return result
  }

  /// The first and the last multiple of ``step`` in the range; nil where there is none.
  var ends: ClosedRange<Units>? {
    guard let step else { return range.contains(0) ? 0...0 : nil }
    let high = NumberSet.quotientDown(range.upperBound, step), low = -NumberSet.quotientDown(-range.lowerBound, step)
    return low <= high ? low * step...high * step : nil
  }

  var isEmpty: Bool {
    guard let ends else { return true }
    guard kind == .fractional else { return false }
    // A single number may be whole.
    return ends.lowerBound == ends.upperBound && ends.lowerBound % NumberSet.one == 0
  }
}

extension NumberSet {
  fileprivate init(of piece: Piece) { pieces = [piece] }

  static func greatestDivisor(_ a: Units, _ b: Units) -> Units {
    var (a, b) = (a, b)
    while b != 0 { (a, b) = (b, a % b) }
    return a
  }

  /// a / b rounded down, for positive b.
  static func quotientDown(_ a: Units, _ b: Units) -> Units {
    let quotient = a / b
    return a % b < 0 ? quotient - 1 : quotient
  }

  /// A number as units, rounded down and up where it is finer. Beyond ``limits`` it is one beyond them.
  ///
  /// A `Double` stands for the shortest decimal number that is read as it, which is what the schema's author wrote.
  static func units(_ value: Double) -> (down: Units, up: Units) {
    guard abs(value) < 9e18 || Int64(exactly: value) != nil else {
      return value < 0
        ? (limits.lowerBound - 1, limits.lowerBound - 1) : (limits.upperBound + 1, limits.upperBound + 1)
    }
    if abs(value) >= 0x1p53, let whole = Int64(exactly: value) { return (Units(whole) * one, Units(whole) * one) }
    var digits: Units = 0
    var power = 15
    var isBehindPoint = false
    let parts = "\(value.magnitude)".split(separator: "e")
    for sign in parts.first ?? "" {
      if sign == "." { isBehindPoint = true }
      guard let digit = sign.wholeNumberValue else { continue }
      digits = digits * 10 + Units(digit)
      if isBehindPoint { power -= 1 }
    }
    if parts.count > 1 { power += Int(parts[1]) ?? 0 }
    while power > 0 {
      digits *= 10
      power -= 1
    }
    var isRounded = false
    while power < 0, digits > 0 {
      if digits % 10 != 0 { isRounded = true }
      digits /= 10
      power += 1
    }
    if value < 0 { return (isRounded ? -digits - 1 : -digits, -digits) }
    return (digits, isRounded ? digits + 1 : digits)
  }

  static func units(_ value: JSONValue) -> (down: Units, up: Units)? {
    switch value {
    case .integer(let value): (Units(value) * one, Units(value) * one)
    case .number(let value): units(value)
    default: nil
    }
  }
}
