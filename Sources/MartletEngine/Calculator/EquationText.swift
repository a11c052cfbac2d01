/// A text in which equations such as `5 + 8 = 13` are found, of a student's or a teacher's chain of thought.
///
/// An equation is arithmetic with at least one operator, an equals sign, and one number behind it. Where more arithmetic follows
/// the sign, as in `5 * 3 + 2 = 15 + 2 = 17`, the equation is the one before the last sign.
struct EquationText {
  /// A number as it stands in a text.
  struct Number {
    var value: RationalNumber
    /// The digits with their point and commas.
    var text: String
    /// The places of the text that it takes.
    var range: Range<Int>
  }

  let bytes: [UInt8]

  init(_ text: String) { bytes = Array(text.utf8) }

  // MARK: numbers

  private static func isDigit(_ byte: UInt8?) -> Bool { byte.map { (0x30...0x39).contains($0) } ?? false }

  /// Letters, digits and parts of characters beyond ASCII, which make digits beside them part of a word. Signs of currencies, which
  /// are beyond ASCII in part, are no letters.
  private static func isLetter(_ byte: UInt8?) -> Bool {
    byte.map { (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0) || $0 == 0x5f } ?? false
  }

  private func byte(_ place: Int) -> UInt8? { bytes.indices.contains(place) ? bytes[place] : nil }

  /// The number whose digits begin at a place, without a sign; nil where there is none, or it is part of a word, a date or a time.
  func number(at place: Int) -> Number? {
    let hasPoint = byte(place) == UInt8(ascii: ".") && Self.isDigit(byte(place + 1))
    guard Self.isDigit(byte(place)) || hasPoint else { return nil }
    let before = byte(place - 1)
    guard !Self.isLetter(before), !Self.isDigit(before), before != UInt8(ascii: "."), before != UInt8(ascii: ":"),
      !(before == UInt8(ascii: ",") && Self.isDigit(byte(place - 2)))
    else { return nil }
    var end = place
    while let next = byte(end), end - place < 60 {
      let isPart = next == UInt8(ascii: ",") || next == UInt8(ascii: ".")
      guard Self.isDigit(next) || isPart && Self.isDigit(byte(end + 1)) else { break }
      end += 1
    }
    let isTime = byte(end) == UInt8(ascii: ":") && Self.isDigit(byte(end + 1))
    let text = String(decoding: bytes[place..<end], as: UTF8.self)
    guard !isTime, !Self.isDigit(byte(end)), let value = RationalNumber(decimal: text) else { return nil }
    return Number(value: value, text: text, range: place..<end)
  }

  // MARK: what stands beside an equals sign

  /// The number that stands alone behind an equals sign at a place, with its sign; nil where there is none, or more arithmetic.
  func result(behind equals: Int) -> Number? {
    var place = equals + 1
    while byte(place) == 0x20, place - equals < 4 { place += 1 }
    let start = place
    let isNegative = byte(place) == UInt8(ascii: "-")
    if isNegative { place += 1 }
    place = behindCurrency(place)
    guard var number = number(at: place) else { return nil }
    // A percentage may mean its hundredth.
    var next = number.range.upperBound
    if byte(next) == UInt8(ascii: "%") { return nil }
    while byte(next) == 0x20 { next += 1 }
    if let sign = byte(next), "+-*/^=".utf8.contains(sign) {
      next += 1
      while byte(next) == 0x20 { next += 1 }
      let operand = behindCurrency(next)
      if sign == UInt8(ascii: "=") || byte(next) == UInt8(ascii: "(") || Self.isDigit(byte(operand)) { return nil }
    }
    if isNegative {
      number.value = number.value.negated
      number.range = start..<number.range.upperBound
    }
    return number
  }

  /// A place behind a sign of a currency that stands there.
  private func behindCurrency(_ place: Int) -> Int {
    if byte(place) == UInt8(ascii: "$") { return place + 1 }
    // €, £ and ¥
    if byte(place) == 0xe2, byte(place + 1) == 0x82, byte(place + 2) == 0xac { return place + 3 }
    if byte(place) == 0xc2, byte(place + 1) == 0xa3 || byte(place + 1) == 0xa5 { return place + 2 }
    return place
  }

  /// The longest arithmetic with an operator that ends before an equals sign, whose other side is a number.
  /// - Parameter text: what stands before the sign.
  static func expression(endingIn text: some BidirectionalCollection<UInt8>) -> ArithmeticExpression? {
    var run: [UInt8] = []
    /// What stands before the run.
    var stop: UInt8?
    for byte in text.reversed() {
      guard run.count < 200, isArithmetic(byte) else {
        stop = byte
        break
      }
      run.append(byte)
    }
    run.reverse()
    while run.last == 0x20 { run.removeLast() }
    // What follows a letter or a colon without space is part of a word or a time.
    var start = run.startIndex
    if isLetter(stop) || stop == UInt8(ascii: ":") {
      start = run.firstIndex(of: 0x20) ?? run.endIndex
    }
    while start < run.endIndex {
      while start < run.endIndex, run[start] == 0x20 { start += 1 }
      guard start < run.endIndex else { return nil }
      // An operator without its first operand. A dash with a space behind it marks an item of a list at the line's beginning.
      let isDash = run[start] == UInt8(ascii: "-") && start + 1 < run.endIndex && run[start + 1] == 0x20
      let isMark = isDash && (stop == nil || stop == UInt8(ascii: "\n")) && run[..<start].allSatisfy { $0 == 0x20 }
      if "+*/^xX".utf8.contains(run[start]) || isDash && !isMark { return nil }
      if !isMark, let expression = try? ArithmeticExpression(String(decoding: run[start...], as: UTF8.self)) {
        return expression.operatorCount > 0 ? expression : nil
      }
      // The next word of the run: behind a number such as 1. or 1), but not within 1 1/2.
      guard let space = run[start...].firstIndex(of: 0x20), isMark || !isDigit(run[space - 1]) else { return nil }
      start = space
    }
    return nil
  }

  /// Digits, operators, parentheses, signs of currencies and spaces, those beyond ASCII included.
  private static func isArithmetic(_ byte: UInt8) -> Bool {
    isDigit(byte) || byte >= 0x80 || " .,+-*/^()$%xX".utf8.contains(byte)
  }
}
