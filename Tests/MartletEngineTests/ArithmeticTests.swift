import MartletData
import MartletTestSupport
import Testing

@testable import MartletEngine

/// Arithmetic is exact, and whatever is no arithmetic is told.
struct ArithmeticTests {
  private func value(_ text: String) throws -> String { try ArithmeticExpression(text).value().description }

  @Test(arguments: [
    ("48/2", "24"), ("560//10", "56"), ("-7//2", "-4"), ("1+2*3", "7"), ("(1+2)*3", "9"), ("-(2-5)", "3"),
    ("3--2", "5"), ("2-3-4", "-5"), ("12/3/2", "2"),
    ("2^3^2", "512"), ("-2^2", "-4"), ("2**-1", "0.5"), ("2*.5", "1"), ("5.", "5"), ("0.1+0.2", "0.3"),
    ("1/3", "0.3333333333333333"),
    ("3.333333333333333*3", "10"), ("2/3*3", "2"), ("2+2+2+1/3+1/3+1/3", "7"), ("10/4", "2.5"), ("1/8", "0.125"),
    ("3,650*10/100", "365"), ("725*10,440,000", "7569000000"), ("50000*5%", "2500"), ("$50 - 5% * $50", "47.5"),
    ("€3 × 4", "12"), ("9 ÷ 2", "4.5"), ("7 − 9", "-2"), ("2 x 3", "6"),
    ("99999999999*99999999999", "9999999999800000000001"),
    ("(18.75-18.48)*100", "27"), ("1000000.1-1000000", "0.1"), ("0*5", "0"), ("007", "7"),
    ("2/3", "0.6666666666666667"),
    ("800/3", "266.6666666666667"), ("-1/3", "-0.3333333333333333"), ("199999999999999999/2", "99999999999999999.5"),
  ])
  func valuesAreExact(text: String, expected: String) throws { #expect(try value(text) == expected) }

  @Test(arguments: [
    "", "5/0", "5/(2-2)", "0^-1", "2^0.5", "2^5000", "10^40", "1e5", "2(3)", "(1+2", "1+2)", "1+", "*3", "1 2", "1..2",
    "1.2.3",
    "1,2", "1,23,4", ",123", "x+1", "2x", "2:38", "import os", "__", "5!", "1//2",
    "99999999999999999999999999999999999999999",
    String(repeating: "(", count: 5000) + "1", String(repeating: "-", count: 900) + "1",
    String(repeating: "1+", count: 900),
    "\u{0}1", "¾*3",
  ])
  func whatIsNoArithmeticIsTold(text: String) {
    #expect(throws: ArithmeticError.self) { try value(text) }
  }

  @Test func nestingHasALimit() throws {
    let nested = String(repeating: "(", count: 60) + "1" + String(repeating: ")", count: 60)
    #expect(try value(nested) == "1")
    #expect(throws: ArithmeticError.self) {
      try value(String(repeating: "(", count: 70) + "1" + String(repeating: ")", count: 70))
    }
  }

  @Test func numbersAreOrdered() throws {
    let numbers = try ["-5", "-1/3", "0", "1/3", "0.34", "5", "10^36"].map { try ArithmeticExpression($0).value() }
    #expect(numbers == numbers.shuffled().sorted())
  }

  @Test(.enabled(if: TestData.shared != nil, "MARTLET_DATA names no folder with the shared data"))
  func everyAnnotationOfGSM8KIsReproduced() throws {
    let shared = try #require(TestData.shared)
    var count = 0, differences: [String] = []
    for line in try JSONLines.read(shared + "/reasoning/gsm8k/train.jsonl.gz") {
      let answer = try #require(line.value["answer"]?.string)
      for part in answer.split(separator: "<<").dropFirst() {
        let annotation = try #require(part.firstRange(of: ">>").map { part[..<$0.lowerBound] })
        let sign = try #require(annotation.lastIndex(of: "="))
        count += 1
        let value = try ArithmeticExpression(annotation[..<sign]).value()
        let written = try ArithmeticExpression(annotation[annotation.index(after: sign)...]).value()
        // As the calculator writes it: rounded to sixteen digits where it does not end.
        if try ArithmeticExpression(value.description).value() != written { differences.append(String(annotation)) }
        // The calculator in the loop computes it as well.
        var calculator = Calculator()
        calculator.read(Array("<<\(annotation[...sign])".utf8))
        if calculator.continuation?.calculation.result != value.description { differences.append("<<\(annotation)") }
      }
    }
    #expect(count == 23_716)
    #expect(differences == [])
  }
}
