import MartletData

/// An expression of arithmetic, such as `(2+3)*4`, `3,650*10/100` or `$50 - 5%*$50`: parsed and computed, never run as code.
///
///     try ArithmeticExpression("48/2").value().description    // "24"
///
/// Numbers are decimal, with commas between thousands if wanted, a sign of a currency before and a percent sign behind. Operators
/// are `+ - * / ^` with their usual precedence, `//` for division rounded down, `**` and `× · ÷ −`, an `x` between numbers, and parentheses.
public struct ArithmeticExpression: Sendable, Equatable, CustomStringConvertible {
  /// A step of a computation that keeps its intermediate results on a stack.
  private enum Step: Sendable, Equatable {
    case number(RationalNumber)
    case negate, percent, add, subtract, multiply, divide, divideWhole, power
  }

  /// The text of the expression.
  public let description: String
  /// Operands before their operators.
  private let steps: [Step]
  /// The number of operators between two operands.
  let operatorCount: Int

  /// The longest expression, in bytes.
  static let longest = 1000
  /// The most parentheses, signs and powers within each other.
  static let deepest = 64

  /// Parses a text.
  /// - Throws: ``ArithmeticError`` that names what is wrong.
  public init(_ text: some StringProtocol) throws(ArithmeticError) {
    guard text.utf8.count <= Self.longest else {
      throw ArithmeticError("the expression is longer than \(Self.longest) bytes; compute it in parts")
    }
    description = String(text)
    var parser = Parser(text: Array(description.unicodeScalars))
    try parser.sum(depth: 0)
    if let left = parser.next { throw parser.failure("\(left)") }
    steps = parser.steps
    operatorCount = steps.count {
      switch $0 {
      case .number, .negate, .percent: false
      default: true
      }
    }
  }

  /// The value.
  /// - Throws: ``ArithmeticError`` for a division by zero, a power that is no whole number, or a value that is too large.
  public func value() throws(ArithmeticError) -> RationalNumber {
    var stack: [RationalNumber] = []
    for step in steps {
      if case .number(let number) = step {
        stack.append(number)
        continue
      }
      guard let right = stack.popLast() else { break }
      if step == .negate {
        stack.append(right.negated)
        continue
      }
      if step == .percent {
        guard let hundredth = right.divided(by: RationalNumber(100)) else { throw tooLarge }
        stack.append(hundredth)
        continue
      }
      guard let left = stack.popLast() else { break }
      let result: RationalNumber?
      switch step {
      case .add: result = left.adding(right)
      case .subtract: result = left.subtracting(right)
      case .multiply: result = left.multiplied(by: right)
      case .divide, .divideWhole:
        guard right != RationalNumber(0) else { throw ArithmeticError("\(description) divides by zero") }
        let quotient = left.divided(by: right)
        result = step == .divide ? quotient : quotient.flatMap(\.roundedDown)
      default:
        guard right.isWhole, let exponent = Int(exactly: right.numerator), exponent.magnitude <= 1000 else {
          throw ArithmeticError("a power in \(description) is no whole number of at most 1000")
        }
        guard left != RationalNumber(0) || exponent >= 0 else {
          throw ArithmeticError("\(description) divides by zero")
        }
        result = left.raised(to: exponent)
      }
      guard let result else { throw tooLarge }
      stack.append(result)
    }
    guard let value = stack.last else { throw ArithmeticError("\(description) has no value") }
    return value
  }

  private var tooLarge: ArithmeticError {
    ArithmeticError("a value in \(description) takes more than 37 digits; compute with smaller or rounder numbers")
  }

  /// Expressions are equal if their texts are.
  public static func == (one: Self, other: Self) -> Bool { one.description == other.description }

  /// Recursive descent, with a limit on its depth.
  private struct Parser {
    let text: [Unicode.Scalar]
    var place = 0
    var steps: [Step] = []

    init(text: [Unicode.Scalar]) { self.text = text }

    /// The next scalar that is no space.
    var next: Unicode.Scalar? {
      mutating get {
        while place < text.count, text[place] == " " { place += 1 }
        return place < text.count ? text[place] : nil
      }
    }

    func failure(_ found: String) -> ArithmeticError {
      let whole = String(String.UnicodeScalarView(text))
      return ArithmeticError(
        "“\(whole.printable)” is no arithmetic: “\(found.printable)” stands at character \(place + 1), where it has no meaning"
      )
    }

    mutating func sum(depth: Int) throws(ArithmeticError) {
      try product(depth: depth)
      while let sign = next {
        switch sign {
        case "+":
          place += 1
          try product(depth: depth)
          steps.append(.add)
        case "-", "\u{2212}", "\u{2013}":
          place += 1
          try product(depth: depth)
          steps.append(.subtract)
        default: return
        }
      }
    }

    private mutating func product(depth: Int) throws(ArithmeticError) {
      try signed(depth: depth)
      while let sign = next {
        switch sign {
        case "*", "x", "X", "\u{d7}", "\u{b7}", "\u{2217}", "\u{22c5}":
          place += 1
          try signed(depth: depth)
          steps.append(.multiply)
        case "/" where place + 1 < text.count && text[place + 1] == "/":
          place += 2
          try signed(depth: depth)
          steps.append(.divideWhole)
        case "/", "\u{f7}", "\u{2215}", "\u{2044}":
          place += 1
          try signed(depth: depth)
          steps.append(.divide)
        default: return
        }
      }
    }

    private mutating func signed(depth: Int) throws(ArithmeticError) {
      guard depth < ArithmeticExpression.deepest else {
        throw ArithmeticError(
          "an expression has more than \(ArithmeticExpression.deepest) parentheses, signs or powers within each other; compute it in parts"
        )
      }
      switch next {
      case "+":
        place += 1
        try signed(depth: depth + 1)
      case "-", "\u{2212}", "\u{2013}":
        place += 1
        try signed(depth: depth + 1)
        steps.append(.negate)
      default: try power(depth: depth)
      }
    }

    private mutating func power(depth: Int) throws(ArithmeticError) {
      try operand(depth: depth)
      switch next {
      case "^": place += 1
      case "*" where place + 1 < text.count && text[place + 1] == "*": place += 2
      default: return
      }
      // To the right first: 2^3^2 is 2^9.
      try signed(depth: depth + 1)
      steps.append(.power)
    }

    private mutating func operand(depth: Int) throws(ArithmeticError) {
      if next == "(" {
        place += 1
        try sum(depth: depth + 1)
        guard next == ")" else {
          throw next.map { failure("\($0)") } ?? ArithmeticError("a parenthesis is not closed")
        }
        place += 1
      } else {
        try number()
      }
      if next == "%" {
        place += 1
        steps.append(.percent)
      }
    }

    private mutating func number() throws(ArithmeticError) {
      if let sign = next, sign.properties.generalCategory == .currencySymbol { place += 1 }
      guard let first = next else { throw ArithmeticError("the expression ends where a number is expected") }
      let start = place
      while place < text.count, text[place].isDecimal { place += 1 }
      let digits = String(String.UnicodeScalarView(text[start..<place]))
      guard let number = RationalNumber(decimal: digits) else {
        place = start
        throw failure(digits.isEmpty ? "\(first)" : digits)
      }
      steps.append(.number(number))
    }
  }
}

extension Unicode.Scalar {
  /// A digit of ASCII, a point or a comma.
  fileprivate var isDecimal: Bool { ("0"..."9").contains(self) || self == "." || self == "," }
}
