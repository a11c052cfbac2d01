import Foundation
import MartletData
import Testing

@testable import MartletReasoning

@Suite struct InstructionRuleTests {
  @Test(arguments: [
    (InstructionRule.capitals, ["A SHEEP.", "1. SHEEP"], ["A sheep.", "123"]),
    (.lowercase, ["a river runs.", "über"], ["A river.", "123"]),
    (.words(1...1), ["cold", " Cold. ", "**cold**"], ["It is cold", "…"]),
    (.words(40...10_000), [String(repeating: "word ", count: 40)], ["too few words"]),
    (
      .sentences(2), ["It is hot. It is good.", "Hot! Is it \"good?\"", "It costs 3.50 here. Fine."],
      ["It is hot.", "One. Two. Three.", "One. Two. And"]
    ),
    (
      .lines(3, .number), ["1. pear\n2. plum\n\n3) fig", " 1: a\n 2: b\n 3: c"],
      ["pear\nplum\nfig", "1. pear\n2. plum", "Here:\n1. a\n2. b\n3. c"]
    ),
    (.lines(2, .bullet), ["- rest\n- health", "* a\n• b"], ["1. rest\n2. health", "- rest"]),
    (.lines(2, .none), ["Ada\nGrace"], ["- Ada\n- Grace", "Ada, Grace"]),
    (.contains(["lamp", "Bridge"]), ["The bridge had a lamp."], ["The bridge."]),
    (.without(["the"]), ["Other houses breathe."], ["In The house."]), (.without([","]), ["No marks."], ["One, two."]),
    (.begins("Dear friend"), ["Dear friend, how are you?"], ["My dear friend"]),
    (.ends("The end."), ["It rained. The end.\n"], ["The end. Bye."]),
    (.quoted, ["\"Good luck!\"", "“Luck.”"], ["Good luck", "\"Good\" luck"]),
    (.digits, ["7", "7.", "-3.5", "1,000"], ["seven", "7 days"]),
    (.oneOf(["yes", "no"]), ["Yes.", "no"], ["Yes, it is."]),
    (.json(["name"]), ["{\"name\": \"Rex\"}"], ["{\"dog\": \"Rex\"}", "Rex", "Here: {\"name\": 1}"]),
  ])
  func rulesLookAtTheForm(rule: InstructionRule, fulfilling: [String], others: [String]) {
    for text in fulfilling { #expect(rule.isFulfilled(by: text), "\(text)") }
    for text in others + ["", " \n"] { #expect(!rule.isFulfilled(by: text), "\(text)") }
  }

  @Test func shippedInstructionsAreRead() throws {
    let check = try InstructionCheck.shipped
    #expect(check.instructions.count >= 40)
    let question = try #require(check.questions.first { $0.id == "one-word-opposite" })
    #expect(check.isFulfilled(question, by: "Cold."))
    #expect(!check.isFulfilled(question, by: "It is cold."))
  }

  @Test(arguments: [
    (#"{"instructions":[]}"#, "instructions"),
    (#"{"instructions":[{"id":"a","instruction":"Hi","rule":{"kind":"capital"}}]}"#, "capital"),
    (#"{"instructions":[{"id":"a","instruction":"Hi","rule":{"kind":"words","most":0}}]}"#, "line 1"),
    (#"{"instructions":[{"id":"a","instruction":"Hi","rule":{"kind":"lines","count":2}}]}"#, "mark"),
  ])
  func badFilesAreNamed(text: String, part: String) {
    do {
      _ = try InstructionCheck(Array(text.utf8), of: "own.json")
      Issue.record("it was read")
    } catch {
      #expect("\(error)".contains("own.json") && "\(error)".contains(part), "\(error)")
    }
  }
}
