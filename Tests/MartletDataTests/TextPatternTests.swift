import MartletData
import Testing

/// Regular expressions beside what Python's `re` gives.
struct TextPatternTests {
  @Test(arguments: [
    ("#### (\\-?[0-9\\.\\,]+)", "#### 1,000\n#### -2.", ["1,000", "-2."]), ("a|b", "cabc", ["a", "b"]),
    ("(-?[$0-9.,]{2,})|(-?[0-9]+)", "$5 and 3 or 7,000.", ["$5", "3", "7,000."]),
    ("(?<=the answer is )(.*)(?=.)", "So the answer is (A).\nthe answer is no", ["(A)", "n"]),
    ("(?P<n>x)y", "xyxy", ["x", "x"]),
    ("x*", "axb", ["", "x", "", ""]), (".", "a\r\u{2028}\n", ["a", "\r", "\u{2028}"]), ("e$", "ae\n", ["e"]),
  ])
  func findsWhatFindallFinds(_ pattern: String, _ text: String, _ found: [String]) throws {
    #expect(try TextPattern(pattern).found(in: text) == found)
  }

  @Test func groupsAndReplacements() throws {
    let pattern = try TextPattern("(\\w)(\\d)?")
    #expect(
      pattern.matches(in: "é1 x") == [.init(text: "é1", groups: ["é", "1"]), .init(text: "x", groups: ["x", ""])])
    #expect(pattern.replacing(in: "a1 b", with: "\\2$1\\\\") == "1$1\\ $1\\")
    #expect(throws: TextPatternError.self) { try TextPattern("(") }
  }
}

/// Lines of parts of a JSON text.
struct JSONPlaceTests {
  @Test func partsAreFound() {
    let text = "\n{\"a\": 1,\n \"b\\\"\": [\"x]\",\n  {\"c\": \"}\",\n \"a\": \n[]}],\n\"a\": 2}"
    func line(_ path: JSONPlace.Step...) -> Int { JSONPlace.line(of: path, in: text.utf8) }
    #expect(line() == 2 && line("a") == 7 && line("b\"") == 3 && line("b\"", 1) == 4 && line("b\"", 1, "a") == 6)
    #expect(line("b\"", 7) == 3 && line("none") == 2 && line("a", "x") == 7)
  }
}
