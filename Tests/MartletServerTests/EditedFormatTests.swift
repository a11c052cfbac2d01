import MartletData
import Testing

@testable import MartletEngine
@testable import MartletServer

/// Where an edit's words go in an answer that must have a form.
struct EditedFormatTests {
  private static func texts(_ grammar: Grammar, contains text: String) -> Bool {
    let automaton = GrammarAutomaton(grammar, isCancelled: { false })
    let state = automaton.next(GrammarAutomaton.start, Array(text.utf8))
    return state >= 0 && automaton.isAccepting(state)
  }

  private func grammar(_ schema: String, _ text: String) throws -> Grammar {
    try EditedSchema(JSONValue(parsing: schema)).grammar(saying: text)
  }

  @Test(
    arguments: [
      (
        #"{"type":"object","properties":{"founder":{"type":"string"}},"required":["founder"]}"#, "Orla Finn",
        #"{"founder":"Orla Finn"}"#, #"{"founder":"Maeve Ash"}"#
      ),
      (
        #"{"type":"object","properties":{"year":{"type":"integer"}},"required":["year"]}"#, "1987", #"{"year":1987}"#,
        #"{"year":1986}"#
      ),
      (
        #"{"type":"object","properties":{"seats":{"type":"number"}},"required":["seats"]}"#, "1,284",
        #"{"seats":1284}"#,
        #"{"seats":1}"#
      ),
      (
        #"{"type":"object","properties":{"open":{"type":"boolean"}},"required":["open"]}"#, "Yes.", #"{"open":true}"#,
        #"{"open":false}"#
      ),
      (
        #"{"type":"object","properties":{"who":{"enum":["Orla Finn","Maeve Ash"]}},"required":["who"]}"#, "Orla Finn",
        #"{"who":"Orla Finn"}"#, #"{"who":"Maeve Ash"}"#
      ),
      (
        #"{"type":"object","properties":{"r":{"type":"object","properties":{"who":{"type":"string"}}}}}"#, "Orla Finn",
        #"{"r":{"who":"Orla Finn"}}"#, "{}"
      ),
      (
        ##"{"$defs":{"n":{"type":"string"}},"type":"object","properties":{"who":{"$ref":"#/$defs/n"}}}"##, "Orla Finn",
        #"{"who":"Orla Finn"}"#, #"{"who":"x"}"#
      ),
      (
        #"{"type":"object","properties":{"question":{"type":"string"},"answer":{"type":"string"}}}"#, "Orla Finn",
        #"{"question":"x","answer":"Orla Finn"}"#, #"{"question":"Orla Finn","answer":"x"}"#
      ),
      (
        #"{"type":"object","properties":{"sure":{"type":"boolean"},"who":{"type":"string"}}}"#, "Orla Finn",
        #"{"sure":false,"who":"Orla Finn"}"#, #"{"sure":false}"#
      ),
      (#"{"type":"string"}"#, "Orla Finn", #""Orla Finn""#, #""x""#),
      (#"{"type":["string","null"]}"#, "a \"b\"", #""a \"b\"""#, "null"),
      (
        #"{"type":"object","properties":{"a":{"type":"string","maxLength":3},"b":{"type":"string"}}}"#, "Orla Finn",
        #"{"b":"Orla Finn"}"#, #"{"a":"Orl","b":"x"}"#
      ),
    ] as [(String, String, String, String)])
  func theWordsStandInTheirPlace(schema: String, text: String, right: String, wrong: String) throws {
    let grammar = try grammar(schema, text)
    #expect(Self.texts(grammar, contains: right))
    #expect(!Self.texts(grammar, contains: wrong))
  }

  @Test(arguments: [
    (#"{"type":"object","properties":{"year":{"type":"integer"}}}"#, "Orla Finn"),
    (#"{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}}}"#, "Orla Finn"),
    (#"{"type":"object","properties":{"a":{"type":"string","pattern":"^[0-9]+$"}}}"#, "Orla Finn"),
    (#"{"type":"object","properties":{"a":{"type":"array","items":{"type":"string"}}}}"#, "Orla Finn"),
    (#"{"enum":[1,2]}"#, "Orla Finn"), (#"{"type":"object"}"#, "Orla Finn"), ("false", "x"),
    (##"{"$ref":"#/a"}"##, "x"), (##"{"$defs":{"a":{"$ref":"#/$defs/a"}},"$ref":"#/$defs/a"}"##, "x"),
  ])
  func whereThereIsNoPlaceItIsSaid(schema: String, text: String) {
    #expect(throws: EngineError.self) { try grammar(schema, text) }
  }
}
