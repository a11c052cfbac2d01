import MartletData

/// The syntax tree of a regular expression over Unicode scalars.
indirect enum RegularExpression: Sendable {
  case scalars(ScalarSet)
  case sequence([RegularExpression])
  case choice([RegularExpression])
  /// At least `minimum` times, at most `maximum` (nil: without end).
  case repeated(RegularExpression, minimum: Int, maximum: Int?)
  /// What follows here begins so, or does not.
  case ahead(RegularExpression, negated: Bool)
  /// What stands before here ends so, or does not.
  case behind(RegularExpression, negated: Bool)
  /// Only where the text starts.
  case start
  /// Only where the text ends.
  case end

  static let nothing = RegularExpression.sequence([])

  /// Whether a match can only be where the text starts.
  var isAnchored: Bool {
    switch self {
    case .start: true
    case .sequence(let parts): parts.contains(where: \.isAnchored)
    case .choice(let parts): parts.allSatisfy(\.isAnchored)
    case .repeated(let part, let minimum, _): minimum > 0 && part.isAnchored
    case .scalars, .ahead, .behind, .end: false
    }
  }

  /// Whether it certainly matches the empty text, wherever that stands.
  var isNullable: Bool {
    switch self {
    case .sequence(let parts): parts.allSatisfy(\.isNullable)
    case .choice(let parts): parts.contains(where: \.isNullable)
    case .repeated(let part, let minimum, _): minimum == 0 || part.isNullable
    case .scalars, .ahead, .behind, .start, .end: false
    }
  }

  /// How many places a text can be at in it, with all repetitions written out; `Int.max` where that is beyond counting.
  var size: Int {
    func product(_ a: Int, _ b: Int) -> Int {
      let (value, isTooLarge) = a.multipliedReportingOverflow(by: b)
      return isTooLarge ? .max : value
    }
    func sum(_ values: [Int]) -> Int {
      values.reduce(1) { total, value in
        let (value, isTooLarge) = total.addingReportingOverflow(value)
        return isTooLarge ? .max : value
      }
    }
    switch self {
    case .scalars, .start, .end: return 1
    case .sequence(let parts), .choice(let parts): return sum(parts.map(\.size))
    case .repeated(let part, let minimum, let maximum): return product(sum([part.size]), max(1, maximum ?? minimum + 1))
    case .ahead(let part, _), .behind(let part, _): return sum([part.size])
    }
  }
}

/// How letters after a backslash are read.
///
/// JSON Schema means ECMA-262, where they are of ASCII; Python and others take them from all of Unicode. What is
/// generated should hold for both.
enum RegularExpressionDialect: Sendable {
  case ecma, unicode
}
