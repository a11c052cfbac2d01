/// A fraction in lowest terms, with which arithmetic is exact: a third of three is one, and a tenth is a tenth.
///
/// Numerator and denominator are below 10^37. Where a result needs more, operations return nil and never a rounded value.
public struct RationalNumber: Sendable, Hashable, Comparable, CustomStringConvertible {
  /// The numerator, which carries the sign.
  public let numerator: Int128
  /// The denominator, at least 1.
  public let denominator: Int128

  /// A whole number.
  public init(_ whole: Int) { (numerator, denominator) = (Int128(whole), 1) }

  /// A fraction; nil if the denominator is zero, or the fraction does not fit.
  public init?(_ numerator: Int128, over denominator: Int128) {
    guard denominator != 0, numerator != .min, denominator != .min else { return nil }
    let divisor = Self.greatestCommonDivisor(numerator, denominator) * (denominator < 0 ? -1 : 1)
    self.numerator = numerator / divisor
    self.denominator = denominator / divisor
    guard self.numerator.magnitude < Self.bound, self.denominator.magnitude < Self.bound else { return nil }
  }

  /// Ten times a number below it fits into 128 bits.
  private static let bound: UInt128 = 10_000_000_000_000_000_000_000_000_000_000_000_000

  /// Reads a decimal number: digits, and a point before, between or behind them. Commas part thousands: behind each stand
  /// two or three digits, and three behind the last. nil for any other text.
  public init?(decimal text: some StringProtocol) {
    var value: Int128 = 0, scale: Int128 = 1
    var digits = 0, group: Int?, hasPoint = false
    for byte in text.utf8 {
      switch byte {
      case 0x30...0x39:
        let (product, isTooLarge) = value.multipliedReportingOverflow(by: 10)
        let (sum, isTooLargeBehind) = product.addingReportingOverflow(Int128(byte - 0x30))
        guard !isTooLarge, !isTooLargeBehind else { return nil }
        value = sum
        digits += 1
        if hasPoint {
          let (longer, isTooLong) = scale.multipliedReportingOverflow(by: 10)
          guard !isTooLong else { return nil }
          scale = longer
        } else if let length = group {
          guard length < 3 else { return nil }
          group = length + 1
        }
      case 0x2c:
        guard !hasPoint, digits > 0, group.map({ $0 >= 2 }) ?? (digits <= 3) else { return nil }
        group = 0
      case 0x2e:
        guard !hasPoint else { return nil }
        hasPoint = true
      default: return nil
      }
    }
    guard digits > 0, group.map({ $0 == 3 }) ?? true else { return nil }
    self.init(value, over: scale)
  }

  private static func greatestCommonDivisor(_ one: Int128, _ other: Int128) -> Int128 {
    var (one, other) = (abs(one), abs(other))
    while other != 0 { (one, other) = (other, one % other) }
    return max(one, 1)
  }

  // MARK: arithmetic

  /// The sum; nil if it does not fit.
  public func adding(_ other: RationalNumber) -> RationalNumber? {
    let shared = Self.greatestCommonDivisor(denominator, other.denominator)
    guard let left = Self.product(numerator, other.denominator / shared),
      let right = Self.product(other.numerator, denominator / shared),
      let below = Self.product(denominator, other.denominator / shared)
    else { return nil }
    let (above, isTooLarge) = left.addingReportingOverflow(right)
    return isTooLarge ? nil : RationalNumber(above, over: below)
  }

  /// The difference; nil if it does not fit.
  public func subtracting(_ other: RationalNumber) -> RationalNumber? { adding(other.negated) }

  /// The product; nil if it does not fit.
  public func multiplied(by other: RationalNumber) -> RationalNumber? {
    let first = Self.greatestCommonDivisor(numerator, other.denominator)
    let second = Self.greatestCommonDivisor(other.numerator, denominator)
    guard let above = Self.product(numerator / first, other.numerator / second),
      let below = Self.product(denominator / second, other.denominator / first)
    else { return nil }
    return RationalNumber(above, over: below)
  }

  /// The quotient; nil if the divisor is zero, or the quotient does not fit.
  public func divided(by other: RationalNumber) -> RationalNumber? {
    RationalNumber(other.denominator, over: other.numerator).flatMap(multiplied)
  }

  /// The greatest whole number that is not above this one; nil if it does not fit.
  public var roundedDown: RationalNumber? {
    let whole = numerator / denominator
    return RationalNumber(numerator < whole * denominator ? whole - 1 : whole, over: 1)
  }

  /// The power with a whole exponent; nil if it does not fit, or zero is taken to a negative power.
  public func raised(to exponent: Int) -> RationalNumber? {
    guard exponent >= 0 else { return RationalNumber(1).divided(by: self)?.raised(to: exponent.magnitude) }
    return raised(to: exponent.magnitude)
  }

  private func raised(to exponent: UInt) -> RationalNumber? {
    var result = RationalNumber(1), square = self, left = exponent
    while left > 0 {
      if left & 1 == 1 {
        guard let next = result.multiplied(by: square) else { return nil }
        result = next
      }
      left >>= 1
      if left > 0 {
        guard let next = square.multiplied(by: square) else { return nil }
        square = next
      }
    }
    return result
  }

  /// The number with the other sign.
  public var negated: RationalNumber { RationalNumber(unchecked: -numerator, denominator) }

  /// The number without its sign.
  public var magnitude: RationalNumber { RationalNumber(unchecked: abs(numerator), denominator) }

  private init(unchecked numerator: Int128, _ denominator: Int128) {
    (self.numerator, self.denominator) = (numerator, denominator)
  }

  private static func product(_ one: Int128, _ other: Int128) -> Int128? {
    let (product, isTooLarge) = one.multipliedReportingOverflow(by: other)
    return isTooLarge ? nil : product
  }

  /// The order of numbers.
  public static func < (one: RationalNumber, other: RationalNumber) -> Bool {
    // The products of two such numbers have 256 bits: high parts decide, then low ones.
    let left = one.numerator.multipliedFullWidth(by: other.denominator)
    let right = other.numerator.multipliedFullWidth(by: one.denominator)
    return (left.high, left.low) < (right.high, right.low)
  }

  /// Whether the number has no fraction.
  public var isWhole: Bool { denominator == 1 }

  // MARK: writing

  /// The most significant digits that are written.
  private static let significantDigits = 16

  /// The number in decimal notation without an exponent: whole numbers exactly, others with at most sixteen significant digits.
  ///
  /// A rounded operand such as 3.333333333333333 leaves a remainder in the sixteenth digit of a result; the remainder is dropped
  /// where the number is short without it.
  public var description: String {
    if isWhole { return "\(numerator)" }
    let exact = decimal(places: places(forDigits: Self.significantDigits))
    let shorter = decimal(places: places(forDigits: Self.significantDigits - 1))
    return shorter.utf8.count <= Self.significantDigits - 3 ? shorter : exact
  }

  /// How many places behind the point so many significant digits take: two at least, and twenty at most.
  private func places(forDigits count: Int) -> Int {
    let whole = numerator.magnitude / denominator.magnitude
    if whole > 0 { return max(2, count - "\(whole)".utf8.count) }
    var zeros = 0
    var rest = numerator.magnitude * 10
    while rest < denominator.magnitude, zeros < 20 {
      rest *= 10
      zeros += 1
    }
    return min(zeros + count, 20)
  }

  /// The number rounded to so many places behind the point, halves away from zero, without zeros at the end.
  func decimal(places: Int) -> String {
    let divisor = denominator.magnitude
    var (whole, rest) = numerator.magnitude.quotientAndRemainder(dividingBy: divisor)
    var digits: [UInt8] = []
    for _ in 0..<places where rest != 0 {
      let (digit, next) = (rest * 10).quotientAndRemainder(dividingBy: divisor)
      digits.append(UInt8(digit))
      rest = next
    }
    if rest >= divisor - rest {
      while digits.last == 9 { digits.removeLast() }
      if let last = digits.popLast() { digits.append(last + 1) } else { whole += 1 }
    }
    while digits.last == 0 { digits.removeLast() }
    let text = digits.isEmpty ? "\(whole)" : "\(whole)." + digits.map { "\($0)" }.joined()
    return numerator < 0 && text != "0" ? "-" + text : text
  }
}
