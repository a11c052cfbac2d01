import Testing

@testable import MartletEngine

struct RegularLanguageTests {
  @Test(arguments: [
    ("^[a-z]+$", ["a", "abc"], ["", "A", "a1", "a\n"]),
    ("ab", ["ab", "xxabyy"], ["ba", ""]),
    ("^$|^[a-z]{3}$", ["", "abc"], ["ab", "abcd"]),
    ("^a|b$", ["ax", "xb"], ["xa", "bx"]),
    ("^[\\S]{3,8}$", ["abc", "é字!"], ["a b", "ab"]),
    ("^\\d+\\$", ["12$", "1$x"], ["12", "$"]),
    ("^[^\\n]+$", ["n", "abc"], ["\n", "a\nb"]),
    ("^[\\x41-\\x43]{2,4}$", ["AB", "CCCC"], ["A", "AD", "ABABA"]),
    ("^(?=.*\\d)(?=.*[a-z]).{4,}$", ["abc1", "1aaa"], ["abcd", "1234", "a1"]),
    ("^(?!admin$)[a-z]+$", ["adminx", "a"], ["admin"]),
    ("\\bfoo\\b", ["foo", "a foo!", "(foo)"], ["food", "afoo", "foo_"]),
    ("^(?:(?!--)[a-z-])*$", ["a-b", "-"], ["a--b"]),
    ("^[a-z0-9-]{1,5}(?<!-)$", ["a", "a-b"], ["a-"]),
    ("^\\p{Lu}\\p{L}*$", ["Émile", "A"], ["émile", "A1"]),
    ("^[\\u4e00-\\u9fff]+$", ["漢字"], ["a", ""]),
    ("^(?!.*\\bfoo\\b).*$", ["food", ""], ["a foo", "foo"]),
  ])
  func patterns(pattern: String, inside: [String], outside: [String]) throws {
    let language = try RegularLanguage(pattern: pattern)
    for text in inside { #expect(language.contains(text), "\(pattern): \(text)") }
    for text in outside { #expect(!language.contains(text), "\(pattern): \(text)") }
    let grammar = try Grammar { try language.jsonString(into: &$0) }
    for text in inside { #expect(grammar.accepts(JSONValue.string(text).text), "\(pattern): \(text)") }
    for text in outside { #expect(!grammar.accepts(JSONValue.string(text).text), "\(pattern): \(text)") }
  }
}
