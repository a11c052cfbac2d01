/// A finished text whose equations were computed again: the calculator after the fact (Magister et al. 2022).
///
///     CalculatedText("5 + 8 = 12. 12 * 2 = 24. The answer is 24.").text
///     // "5 + 8 = 13. 13 * 2 = 26. The answer is 26."
///
/// From left to right, a wrong result is replaced, and wherever its value stands later it is replaced as well, so that a
/// correction is carried through the following steps to the answer. A later equation that comes to this value itself ends that. A
/// result with digits behind the point may be rounded to them. Expressions between `<<` and `>>` are equations as any other; the
/// number behind `>>` is their result repeated.
public struct CalculatedText: Sendable, Equatable {
  /// A result that was wrong.
  public struct Correction: Sendable, Equatable {
    /// The expression, with corrections that were carried into it.
    public let expression: String
    /// What the text said it comes to.
    public let written: String
    /// What it comes to.
    public let result: String
  }

  /// The corrected text.
  public let text: String
  /// What was wrong, in the order of the text.
  public let corrections: [Correction]

  /// Corrects a text. O(n) in its length.
  public init(_ text: String) {
    let source = EquationText(text)
    var output: [UInt8] = []
    output.reserveCapacity(source.bytes.count)
    var corrections: [Correction] = []
    var carried: [RationalNumber: RationalNumber] = [:]
    /// The result of the annotation that is being read.
    var annotated: RationalNumber?
    var place = 0
    func isClose(_ place: Int) -> Bool {
      place >= 2 && source.bytes[place - 1] == UInt8(ascii: ">") && source.bytes[place - 2] == UInt8(ascii: ">")
    }
    while place < source.bytes.count {
      let byte = source.bytes[place]
      if byte == UInt8(ascii: "="), let number = source.result(behind: place),
        let expression = EquationText.expression(endingIn: output.suffix(256)), let value = try? expression.value()
      {
        output += source.bytes[place..<number.range.lowerBound]
        if number.isRounding(of: value) {
          carried[number.value] = nil
          output += source.bytes[number.range]
          annotated = number.value
        } else {
          let result = value.text(like: number.text)
          corrections.append(Correction(expression: expression.description, written: number.text, result: result))
          carried[value] = nil
          carried[number.value] = value
          output += Array(result.utf8)
          annotated = value
        }
        place = number.range.upperBound
      } else if let number = source.number(at: place) {
        let isRepeated = annotated != nil && isClose(place)
        if isRepeated, let value = annotated {
          if number.isRounding(of: value) {
            output += source.bytes[number.range]
          } else {
            carried[number.value] = value
            output += Array(value.text(like: number.text).utf8)
          }
        } else if let value = carried[number.value] {
          output += Array(value.text(like: number.text).utf8)
        } else {
          output += source.bytes[number.range]
        }
        if isRepeated { annotated = nil }
        place = number.range.upperBound
      } else {
        if byte == UInt8(ascii: "\n") || byte == 0x20 { annotated = nil }
        output.append(byte)
        place += 1
      }
    }
    self.text = String(decoding: output, as: UTF8.self)
    self.corrections = corrections
  }

  /// A text whose equations are followed by annotations, as GSM8K's are: `5 + 8 = 13` becomes `5 + 8 = <<5+8=13>>13`, by which a
  /// student learns to use the ``Calculator``. Wrong equations and those that have annotations are left as they are.
  public static func annotated(_ text: String) -> String {
    let source = EquationText(text)
    var output: [UInt8] = []
    var isInside = false
    /// The annotation that comes before the number at a place.
    var next: (place: Int, text: String)?
    for (place, byte) in source.bytes.enumerated() {
      if let annotation = next, annotation.place == place {
        output += Array(annotation.text.utf8)
        next = nil
      }
      output.append(byte)
      let before = place > 0 ? source.bytes[place - 1] : nil
      if byte == UInt8(ascii: "<"), before == byte { isInside = true }
      if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: ">") && before == byte { isInside = false }
      guard byte == UInt8(ascii: "="), !isInside, let number = source.result(behind: place),
        let expression = EquationText.expression(endingIn: source.bytes[max(0, place - 256)..<place]),
        let value = try? expression.value(), value == number.value
      else { continue }
      let bare = expression.description.filter { $0 != " " }
      next = (number.range.lowerBound, "<<\(bare)=\(value)>>")
    }
    return String(decoding: output, as: UTF8.self)
  }
}

extension EquationText.Number {
  /// Whether the number is a value, or the value rounded or cut to its digits behind the point.
  fileprivate func isRounding(of exact: RationalNumber) -> Bool {
    if value == exact { return true }
    guard let point = text.utf8.lastIndex(of: UInt8(ascii: ".")) else { return false }
    let places = text.utf8.distance(from: point, to: text.utf8.endIndex) - 1
    guard places > 0, let unit = RationalNumber(10).raised(to: -places), let gap = exact.subtracting(value) else {
      return false
    }
    return gap.magnitude < unit
  }
}

extension RationalNumber {
  /// The number in decimals, with commas between thousands where another number has them.
  fileprivate func text(like other: String) -> String {
    guard other.contains(",") else { return description }
    let parts = description.split(separator: ".", maxSplits: 1)
    var whole = ""
    for (index, digit) in (parts.first ?? "").reversed().enumerated() {
      if index > 0, index % 3 == 0, digit != "-" { whole.append(",") }
      whole.append(digit)
    }
    return String(whole.reversed()) + (parts.count > 1 ? "." + parts[1] : "")
  }
}
