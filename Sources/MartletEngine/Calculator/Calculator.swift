import MartletTokenizers

/// The calculator in the loop of decoding: where an answer has come to `<<48/2=`, the value and `>>` are written for the model,
/// which reads them and goes on behind them (Cobbe et al. 2021).
///
/// The text decides, whatever tokens it consists of. Where the model's next token holds the equals sign and more, what is behind
/// the sign is not written. An expression that is no arithmetic, divides by zero or needs more than 37 digits is left to the
/// model, and so is one whose value the request's grammar does not allow.
///
///     request.calculator = Calculator()
public struct Calculator: Sendable, Equatable {
  /// An expression that was computed in an answer.
  public struct Calculation: Sendable, Equatable {
    /// What stood between `<<` and the equals sign.
    public let expression: String
    /// What was written behind it.
    public let result: String
  }

  /// Where the text stands.
  private enum Place: Equatable {
    case outside
    /// Behind `<<`, with what has followed.
    case expression([UInt8])
    /// Behind the equals sign, with the calculation and what has been written since.
    case result(Calculation, written: [UInt8])
  }

  private var place = Place.outside
  private var last: UInt8?

  /// A calculator at the beginning of a text.
  public init() {}

  /// Reads text that stands before the answer, or in it.
  public mutating func read(_ text: some Sequence<UInt8>) { for byte in text { read(byte) } }

  /// Reads tokens that stand before the answer, or in it. A control token ends an annotation.
  public mutating func read(_ tokens: some Sequence<Int>, of tokenizer: any Tokenizer) {
    for token in tokens {
      let bytes = tokenizer.bytes(of: token)
      if bytes.isEmpty { self = Calculator() } else { read(bytes) }
    }
  }

  private mutating func read(_ byte: UInt8) {
    let before = last
    last = byte
    if byte == UInt8(ascii: "<"), before == byte {
      place = .expression([])
      return
    }
    switch place {
    case .outside: return
    // An annotation is part of a line, and short.
    case _ where byte == UInt8(ascii: "\n"), _ where byte == UInt8(ascii: ">") && before == byte: place = .outside
    case .expression(let bytes) where byte == UInt8(ascii: "="):
      place = Self.calculation(bytes).map { .result($0, written: []) } ?? .outside
    case .expression(let bytes):
      place = bytes.count < ArithmeticExpression.longest ? .expression(bytes + [byte]) : .outside
    case .result(let calculation, let written):
      place =
        written.count <= calculation.result.utf8.count + 1 ? .result(calculation, written: written + [byte]) : .outside
    }
  }

  private static func calculation(_ bytes: [UInt8]) -> Calculation? {
    let text = String(decoding: bytes, as: UTF8.self)
    guard let value = try? ArithmeticExpression(text).value() else { return nil }
    return Calculation(expression: text, result: value.description)
  }

  /// What the calculator writes at the place that the text has reached: the value and `>>`, or the rest of them if the text
  /// has begun with it. nil where nothing is to be computed.
  public var continuation: (calculation: Calculation, text: [UInt8])? {
    guard case .result(let calculation, let written) = place else { return nil }
    let whole = Array("\(calculation.result)>>".utf8)
    guard whole.count > written.count, whole.starts(with: written) else { return nil }
    return (calculation, Array(whole[written.count...]))
  }

  /// What is written in place of a token: its bytes up to the equals sign, the value and `>>`.
  /// - Parameter token: the bytes of the token that the model has chosen.
  /// - Returns: nil where the token leads to nothing that can be computed.
  func replacement(for token: [UInt8]) -> (calculation: Calculation, text: [UInt8])? {
    guard token.contains(UInt8(ascii: "=")) else { return nil }
    var next = self
    for (index, byte) in token.enumerated() {
      next.read(byte)
      if byte == UInt8(ascii: "="), let (calculation, text) = next.continuation {
        return (calculation, token[...index] + text)
      }
    }
    return nil
  }
}
