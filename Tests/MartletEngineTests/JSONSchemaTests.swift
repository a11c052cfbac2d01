import Foundation
import MartletData
import MartletTestSupport
import Testing

@testable import MartletEngine

/// A schema that is accepted is kept. `Scripts/check_schemas.py` holds many more schemas to PyPI's jsonschema; the
/// values here were checked with it too.
struct JSONSchemaTests {
  struct Case: CustomTestStringConvertible {
    let schema: String
    let accepted: [String]
    let rejected: [String]
    var testDescription: String { schema }
    init(_ schema: String, _ accepted: [String], not rejected: [String]) {
      (self.schema, self.accepted, self.rejected) = (schema, accepted, rejected)
    }
  }

  private func grammar(_ schema: String) throws -> Grammar { try .jsonSchema(JSONValue(parsing: schema)) }

  private func check(_ test: Case) throws {
    let grammar = try grammar(test.schema)
    for text in test.accepted { #expect(grammar.accepts(text), "\(text)") }
    for text in test.rejected { #expect(!grammar.accepts(text), "\(text)") }
    var walk = GrammarWalk(grammar, seed: 7)
    for _ in 0..<20 {
      let outcome = walk.next()
      if case .stuck(let text) = outcome { Issue.record("stuck behind \(text)") }
      if case .text(let text) = outcome {
        #expect(throws: Never.self, "\(text)") { try JSONValue(parsing: text) }
        #expect(!test.rejected.contains(text))
      }
    }
  }

  @Test(arguments: [
    Case(
      #"{"type":"string","enum":["a","b",3,null]}"#, [#""a""#, #""b""#], not: ["3", "null", #""c""#]),
    Case(#"{"enum":[1,2,3,4,"4"],"minimum":2,"not":{"const":3}}"#, ["2", "4", #""4""#], not: ["1", "3"]),
    Case(#"{"const":{"a":[1,{"b":null}]}}"#, [#"{"a":[1,{"b":null}]}"#, #"{"a": [1, {"b": null}]}"#], not: ["{}"]),
    Case(#"{"minimum":5,"maximum":9}"#, ["5", "9", "7.25", #""x""#, "null", "[1]"], not: ["4", "9.1", "-7"]),
    Case(#"{"required":["a"]}"#, ["1", "[]", #"{"a":1}"#, #"{"a":1,"b":2}"#], not: ["{}"]),
    Case(#"{"maxLength":2}"#, ["123", #""ab""#, "{}"], not: [#""abc""#]),
    Case(#"{"maxItems":1}"#, ["[1]", #"{"a":[1,2]}"#], not: ["[1,2]"]),
    Case(#"{"type":["integer","number"],"minimum":1}"#, ["1", "1.5"], not: ["0.5"]),
    Case(
      #"{"title":"t","description":"d","default":1,"examples":[],"$comment":"c","deprecated":true}"#, ["1"], not: []),
    Case(
      ##"{"type":"string","allOf":[{"minLength":2},{"maxLength":3},{"pattern":"^a"}]}"##, [#""ab""#],
      not: [#""a""#, #""ba""#, #""abcd""#]),
  ])
  func keywordsAreIntersected(test: Case) throws { try check(test) }

  @Test(arguments: [
    Case(
      #"{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"],"additionalProperties":{"type":"string"}}"#,
      [#"{"a":1,"b":"x"}"#, #"{"a":1,"aa":"x"}"#, #"{"a":1,"":"x"}"#],
      not: [#"{"a":1,"a":"x"}"#, #"{"a":1,"\u0061":"x"}"#, #"{"a":1,"b":2}"#]),
    Case(
      #"{"type":"object","properties":{"é":{"type":"integer"}},"additionalProperties":{"type":"string"}}"#,
      [#"{"é":1}"#, "{\"e\u{301}\":\"x\"}"], not: [#"{"é":"x"}"#, "{\"e\u{301}\":1}"]),
    Case(
      #"{"type":"object","properties":{"a":{"type":"integer"}},"required":["a","b"],"additionalProperties":{"type":"integer"}}"#,
      [#"{"a":1,"b":2}"#], not: [#"{"a":1}"#, #"{"a":1,"b":"x"}"#]),
    Case(
      #"{"type":"object","patternProperties":{"^n_":{"type":"number"},"_s$":{"type":"string"}},"additionalProperties":false,"required":["n_x"]}"#,
      [#"{"n_x":1}"#, #"{"n_x":1,"b_s":"x"}"#],
      not: [#"{"n_x":"1"}"#, #"{"n_x":1,"n_s":"x"}"#, #"{"n_x":1,"n_s":1}"#, #"{"n_x":1,"z":1}"#]),
    Case(
      #"{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer"}},"anyOf":[{"required":["a"]},{"required":["b"]}],"additionalProperties":false}"#,
      [#"{"a":1}"#, #"{"b":1}"#, #"{"a":1,"b":2}"#], not: ["{}", #""""#, #"{"c":1}"#]),
    Case(
      #"{"type":"object","properties":{"a":{"type":"integer"}},"allOf":[{"properties":{"a":{"minimum":3},"b":{"type":"string"}},"required":["b"]}]}"#,
      [#"{"a":3,"b":""}"#, #"{"b":""}"#], not: [#"{"a":2,"b":""}"#, #"{"a":3}"#]),
    Case(
      #"{"type":"object","minProperties":1,"additionalProperties":{"type":"integer"}}"#,
      [#"{"a":1}"#, #"{"a":1,"b":2}"#], not: ["{}"]),
    Case(
      #"{"type":"object","properties":{"a":true,"b":true,"c":true},"minProperties":2,"maxProperties":2,"additionalProperties":false}"#,
      [#"{"a":1,"b":2}"#, #"{"b":1,"c":2}"#, #"{"a":1,"c":2}"#], not: ["{}", #"{"a":1}"#, #"{"a":1,"b":2,"c":3}"#]),
    Case(
      #"{"type":"object","propertyNames":{"pattern":"^[a-c]+$"},"properties":{"x":true,"a":{"type":"null"}}}"#,
      [#"{"a":null}"#, "{}"], not: [#"{"x":1}"#, #"{"a":1}"#]),
    Case(
      #"{"type":"object","properties":{"card":{"type":"integer"},"address":{"type":"string"}},"dependentRequired":{"card":["address"]}}"#,
      ["{}", #"{"address":"x"}"#, #"{"card":1,"address":"x"}"#], not: [#"{"card":1}"#]),
    Case(
      #"{"type":"object","properties":{"country":{"enum":["US","DE"]},"zip":{"type":"string"}},"required":["country","zip"],"if":{"properties":{"country":{"const":"US"}}},"then":{"properties":{"zip":{"pattern":"^[0-9]{5}$"}}},"else":{"properties":{"zip":{"pattern":"^D"}}}}"#,
      [#"{"country":"US","zip":"12345"}"#, #"{"country":"DE","zip":"D1"}"#],
      not: [#"{"country":"US","zip":"D1"}"#, #"{"country":"DE","zip":"12345"}"#]),
    Case(
      #"{"type":"object","allOf":[{"properties":{"a":{"type":"integer"}},"required":["a"]}],"properties":{"b":{"type":"integer"}},"unevaluatedProperties":false}"#,
      [#"{"a":1,"b":2}"#, #"{"a":1}"#], not: [#"{"a":1,"c":2}"#, #"{"b":2}"#]),
    Case(
      #"{"type":"object","anyOf":[{"properties":{"a":{"const":1}},"required":["a"]},{"patternProperties":{"^b":{"type":"null"}},"required":["b1"]}],"unevaluatedProperties":{"type":"string"}}"#,
      [#"{"a":1,"c":"x"}"#, #"{"b1":null,"b2":null,"c":"x"}"#], not: [#"{"a":1,"c":2}"#, #"{"b1":null,"c":null}"#]),
    Case(
      #"{"type":"object","properties":{"a":{"type":"integer"}},"not":{"required":["a"]}}"#, ["{}"], not: [#"{"a":1}"#]),
  ])
  func objects(test: Case) throws { try check(test) }

  @Test(arguments: [
    Case(
      #"{"type":"array","prefixItems":[{"type":"integer"}],"items":{"type":"string"},"minItems":3}"#,
      [#"[1,"a","b"]"#, #"[1,"a","b","c"]"#], not: ["[108]", #"[1,"a"]"#, #"[1,2,3]"#, #"["a","b","c"]"#]),
    Case(
      #"{"type":"array","prefixItems":[{"type":"integer"},{"type":"null"}],"items":false}"#, ["[]", "[1]", "[1,null]"],
      not: ["[1,null,2]", "[null]"]),
    Case(
      #"{"type":"array","prefixItems":[{"type":"integer"},{"type":"null"}],"minItems":1,"maxItems":1}"#, ["[1]"],
      not: ["[]", "[1,null]"]),
    Case(
      ##"{"$schema":"http://json-schema.org/draft-07/schema#","type":"array","items":[{"type":"integer"}],"additionalItems":{"$ref":"#/definitions/s"},"definitions":{"s":{"type":"string"}}}"##,
      ["[]", "[1]", #"[1,"a"]"#], not: ["[1,2]", #"["a"]"#]),
    Case(
      #"{"type":"array","items":{"enum":["a","b","c"]},"uniqueItems":true,"minItems":2}"#,
      [#"["b","a"]"#, #"["a","b","c"]"#], not: [#"["a","a"]"#, #"["a"]"#]),
    Case(
      #"{"type":"array","items":{"enum":[1,2,3,4,5,6,7,8,9,10,11,12]},"uniqueItems":true,"minItems":2}"#,
      ["[1,12]", "[3,4,5]"], not: ["[1,1]", "[1]"]),
    Case(
      #"{"type":"array","contains":{"type":"integer"},"items":{"type":["integer","string"]},"maxItems":3}"#,
      [#"["a",1]"#, "[1]", "[1,2,3]"], not: ["[]", #"["a","b"]"#, #"["a","b","c",1]"#]),
    Case(
      #"{"type":"array","items":{"type":["integer","string"]},"contains":{"type":"integer"},"minContains":1,"maxContains":2}"#,
      [#"[1,"a",2]"#], not: ["[1,2,3]", "[]", #"["a"]"#]),
    Case(
      #"{"type":"array","allOf":[{"prefixItems":[{"type":"integer"}]}],"unevaluatedItems":{"type":"string"}}"#,
      ["[]", "[1]", #"[1,"a"]"#], not: ["[1,2]", #"["a"]"#]),
    Case(
      #"{"type":"array","items":{"type":"array","items":{"type":"integer"},"maxItems":1}}"#, ["[]", "[[1],[]]"],
      not: ["[1]", "[[1,2]]"]),
  ])
  func arrays(test: Case) throws { try check(test) }

  @Test(arguments: [
    Case(
      #"{"oneOf":[{"type":"integer","minimum":0,"maximum":10},{"type":"integer","minimum":5,"maximum":15}]}"#,
      ["0", "4", "11", "15"], not: ["5", "9", "10", "16"]),
    Case(
      #"{"oneOf":[{"type":"string","maxLength":3},{"type":"string","minLength":2}]}"#, [#""a""#, #""abcd""#],
      not: [#""ab""#, #""abc""#]),
    Case(
      #"{"oneOf":[{"type":"object","properties":{"k":{"const":"a"},"x":{"type":"integer"}},"required":["k","x"]},{"type":"object","properties":{"k":{"const":"b"}},"required":["k"]}]}"#,
      [#"{"k":"a","x":1}"#, #"{"k":"b"}"#], not: [#"{"k":"a"}"#, #"{"k":"c"}"#]),
    Case(
      #"{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer"}},"oneOf":[{"required":["a"]},{"required":["b"]}]}"#,
      [#"{"a":1}"#, #"{"b":1}"#], not: ["{}", #"{"a":1,"b":2}"#]),
    Case(#"{"not":{"type":["object","array","string"]}}"#, ["1", "null", "true"], not: ["{}", "[]", #""a""#]),
    Case(#"{"type":"integer","not":{"minimum":3,"maximum":5}}"#, ["2", "6", "-4"], not: ["3", "4", "5"]),
    Case(#"{"type":"string","not":{"enum":["a","b"]}}"#, [#""c""#, #""aa""#, #""""#], not: [#""a""#, #""b""#]),
    Case(
      #"{"type":"number","not":{"type":"integer"},"minimum":0,"maximum":2}"#, ["0.5", "1.25"], not: ["1", "1.0", "0"]),
    Case(
      ##"{"$defs":{"tree":{"type":"object","properties":{"v":{"type":"integer"},"c":{"type":"array","items":{"$ref":"#/$defs/tree"}}},"required":["v"],"additionalProperties":false}},"$ref":"#/$defs/tree","required":["c"]}"##,
      [#"{"v":1,"c":[{"v":2}]}"#], not: [#"{"v":1}"#]),
    Case(
      ##"{"type":"object","properties":{"next":{"$ref":"#"}},"required":["x"]}"##,
      [#"{"x":1}"#, #"{"next":{"x":1},"x":1}"#], not: [#"{"next":{},"x":1}"#]),
    Case(
      ##"{"properties":{"a~b":{"$ref":"#/properties/c~1d"},"c/d":{"type":"null"}},"type":"object"}"##,
      [#"{"a~b":null,"c/d":null}"#], not: [#"{"a~b":1}"#]),
    Case(
      ##"{"anyOf":[{"type":"null"},{"type":"array","items":{"$ref":"#"},"minItems":1}]}"##,
      ["null", "[null]", "[[null],null]"], not: ["[]"]),
  ])
  func choicesAndReferences(test: Case) throws { try check(test) }

  @Test(arguments: [
    Case(
      #"{"type":"integer","minimum":9223372036854775806}"#, ["9223372036854775806", "9223372036854775807"],
      not: ["9223372036854775805", "9223372036854775808"]),
    Case(
      #"{"type":"integer","maximum":-9223372036854775807}"#, ["-9223372036854775807", "-9223372036854775808"],
      not: ["-9223372036854775806", "-9223372036854775809"]),
    Case(
      #"{"type":"integer","minimum":0,"maximum":18446744073709551615}"#, ["0", "12"],
      not: ["-1", "18446744073709551616"]),
    Case(
      #"{"type":"number","minimum":0.25,"maximum":1.5}"#, ["0.25", "0.3", "1", "1.5", "1.50", "1.0", "1.49999"],
      not: ["0.2", "0.2499999", "1.51", "2", "0", "-1"]),
    Case(
      #"{"type":"number","exclusiveMinimum":0,"exclusiveMaximum":1}"#, ["0.5", "0.0001", "0.999"],
      not: ["0", "1", "0.0", "1.0", "-0.5"]),
    Case(
      #"{"type":"number","minimum":-2.5,"maximum":-0.5}"#, ["-0.5", "-1", "-2.5", "-2.25", "-0.75"],
      not: ["-0.4", "-2.6", "0", "1", "-3"]),
    Case(#"{"type":"integer","exclusiveMinimum":1.5,"maximum":4.5}"#, ["2", "3", "4"], not: ["1", "5", "2.5"]),
    Case(
      #"{"type":"integer","multipleOf":7,"minimum":-20,"maximum":30}"#, ["-14", "-7", "0", "7", "28"],
      not: ["-20", "1", "30", "35"]),
    Case(
      #"{"type":"integer","multipleOf":7}"#, ["0", "7", "-7", "700", "123456788"],
      not: ["1", "8", "-9", "123456789", "00"]),
    Case(#"{"type":"integer","multipleOf":0.25,"exclusiveMinimum":2.25}"#, ["3", "10"], not: ["2", "2.5"]),
    Case(#"{"type":"integer","multipleOf":250}"#, ["0", "250", "-750", "10000"], not: ["100", "25", "251"]),
    Case(
      #"{"type":"number","multipleOf":0.25,"minimum":0,"maximum":2}"#, ["0", "0.25", "1.75", "2"], not: ["0.3", "2.25"]),
    Case(
      #"{"type":"number","multipleOf":0.01,"minimum":0,"maximum":0.1}"#, ["0", "0.01", "0.1"], not: ["0.001", "0.07"]),
    Case(
      #"{"type":"integer","multipleOf":4,"allOf":[{"multipleOf":6}],"maximum":50,"minimum":1}"#, ["12", "24", "48"],
      not: ["4", "6", "8"]),
    Case(#"{"type":"number","minimum":1e-3}"#, ["0.001", "5", "1.5"], not: ["0.0009", "0"]),
    Case(#"{"const":1.0}"#, ["1"], not: ["2", "1.1"]),
    Case(#"{"enum":[0.1,-2.50,1e2]}"#, ["0.1", "-2.5", "100"], not: ["1"]),
    Case(#"{"type":"integer","format":"int32"}"#, ["2147483647", "-2147483648"], not: ["2147483648"]),
  ])
  func numbers(test: Case) throws { try check(test) }

  @Test(arguments: [
    Case(
      #"{"type":"string","pattern":"^[a-z]+$","minLength":5,"maxLength":8}"#, [#""abcde""#, #""abcdefgh""#],
      not: [#""ba""#, #""abcdefghi""#]),
    Case(
      #"{"type":"string","format":"date","pattern":"^2026"}"#, [#""2026-11-26""#],
      not: [#""2025-11-26""#, #""2026-13-01""#]),
    Case(
      #"{"type":"string","format":"date-time"}"#, [#""2026-11-26T10:00:00Z""#],
      not: [#""at 2026-11-26T10:00:00Z""#, #""2026-11-26""#]),
    Case(
      #"{"type":"string","maxLength":1}"#, [#""a""#, #""😀""#, #""\ud83d\ude00""#, #""\u0000""#, #""\n""#],
      not: [#""ab""#, #""\ud83d""#, #""\ud83d\ude00a""#]),
    Case(#"{"type":"string","minLength":2}"#, [#""ab""#, #""😀é""#], not: [#""😀""#, #""\ud83d\ude00""#, #""\n""#]),
    Case(
      #"{"type":"string","minLength":3,"maxLength":3,"enum":["ab","abc","abcd"]}"#, [#""abc""#],
      not: [#""ab""#, #""abcd""#]),
  ])
  func strings(test: Case) throws { try check(test) }

  /// Whole numbers and tenths between bounds, against plain comparisons.
  @Test func bounds() throws {
    var random = RandomStream(seed: 5)
    for _ in 0..<60 {
      let bounds = [Int.random(in: -400...400, using: &random), Int.random(in: -400...400, using: &random)].sorted()
      let isInteger = Bool.random(using: &random), isOpen = Bool.random(using: &random)
      let schema =
        #"{"type":"\#(isInteger ? "integer" : "number")","\#(isOpen ? "exclusiveMinimum" : "minimum")":\#(tenths(bounds[0])),"maximum":\#(tenths(bounds[1]))}"#
      guard let grammar = try? grammar(schema) else { continue }
      for value in -420...420 {
        let isInside = (isOpen ? value > bounds[0] : value >= bounds[0]) && value <= bounds[1]
        if isInteger, value % 10 != 0 { continue }
        let text = value % 10 == 0 ? "\(value / 10)" : tenths(value)
        #expect(grammar.accepts(text) == isInside, "\(schema) \(text)")
      }
    }
  }

  private func tenths(_ value: Int) -> String { "\(value < 0 ? "-" : "")\(abs(value) / 10).\(abs(value) % 10)" }

  @Test(arguments: [
    (#"{"type":"integer","minimum":5,"maximum":4}"#, "no value"),
    (#"{"type":"string","enum":[1,2]}"#, "no value"),
    (#"{"type":"object","properties":{"a":false},"required":["a"]}"#, "no value"),
    (#"{"type":"object","properties":{"a":{"type":"integer","minimum":2,"maximum":1}},"required":["a"]}"#, "no value"),
    (#"{"type":"object","required":["a"],"additionalProperties":false}"#, "no value"),
    (#"{"type":"string","minLength":3,"maxLength":2}"#, "no value"),
    (#"{"type":"array","minItems":2,"maxItems":1}"#, "no value"),
    (#"{"type":"array","prefixItems":[true,false],"minItems":2}"#, "no value"),
    (#"{"allOf":[{"type":"string"},{"type":"integer"}]}"#, "no value"),
    (#"{"type":"integer","minimum":1e30}"#, "`minimum` is 1e+30, but numbers are limited to 64 bits"),
    (##"{"$ref":"#"}"##, "`$ref`"),
    (##"{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}},"$ref":"#/$defs/a"}"##, "`$ref`"),
    (##"{"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]}"##, "no value"),
    (#"{"$ref":"https://example.com/s.json"}"#, "`$ref`"),
    (##"{"properties":{"a":{"$dynamicRef":"#x"}}}"##, "#/properties/a: `$dynamicRef`"),
    (#"{"type":"string","format":"colour"}"#, "`format`"),
    (#"{"type":"string","pattern":"("}"#, "`pattern`"),
    (#"{"type":"array","uniqueItems":true}"#, "`uniqueItems`"),
    (#"{"type":"number","multipleOf":0.01}"#, "`multipleOf`"),
    (#"{"type":"number","multipleOf":0}"#, "`multipleOf`"),
    (#"{"type":"number","exclusiveMinimum":true,"minimum":1}"#, "`exclusiveMinimum`"),
    (#"{"type":"object","minProperties":3}"#, "`minProperties`"),
    (#"{"type":"array","items":3}"#, "#/items"),
    (#"{"required":"a"}"#, "`required`"),
    (#"{"const":12345678901234567891}"#, "cannot be written exactly"),
    (#"{"not":{"type":"array","uniqueItems":true}}"#, "`not`"),
    (#"{"not":{}}"#, "no value"),
    (#"{"oneOf":[{"type":"integer"},{"type":"integer"}]}"#, "no value"),
    (#"{"oneOf":[{"type":"object"},{"type":"object","additionalProperties":{"type":"integer"}}]}"#, "`oneOf`"),
    (#"{"type":"frog"}"#, "`type`"),
    ("[]", "the schema"),
  ])
  func refusedWithItsKeyword(schema: String, part: String) throws {
    let error = #expect(throws: EngineError.self) { try grammar(schema) }
    #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
  }

  // MARK: Work without bound

  @Test func largeEnumsAreQuick() throws {
    let values = (0..<100_000).map { JSONValue.string("value number \($0)") }
    let clock = ContinuousClock()
    var grammar: Grammar?
    let time = try clock.measure {
      grammar = try .jsonSchema(["type": "string", "enum": .array(values), "maxLength": 40])
    }
    #expect(time < .seconds(2))
    #expect(grammar?.accepts(#""value number 99999""#) == true)
    #expect(grammar?.accepts(#""value number 100000""#) == false)
  }

  /// Small schemas that would expand to very much.
  @Test(arguments: [
    #"{"type":"string","pattern":"(((a?){100}){100}){100}"}"#,
    #"{"type":"string","minLength":1000000000}"#, #"{"type":"array","minItems":1000000}"#,
    #"{"type":"array","items":{"type":"array","items":{"type":"string"},"minItems":9000},"contains":{"maxItems":9001},"minContains":9000}"#,
    #"{"type":"object","properties":{"a":true},"minProperties":100000000}"#,
  ])
  func smallSchemasThatExpandAreRefused(schema: String) throws {
    let time = ContinuousClock().measure { #expect(throws: EngineError.self) { try grammar(schema) } }
    #expect(time < .seconds(3))
  }

  @Test func combinationsAreBounded() throws {
    // Ten choices of ten each, all at once.
    let choice = { (part: Int) -> JSONValue in
      ["anyOf": .array((0..<10).map { ["properties": .object(self.single("p\(part)_\($0)", ["type": "integer"]))] })]
    }
    let time = ContinuousClock().measure {
      #expect(throws: EngineError.self) {
        try Grammar.jsonSchema(["type": "object", "allOf": .array((0..<10).map(choice))])
      }
    }
    #expect(time < .seconds(3))
  }

  @Test func longChainsOfReferencesDoNotOverflow() throws {
    var definitions = JSONObject()
    for index in 0..<5000 {
      definitions.append("d\(index)", ["$ref": .string("#/$defs/d\(index + 1)")])
    }
    definitions.append("d5000", ["type": "integer"])
    #expect(throws: EngineError.self) {
      try Grammar.jsonSchema(["$defs": .object(definitions), "$ref": "#/$defs/d0"])
    }
    var nested = JSONObject()
    for index in 0..<3000 {
      nested.append(
        "d\(index)", ["type": "array", "items": ["$ref": .string("#/$defs/d\(index + 1)")]])
    }
    nested.append("d3000", ["type": "integer"])
    let grammar = try Grammar.jsonSchema(["$defs": .object(nested), "$ref": "#/$defs/d0"])
    #expect(grammar.accepts("[[[]]]") && !grammar.accepts("[1]"))
  }

  private func single(_ name: String, _ value: JSONValue) -> JSONObject {
    var object = JSONObject()
    object.append(name, value)
    return object
  }

  // MARK: Tools

  @Test(arguments: [
    (
      #"{"type":"object","properties":{"tags":{"type":"array","uniqueItems":true,"items":{"type":"string"}},"n":{"type":"integer"}},"required":["n"]}"#,
      "uniqueItems", [#"{"tags": ["a", "a"], "n": 1}"#, #"{"n": 1}"#], [#"{"n": "x"}"#, "[]"]
    ),
    (
      #"{"type":"object","properties":{"a":{"type":"string","format":"colour"}},"required":["a"]}"#, "`format`",
      [#"{"a": "red"}"#], [#"{"a": 1}"#]
    ),
    (
      #"{"type":"object","properties":{"a":{"type":"string","pattern":"("}},"required":["a"]}"#, "`pattern`",
      [#"{"a": "red"}"#], [#"{"a": 1}"#, "{}"]
    ),
    (
      #"{"type":"object","properties":{"a":{"$ref":"https://example.com/x"}}}"#, "`$ref`", [#"{"a": [1]}"#, "{}"],
      ["[]"]
    ),
    (#"{"type":"array"}"#, "the schema", [#"{"a": [1]}"#, "{}"], ["[]"]),
    (
      #"{"type":"object","properties":{"a":{"type":"integer","minimum":3,"maximum":1}},"required":["a"]}"#,
      "the schema", [#"{"a": 2}"#, "{}"], ["[]"]
    ),
  ])
  func toolsAreLoosened(schema: String, part: String, accepted: [String], rejected: [String]) throws {
    var loosened: [String] = []
    let grammar = try Grammar {
      try Grammar.toolArguments(JSONValue(parsing: schema), into: &$0, loosened: &loosened)
    }
    #expect(loosened.count == 1 && loosened.first?.contains(part) == true, "\(loosened)")
    for text in accepted { #expect(grammar.accepts(text), "\(text)") }
    for text in rejected { #expect(!grammar.accepts(text), "\(text)") }
  }

  @Test(arguments: ["{}", "true", #"{"type":"object","properties":{}}"#, #"{"properties":{"a":{"type":"null"}}}"#])
  func toolsAlwaysTakeAnObject(schema: String) throws {
    var loosened: [String] = []
    let grammar = try Grammar {
      try Grammar.toolArguments(JSONValue(parsing: schema), into: &$0, loosened: &loosened)
    }
    #expect(loosened.isEmpty)
    #expect(grammar.accepts("{}") && grammar.accepts(#"{"a": null}"#))
    for text in ["1", "[]", "null", #""a""#, "{\n}", ""] { #expect(!grammar.accepts(text), "\(text)") }
  }

  // MARK: The shared cases

  @Test(.enabled(if: TestData.shared != nil, "MARTLET_DATA names no folder with the shared data"))
  func sharedCasesAreKeptOrRefused() throws {
    let data = try #require(TestData.shared)
    let folder = URL(fileURLWithPath: data).deletingLastPathComponent().appendingPathComponent(
      "cases/inference/schemas")
    let files = (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
    #expect(!files.isEmpty)
    for file in files where file.pathExtension == "json" {
      let test = try JSONValue(parsing: Data(contentsOf: file))
      let schema = try #require(test["schema"])
      // What was answered before is no answer now.
      guard let grammar = try? Grammar.jsonSchema(schema) else {
        #expect(["ref_self.json"].contains(file.lastPathComponent), "\(file.lastPathComponent) is refused")
        continue
      }
      if let seen = test["seen"]?.string, (try? JSONValue(parsing: seen)) != nil {
        #expect(!grammar.accepts(seen), "\(file.lastPathComponent): \(seen)")
      }
      var walk = GrammarWalk(grammar, seed: 3)
      for _ in 0..<20 { if case .stuck(let text) = walk.next() { Issue.record("\(file.lastPathComponent): \(text)") } }
    }
  }
}
