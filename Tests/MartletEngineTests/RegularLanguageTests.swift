import Foundation
import MartletData
import MartletTestSupport
import Testing

@testable import MartletEngine

struct RegularLanguageTests {
  /// What `Scripts/make_regex_fixture.py` has written.
  private struct Fixture: Decodable {
    struct Case: Decodable { let pattern: String, accepted: [String], refused: [String] }
    struct Format: Decodable { let format: String, valid: [String], invalid: [String] }
    let patterns: [Case]
    let formats: [Format]

    static func load() throws -> Fixture {
      let url = URL(fileURLWithPath: TestData.fixtures + "/regular_expressions.json")
      return try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: url))
    }
  }

  // MARK: patterns

  /// PyPI's `regex` is the judge: 381 patterns, each with texts that it matches and texts that it does not.
  @Test func patternsMatchWhatTheirJudgeMatches() throws {
    let cases = try Fixture.load().patterns
    #expect(cases.count > 350)
    for test in cases {
      let language = try RegularLanguage(pattern: test.pattern)
      for text in test.accepted { #expect(language.contains(text), "\(test.pattern) has \(text.debugDescription)") }
      for text in test.refused { #expect(!language.contains(text), "\(test.pattern) has not \(text.debugDescription)") }
    }
  }

  /// The same of JSON strings: what is generated decodes to a text of the language, and nothing is escaped twice.
  @Test func drawnStringsDecodeToTextsOfTheLanguage() throws {
    var random = RandomStream(seed: 5)
    for test in try Fixture.load().patterns where !test.accepted.isEmpty {
      let language = try RegularLanguage(pattern: test.pattern)
      let grammar = try Grammar { try language.jsonString(into: &$0) }
      for _ in 0..<4 {
        guard let text = drawn(from: grammar, &random) else { continue }
        let value = try #require(try JSONValue(parsing: text).string, "\(test.pattern): \(text)")
        #expect(language.contains(value), "\(test.pattern): \(value.debugDescription)")
      }
      for text in test.refused { #expect(!grammar.accepts(JSONValue.string(text).text), "\(test.pattern): \(text)") }
    }
  }

  /// A random text of a grammar that ends soon, or nil.
  private func drawn(from grammar: Grammar, _ random: inout RandomStream) -> String? {
    let automaton = GrammarAutomaton(grammar)
    var state = GrammarAutomaton.start
    var bytes: [UInt8] = []
    let soon = Int.random(in: 1...30, using: &random)
    while automaton.canContinue(state), bytes.count < 500 {
      var next = (UInt8.min...UInt8.max).filter { automaton.next(state, $0) >= 0 }
      if bytes.count > soon, next.contains(0x22) { next = [0x22] }
      // Half of the time plain letters, which lead on more often than the many bytes beyond ASCII.
      let plain = next.filter { (0x21...0x7e).contains($0) }
      if Bool.random(using: &random), !plain.isEmpty { next = plain }
      guard let byte = next.randomElement(using: &random) else { return nil }
      bytes.append(byte)
      state = automaton.next(state, byte)
    }
    return automaton.isAccepting(state) ? String(decoding: bytes, as: UTF8.self) : nil
  }

  @Test(arguments: [
    ("^\\p{Lu}\\p{L}*$", ["Émile", "A"], ["émile", "A1", ""]), ("^[\\p{L}\\d]+$", ["é1", "字"], ["-", " "]),
    ("^\\P{L}+$", ["1-"], ["a", "1é"]), ("^[^\\p{N}]$", ["a"], ["1", "٣", "½"]),
    ("^\\p{Letter}\\p{gc=Nd}\\p{General_Category=Sc}$", ["a1€", "é٣$"], ["a1x"]),
    ("^[\\p{Lu}\\p{Nd}_-]+$", ["A1_-"], ["a"]), ("^\\p{Alphabetic}\\p{White_Space}$", ["a\u{a0}"], ["1 "]),
    ("^\\p{Emoji_Presentation}+$", ["😀"], ["a"]), ("^\\ud83d\\ude00$", ["😀"], ["a"]),
    ("^[\\ud83d\\ude00-\\ud83d\\ude4f]$", ["😀", "\u{1f64f}"], ["\u{1f650}"]),
    ("^[^\\ud800-\\udfff]$", ["a", "😀"], [""]),
    ("^(?P<year>\\d{4})$", ["2024"], ["24"]), ("^[a-\\d]+$", ["a-1"], ["b"]),
  ])
  func propertiesAndSurrogates(pattern: String, inside: [String], outside: [String]) throws {
    let language = try RegularLanguage(pattern: pattern)
    for text in inside { #expect(language.contains(text), "\(text)") }
    for text in outside { #expect(!language.contains(text), "\(text)") }
  }

  /// Whatever a pattern breaks off in, it is an error or a language, never a trap.
  @Test func patternsThatBreakOffAreRefused() {
    for pattern in [
      "(?<n)", "(?P<n)", "(?<", "(?", "(?<=", "(?<n", "(?P", "[", "[^", "[a-", "\\", "\\p", "\\p{", "\\u{",
    ] {
      #expect(throws: EngineError.self, "\(pattern)") { try RegularLanguage(pattern: pattern) }
    }
    let whole = "^(?<n>a[^\\d\\p{L}-]{2,3}|(?=b)(?!c)\\bx\\u{1f600}\\x41\\cA)*?(?:d|)$"
    for length in 0..<whole.unicodeScalars.count {
      _ = try? RegularLanguage(pattern: String(whole.unicodeScalars.prefix(length)))
    }
    #expect(throws: EngineError.self) { try RegularLanguage(pattern: String(repeating: "[^\\p{Alpha}]", count: 2_000)) }
  }

  /// Each is refused with a sentence that holds the words given.
  @Test(arguments: [
    ("(a", "without its )"), ("a)", "without its ("), ("[a", "without its ]"), ("a\\", "ends with a backslash"),
    ("*a", "nothing to repeat"), ("a**", "second repetition"), ("a++", "second repetition"),
    ("^*", "matches no characters"),
    ("(?=a)*", "matches no characters"), ("a{3,2}", "wrong order"), ("a{,3}", "{0,n}"),
    ("(a)\\1", "has a back-reference"),
    ("(?<n>a)\\k<n>", "has a back-reference"), ("(?i)a", "not supported"), ("(?>a)", "not supported"),
    ("(?#x)", "not supported"),
    ("\\A1", "write ^"), ("a\\Z", "write $"), ("\\q", "\\q"), ("\\x4", "hexadecimal"), ("\\u12", "hexadecimal"),
    ("\\u{110000}", "not a character"), ("\\ud800", "surrogate"), ("[\\ud800-\\udbff]", "surrogate"),
    ("[b-a]", "a range in the wrong order"),
    ("[]", "empty"), ("[^]", "empty"), ("\\p{Klingon}", "unknown property"), ("\\pL", "without {"), ("\\01", "octal"),
    ("\\c1", "\\c"), ("(?<>a)", "name"), ("(?<n", "name"), ("abc[z-a]", "character 5"),
  ])
  func whatIsNotUnderstoodIsNamed(pattern: String, words: String) {
    let error = #expect(throws: EngineError.self) { try RegularLanguage(pattern: pattern) }
    #expect(error?.description.contains(words) == true, "\(pattern): \(error?.description ?? "")")
    #expect(error?.description.contains("at character") == true)
  }

  // MARK: budgets

  /// Small texts that would be huge work end at once with the limit and the cure.
  @Test(
    .timeLimit(.minutes(1)),
    arguments: [
      "(((a?){100}){100}){100}", "((((a{1,9}){1,9}){1,9}){1,9}){1,9}", "^(a|b)*a(a|b){30}$", "a.{25}b", "a{50001}",
      "a{99999999999999999999}", "^(?=.*a.{20}b)(?=.*c.{20}d).*$", "^(?:(?=(a|b)*a(a|b){20}c)[abc])*$", "(?<!a.{30})b$",
      "(.*)(.*)(.*)[ab].{18}(.*)$", "(?!(a|b)*a(a|b){22}$)x*(a|b)*", String(repeating: "(", count: 200_000),
      String(repeating: "(?:", count: 5000) + String(repeating: ")", count: 5000),
      String(repeating: "(?=", count: 200) + String(repeating: ")", count: 200),
    ])
  func workIsBounded(pattern: String) {
    let clock = ContinuousClock()
    var error: EngineError?
    let time = clock.measure { error = #expect(throws: EngineError.self) { try RegularLanguage(pattern: pattern) } }
    #expect(time < .seconds(10), "\(time)")  // tenths of a second on a quiet machine
    #expect(
      error.map {
        $0.description.contains("smaller counts") || $0.description.contains("at character")
          || $0.description.contains("counts smaller") || $0.description.contains("characters; at most")
      } == true)
  }

  /// What looks as bad and is not: copies of what may be left out are told apart by the first alone.
  @Test(arguments: [
    ("^(\\w+ ?){1,200}$", "a bc d", ""), ("^([A-Z][a-z]*\\s?){1,50}$", "Ab Cd", "ab"), ("^(a*)*$", "aaa", "b"),
    ("^((a?){50}){100}$", "aaa", "b"), ("^(?:(?:a|b)?c?){0,300}$", "acbc", "d"), ("^.{0,15000}$", "abc", "a\nb"),
    ("^(([a-z])+.)+[A-Z]([a-z])+$", "ab.Cd", "ab"), ("^(a|a?)+$", "aa", "b"), ("^(x+x+)+y$", "xxy", "xy"),
  ])
  func ambiguousPatternsStaySmall(pattern: String, inside: String, outside: String) throws {
    let language = try RegularLanguage(pattern: pattern)
    #expect(language.contains(inside) && !language.contains(outside))
  }

  // MARK: operations

  /// Against the same operations on whether random texts are inside.
  @Test func operationsAreThoseOfSets() throws {
    var random = RandomStream(seed: 11)
    let patterns = ["^a*b$", "ab", "^(?=.*b).{2,4}$", "^[^b]*$", "\\ba", "^(?:ab|ba)*$", "^\\W*$", "^.{3}$"]
    let languages =
      try patterns.map { try RegularLanguage(pattern: $0) } + [
        try RegularLanguage.length(2...3), .length(atLeast: 3), .literals(["", "ab", "abc", "b-", "ab"]), .literals([]),
      ]
    let texts = (0..<300).map { _ in
      String((0..<Int.random(in: 0...5, using: &random)).map { _ in "ab-é".randomElement(using: &random) ?? "a" })
    }
    for (index, first) in languages.enumerated() {
      let complement = try first.complement(), twice = try complement.complement()
      for text in texts {
        #expect(complement.contains(text) != first.contains(text), "\(index) \(text)")
        #expect(twice.contains(text) == first.contains(text), "\(index) \(text)")
      }
      #expect(try first.intersection(complement).isEmpty)
      #expect(try first.union(complement).complement().isEmpty)
      for (other, second) in languages.enumerated() {
        let both = try first.intersection(second), either = try first.union(second)
        for text in texts {
          #expect(both.contains(text) == (first.contains(text) && second.contains(text)), "\(index) \(other) \(text)")
          #expect(either.contains(text) == (first.contains(text) || second.contains(text)), "\(index) \(other) \(text)")
        }
      }
    }
  }

  @Test func patternWithLengths() throws {
    let letters = try RegularLanguage(pattern: "^[a-z]+$").intersection(.length(5...8))
    for (text, isInside) in [
      ("abcd", false), ("abcde", true), ("abcdefgh", true), ("abcdefghi", false), ("ABCDE", false),
    ] {
      #expect(letters.contains(text) == isInside)
    }
    #expect(try RegularLanguage(pattern: "^a{3}$").intersection(.length(atLeast: 4)).isEmpty)
    #expect(
      try RegularLanguage.length(3...2_000).intersection(.length(2_000...9_000)).contains(
        String(repeating: "x", count: 2_000)))
    #expect(throws: EngineError.self) { try RegularLanguage.length(0...Int.max) }
    #expect(throws: EngineError.self) { try RegularLanguage.length(atLeast: 1 << 40) }
    // Lengths are of code points: an emoji of one, a letter with a combining accent of two.
    #expect(try RegularLanguage.length(1...1).contains("😀") && !RegularLanguage.length(1...1).contains("e\u{301}"))
  }

  /// Where dialects read a letter differently, both must accept what is generated.
  @Test(arguments: [
    ("^\\W$", "-", "é"), ("^\\S$", "a", "\u{85}"), ("^\\D$", "a", "٣"), ("^[^\\w]$", "-", "字"),
    ("^\\s$", " ", "\u{feff}"),
    ("^.\\b.$", "a-", "é-"), ("^(?!\\d).$", "a", "٣"), ("^(?!.*a$)[a\\n]*$", "", "a\n"),
  ])
  func contestedCharactersAreNotGenerated(pattern: String, shared: String, contested: String) throws {
    let language = try RegularLanguage(pattern: pattern)
    let grammar = try Grammar { try language.jsonString(into: &$0) }
    #expect(grammar.accepts(JSONValue.string(shared).text))
    #expect(!grammar.accepts(JSONValue.string(contested).text))
  }

  /// The same for what is not in a language whose own reading did not matter.
  @Test func complementsKeepToBothReadings() throws {
    let grammar = try Grammar { try RegularLanguage(pattern: "^\\d$").complement().jsonString(into: &$0) }
    #expect(grammar.accepts("\"a\"") && !grammar.accepts("\"1\"") && !grammar.accepts("\"٣\""))
    #expect(
      !(try Grammar { try RegularLanguage(pattern: "^a$").complement().jsonString(into: &$0) }).accepts("\"a\\n\""))
  }

  // MARK: JSON strings

  @Test func stringsAreEscapedWhereTheyMustBe() throws {
    let all = try RegularLanguage.length(0...3)
    let grammar = try Grammar { try all.jsonString(into: &$0) }
    for value in Array(0...0x17f) + [0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x3ffff, 0x40000, 0x10ffff] {
      let text = String(try #require(Unicode.Scalar(UInt32(value))))
      #expect(grammar.accepts(JSONValue.string(text).text), "\(value)")
    }
    for text in [
      "\"\n\"", "\"\u{1}\"", "\"\\ud800\"", "\"\\u0041\"", "\"\"\"", "\"\\\"", "\"abcd\"", "\"\\/\"", "ab", "\"ab",
    ] { #expect(!grammar.accepts(text), "\(text)") }
    #expect(throws: EngineError.self) { try Grammar { try RegularLanguage.literals([]).jsonString(into: &$0) } }
  }

  /// Surrogates in UTF-8, bytes that are too long or beyond Unicode are never followed.
  @Test func onlyWholeCharactersAreFollowed() throws {
    let automaton = GrammarAutomaton(try Grammar { try RegularLanguage.length(1...1).jsonString(into: &$0) })
    for bytes in [
      [0xed, 0xa0, 0x80], [0xc0, 0x80], [0xe0, 0x9f, 0xbf], [0xf0, 0x8f, 0xbf, 0xbf], [0xf4, 0x90, 0x80, 0x80], [0x80],
      [0xff],
    ] as [[UInt8]] {
      #expect(automaton.next(automaton.next(GrammarAutomaton.start, 0x22), bytes) < 0, "\(bytes)")
    }
  }

  // MARK: formats

  /// PyPI's jsonschema is the judge: a format's language holds nothing that it refuses.
  @Test func formatsHoldOnlyWhatTheirJudgeHolds() throws {
    for test in try Fixture.load().formats {
      let language = try #require(try RegularLanguage.format(test.format), "\(test.format)")
      for text in test.invalid { #expect(!language.contains(text), "\(test.format): \(text)") }
      #expect(test.valid.filter(language.contains).count * 2 > test.valid.count, "\(test.format)")
    }
  }

  @Test func allFormatsAreMade() throws {
    for name in StringFormat.names { #expect(try RegularLanguage.format(name)?.isEmpty == false, "\(name)") }
    #expect(try RegularLanguage.format("fax-number") == nil)
    let date = try #require(try RegularLanguage.format("date"))
    for text in ["2024-02-29", "2000-02-29", "2023-12-31", "0001-01-01"] { #expect(date.contains(text)) }
    for text in ["2023-02-29", "1900-02-29", "2024-04-31", "0000-01-01", "2024-00-10", "20240101"] {
      #expect(!date.contains(text))
    }
  }
}
