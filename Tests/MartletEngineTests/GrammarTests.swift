import Foundation
import MartletData
import Testing

@testable import MartletEngine

struct GrammarTests {
  private func accepts(_ grammar: Grammar, _ text: String) -> Bool { grammar.accepts(text) }

  private func schema(_ text: String) throws -> Grammar { try .jsonSchema(JSONValue(parsing: text)) }

  @Test func anyObject() throws {
    let grammar = try Grammar.jsonObject()
    for text in ["{}", #"{"a": [1, -2.5e3, "x\n", {"b": null}], "c": true}"#, "{\n  \"a\": 1\n}"] {
      #expect(accepts(grammar, text), "\(text)")
    }
    for text in ["", "[]", "{", "{\"a\":1,}", "{\"a\" 1}", "{\"a\": 01}", "{} ", "{\"a\": \"\u{1}\"}"] {
      #expect(!accepts(grammar, text), "\(text)")
    }
  }

  @Test func propertiesInOrderAndRequired() throws {
    let grammar = try schema(
      #"{"type":"object","properties":{"b":{"type":"integer"},"a":{"type":"string"},"c":{"type":"boolean"}},"required":["a"],"additionalProperties":false}"#
    )
    for text in [#"{"a":"x"}"#, #"{"b": 1, "a": ""}"#, #"{"b":1,"a":"é","c":true}"#, #"{"a":"","c":false}"#] {
      #expect(accepts(grammar, text), "\(text)")
    }
    for text in [#"{}"#, #"{"b":1}"#, #"{"a":"x","b":1}"#, #"{"a":"x","d":1}"#, #"{"a":1}"#, #"{"b":1.5,"a":""}"#] {
      #expect(!accepts(grammar, text), "\(text)")
    }
  }

  @Test func additionalProperties() throws {
    let grammar = try schema(
      #"{"type":"object","properties":{"a":{"type":"integer"}},"additionalProperties":{"type":"boolean"}}"#)
    #expect(accepts(grammar, #"{"a":1,"x":true,"y":false}"#))
    #expect(accepts(grammar, #"{"x":true}"#))
    #expect(accepts(grammar, "{}"))
    #expect(!accepts(grammar, #"{"a":1,"x":1}"#))
  }

  @Test func referencesAndRecursion() throws {
    let grammar = try schema(
      ##"{"$defs":{"node":{"type":"object","properties":{"v":{"type":"integer"},"next":{"anyOf":[{"$ref":"#/$defs/node"},{"type":"null"}]}},"required":["v","next"]}},"$ref":"#/$defs/node"}"##
    )
    #expect(accepts(grammar, #"{"v":1,"next":{"v":2,"next":null}}"#))
    #expect(!accepts(grammar, #"{"v":1,"next":{"v":2}}"#))
    // A definition that is only itself means nothing, and must not run for ever.
    #expect(throws: EngineError.self) {
      try schema(##"{"$defs":{"x":{"$ref":"#/$defs/x"}},"$ref":"#/$defs/x"}"##)
    }
  }

  @Test func countsPatternsAndBounds() throws {
    #expect(accepts(try schema(#"{"type":"array","items":{"type":"integer"},"minItems":2,"maxItems":3}"#), "[1, 2]"))
    #expect(!accepts(try schema(#"{"type":"array","items":{"type":"integer"},"minItems":2}"#), "[1]"))
    #expect(!accepts(try schema(#"{"type":"array","items":{"type":"integer"},"maxItems":3}"#), "[1,2,3,4]"))
    let text = try schema(#"{"type":"string","minLength":2,"maxLength":3}"#)
    #expect(accepts(text, "\"é\\n\"") && !accepts(text, "\"a\"") && !accepts(text, "\"abcd\""))
    let pattern = try schema(#"{"type":"string","pattern":"^(\\d{3}-)?[a-f]+x?$"}"#)
    #expect(accepts(pattern, "\"123-abcx\"") && accepts(pattern, "\"a\"") && !accepts(pattern, "\"12-a\""))
    let open = try schema(#"{"type":"string","pattern":"ab"}"#)
    #expect(accepts(open, "\"xxabyy\"") && !accepts(open, "\"ba\""))
    let date = try schema(#"{"type":"string","format":"date"}"#)
    #expect(accepts(date, "\"2026-11-24\"") && !accepts(date, "\"2026-13-24\""))
    #expect(accepts(try schema(#"{"enum":["a",1,null,{"x":2}]}"#), #"{"x":2}"#))
    #expect(accepts(try schema(#"{"type":["string","null"]}"#), "null"))
  }

  @Test(arguments: [(0, 100), (-17, 5), (1, 1), (98, 1203), (-250, -99), (0, 9)])
  func integerBoundsAreExact(low: Int, high: Int) throws {
    let grammar = try schema(#"{"type":"integer","minimum":\#(low),"maximum":\#(high)}"#)
    for value in -300...1300 { #expect(accepts(grammar, "\(value)") == (low...high).contains(value), "\(value)") }
  }

  @Test func numberBoundsStayInside() throws {
    let grammar = try schema(#"{"type":"number","minimum":0,"maximum":1}"#)
    for text in ["0", "1", "0.5", "0.0001"] { #expect(accepts(grammar, text)) }
    for text in ["1.5", "-0.5", "2", "1.01"] { #expect(!accepts(grammar, text)) }
  }

  @Test(arguments: [
    #"{"type":"strin"}"#, "3", #"{"not":{}}"#, #"{"type":"string","pattern":"(?=a)b"}"#, #"{"$ref":"http://x"}"#,
    ##"{"$ref":"#/none"}"##, #"{"enum":[]}"#, #"{"minItems":-1,"type":"array"}"#, #"{"maxLength":1e9,"type":"string"}"#,
    #"{"type":"integer","minimum":5,"maximum":4}"#, #"{"properties":[]}"#, #"{"type":"string","pattern":"["}"#,
    #"{"type":"string","pattern":"a{9999}"}"#, #"{"type":[]}"#, #"{"anyOf":{}}"#,
  ])
  func badSchemasAreRefused(text: String) { #expect(throws: EngineError.self) { try schema(text) } }

  @Test func hugeSchemasAreRefused() throws {
    var properties = JSONObject()
    for index in 0..<5000 {
      properties.append("p\(index)", ["type": "string", "minLength": 500, "maxLength": .integer(2000 + index)])
    }
    #expect(throws: EngineError.self) {
      try Grammar.jsonSchema(["type": "object", "properties": .object(properties)])
    }
  }

  /// Whatever is drawn from a grammar is JSON that fits the schema.
  @Test func drawnTextsParse() throws {
    let grammar = try schema(
      #"{"type":"object","properties":{"n":{"type":"number"},"s":{"type":"string","maxLength":8},"l":{"type":"array","items":{"enum":["x","y"]},"maxItems":3}},"required":["n","s","l"]}"#
    )
    var random = RandomStream(seed: 3)
    for _ in 0..<200 {
      let automaton = GrammarAutomaton(grammar)
      var state = GrammarAutomaton.start
      var bytes: [UInt8] = []
      while automaton.canContinue(state), bytes.count < 2000 {
        if automaton.isAccepting(state), Bool.random(using: &random) { break }
        let next = (0...255).map(UInt8.init).filter { automaton.next(state, $0) >= 0 }
        let byte = try #require(next.randomElement(using: &random))
        bytes.append(byte)
        state = automaton.next(state, byte)
      }
      guard automaton.isAccepting(state) else { continue }
      let value = try JSONValue(parsing: bytes)
      #expect(value.object?.members.map(\.key) == ["n", "s", "l"])
      #expect((value["s"]?.string?.unicodeScalars.count ?? 99) <= 8)
    }
  }
}
