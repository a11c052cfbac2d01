import MartletData
import MartletTestSupport
import Testing

@testable import MartletEngine

/// The work that one request's grammar may take, over everything that it asks for together.
struct GrammarWorkTests {
  private func object(_ count: Int, _ schema: (Int) -> JSONValue) -> JSONValue {
    var properties = JSONObject()
    for index in 0..<count { properties.append("p\(index)", schema(index)) }
    return ["type": "object", "properties": .object(properties), "additionalProperties": false]
  }

  private func letters(_ count: Int, _ random: inout RandomStream) -> String {
    String((0..<count).map { _ in "abcdefghij".randomElement(using: &random) ?? "a" })
  }

  /// Each alone is taken; many together are not.
  @Test func heavyPartsShareOneAccount() throws {
    let kinds: [(name: String, count: Int, schema: (Int) -> JSONValue)] = [
      (
        "lookahead", 400,
        {
          [
            "type": "string",
            "pattern": .string("^(?=.*[a-z])(?=.*[A-Z])(?=.*\\d)(?=.*[^\\w]).{8,\(20 + $0)}$"),
          ]
        }
      ),
      ("exponential", 400, { ["type": "string", "pattern": .string("^(a|b)*a(a|b){\(8 + $0 % 4)}\($0)$")] }),
      ("long", 2_000, { ["type": "string", "pattern": .string("^\(String(repeating: "ab\($0)", count: 1_200))$")] }),
      ("classes", 400, { ["type": "string", "pattern": .string("^[\\p{L}\\p{N}]{1,9}[^\\p{Lu}\\u\(1_000 + $0)]*$")] }),
      ("format", 600, { ["type": "string", "format": "uri", "minLength": .integer(10 + $0)] }),
      ("list", 300, { index in ["enum": .array((0..<3_000).map { .string("\(index)-\($0)") })] }),
      ("numbers", 300, { index in ["enum": .array((0..<6_000).map { .integer($0 * index) })] }),
      ("multiples", 2_000, { ["type": "integer", "multipleOf": .integer(101 + $0 % 200), "minimum": .integer($0)] }),
      ("denied", 400, { ["type": "string", "not": ["pattern": .string("(a|b)*a(a|b){\(7 + $0 % 4)}c\($0)")]] }),
    ]
    for kind in kinds {
      _ = try Grammar.jsonSchema(object(1, kind.schema))
      let work = GrammarWork()
      let error = #expect(throws: (any Error).self, "\(kind.name)") {
        try GrammarWork.$current.withValue(work) { try Grammar.jsonSchema(object(kind.count, kind.schema)) }
      }
      #expect(error is GrammarWorkExceeded || error is EngineError, "\(kind.name)")
      #expect(work.count <= GrammarWork.mostSteps + 1, "\(kind.name)")
      if let exceeded = error as? GrammarWorkExceeded {
        #expect(exceeded.description.contains("\(GrammarWork.mostSteps) steps"))
      } else {
        #expect("\(error.map { "\($0)" } ?? "")".contains("more than"), "\(kind.name) \(error.map { "\($0)" } ?? "")")
      }
    }
  }

  /// Whatever stands beside whatever: it ends, within the account, as a grammar or with a reason.
  @Test func hostileSchemasEnd() {
    var random = RandomStream(seed: 3)
    func reference(_ index: Int) -> JSONValue { ["$ref": .string("#/$defs/d\(index)")] }
    func definitions(_ count: Int, _ schema: (Int) -> JSONValue) -> JSONValue {
      var all = JSONObject()
      for index in 0..<count { all.append("d\(index)", schema(index)) }
      return ["$defs": .object(all), "$ref": "#/$defs/d0"]
    }
    let words = (0..<20_000).map { _ in letters(9, &random) }
    let alternatives = JSONValue.string("^(\(words.prefix(900).joined(separator: "|")))*$")
    var names: JSONValue = ["type": "integer"]
    for _ in 0..<28 {
      var properties = JSONObject()
      properties.append(letters(50_000, &random), names)
      names = ["properties": .object(properties)]
    }
    var patterns = JSONObject()
    for word in words.prefix(40) { patterns.append("^.{0,40}\(word)", ["type": "integer"]) }
    let schemas: [JSONValue] = [
      definitions(2_000) { index in object(20) { reference((index * 7 + $0) % 2_000) } },
      definitions(40) { $0 == 39 ? ["type": "string"] : ["allOf": [reference($0 + 1), reference($0 + 1)]] },
      definitions(3_000) { $0 == 2_999 ? .bool(true) : ["items": reference($0 + 1), "minItems": 1] },
      ["enum": .array(words.map(JSONValue.string)), "pattern": alternatives],
      ["not": ["enum": .array(words.map(JSONValue.string))], "type": "string"],
      ["anyOf": .array((0..<500).map { part in ["enum": .array(words[part..<part + 300].map(JSONValue.string))] })],
      ["allOf": .array((0..<300).map { bound in object(200) { ["minimum": .integer($0 + bound)] } })],
      ["oneOf": .array((0..<100).map { part in object(30) { ["const": .integer($0 * part)] } })],
      ["type": "array", "uniqueItems": true, "items": ["enum": .array((0..<250).map { .integer($0) })]],
      ["anyOf": .array((0..<900).map { ["minimum": .integer($0 * 3), "maximum": .integer($0 * 3 + 1)] })],
      ["const": names], names,
      ["patternProperties": .object(patterns)],
      object(40_000) { ["minimum": .integer($0)] },
    ]
    for (index, schema) in schemas.enumerated() {
      let work = GrammarWork()
      do {
        _ = try GrammarWork.$current.withValue(work) { try Grammar.jsonSchema(schema) }
      } catch {
        #expect(error is GrammarWorkExceeded || error is EngineError, "\(index)")
      }
      #expect(work.count <= GrammarWork.mostSteps + 1, "\(index)")
    }
  }

  /// What people send costs a small part of what there is.
  @Test func ordinarySchemasCostLittle() throws {
    let work = GrammarWork()
    let schema = object(40) { index in
      [
        ["type": "string", "format": "date-time"], ["type": "string", "pattern": "^[A-Z]{2}-\\d{4}$"],
        ["enum": ["red", "green", "blue"]],
        ["type": "array", "items": ["type": "integer", "minimum": 0, "maximum": 99]],
        ["type": "string", "minLength": 1, "maxLength": 100],
      ][index % 5]
    }
    _ = try GrammarWork.$current.withValue(work) { try Grammar.jsonSchema(schema) }
    #expect(work.count > 1_000 && work.count < GrammarWork.mostSteps / 40, "\(work.count)")
  }

  @Test func aCancelledTaskEndsTheWork() async throws {
    let schema = object(400) { ["type": "string", "pattern": .string("^(a|b)*a(a|b){12}\($0)$"), "minLength": 3] }
    let task = Task { try await Grammar.compiling { try Grammar.jsonSchema(schema) } }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    // An error of its own comes through, and so does what is made.
    await #expect(throws: EngineError.self) {
      try await Grammar.compiling { try Grammar.jsonSchema(["type": "wrong"]) }
    }
    let grammars = try await withThrowingTaskGroup(of: Bool.self) { group in
      for number in 0..<20 {
        group.addTask {
          let grammar = try await Grammar.compiling { try Grammar.jsonSchema(["const": .integer(number)]) }
          return grammar.accepts("\(number)") && !grammar.accepts("\(number + 1)")
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(grammars == [Bool](repeating: true, count: 20))
  }

  @Test func boundsBeyondWhatIsWrittenAreSaid() {
    for (schema, word) in [
      (["type": "number", "minimum": 1e308], "#"), (["type": "integer", "maximum": -1e300], "`maximum`"),
      (["type": "integer", "exclusiveMinimum": 1.1805916207174113e21], "9223372036854775807"),
      (
        ["properties": ["a": ["type": "number", "minimum": 1e19]], "required": ["a"], "type": "object"],
        "#/properties/a"
      ),
    ] as [(JSONValue, String)] {
      let error = #expect(throws: EngineError.self) { try Grammar.jsonSchema(schema) }
      let text = error?.description ?? ""
      #expect(text.contains("64 bits") && (word == "#" || text.contains(word)), "\(text)")
    }
    // Beside other types the bound does not matter.
    #expect(throws: Never.self) { try Grammar.jsonSchema(["type": ["number", "null"], "minimum": 1e308]) }
  }

  // MARK: how long texts can be

  @Test(
    arguments: [
      (#"{"const":"abc"}"#, 5), (#"{"enum":["a","abcd",12]}"#, 6), (#"{"type":"boolean"}"#, 5),
      (#"{"type":"string"}"#, nil), (#"{"type":"integer","minimum":-5,"maximum":100}"#, 3), (#"{"const":[]}"#, nil),
      (#"{"type":"string","pattern":"^a{2,7}$"}"#, 9), (#"{"type":"string","pattern":"^(ab|c)*$"}"#, nil),
      (#"{"anyOf":[{"const":1},{"const":true}]}"#, 4), (#"{"type":"null"}"#, 4), ("{}", nil),
      (
        ##"{"$defs":{"n":{"anyOf":[{"type":"array","items":{"$ref":"#/$defs/n"}},{"const":1}]}},"$ref":"#/$defs/n"}"##,
        nil
      ),
    ] as [(String, Int?)])
  func theLongestText(schema: String, longest: Int?) throws {
    let grammar = try Grammar.jsonSchema(JSONValue(parsing: schema))
    // Arrays and objects have some space between their signs, of which there are a number at most.
    if schema == #"{"const":[]}"# {
      #expect(grammar.longestText ?? 0 > 2 && grammar.longestText ?? .max < 100)
    } else {
      #expect(grammar.longestText == longest, "\(schema)")
    }
  }

  /// Rules that name each other, against the texts that are found by trying.
  @Test func theLongestTextOfRandomGrammars() throws {
    var random = RandomStream(seed: 21)
    var finite = 0, endless = 0
    for _ in 0..<600 {
      let count = Int.random(in: 1...4, using: &random)
      let grammar = try? Grammar { grammar in
        let rules = try (0..<count).map { _ in try grammar.declare() }
        for rule in rules {
          let choices = (0..<Int.random(in: 1...2, using: &random)).map { _ in
            Grammar.Expression.sequence(
              (0..<Int.random(in: 0...2, using: &random)).map { _ in
                Bool.random(using: &random) ? .literal("x") : rules.randomElement(using: &random) ?? rules[0]
              })
          }
          try grammar.define(rule, .choice(choices))
        }
        return rules[0]
      }
      guard let grammar else { continue }
      let lengths = (0...40).filter { grammar.accepts(String(repeating: "x", count: $0)) }
      if let longest = grammar.longestText {
        #expect(lengths.last == longest)
        finite += 1
      } else {
        #expect((lengths.last ?? 0) > 16, "\(lengths)")
        endless += 1
      }
    }
    #expect(finite > 50 && endless > 50, "\(finite) \(endless)")
  }

  @Test func bytesThatNobodyWritesAreLeftOut() throws {
    let grammar = try Grammar { grammar in try RegularLanguage(pattern: "^(a-|-b|[a-]{2}|cd)$").text(into: &grammar) }
    var letters = ByteSet(UInt8(ascii: "a")...UInt8(ascii: "z"))
    let restricted = try grammar.restricted(to: letters)
    for text in ["aa", "cd"] { #expect(restricted.accepts(text)) }
    for text in ["a-", "-b", "--", "-a"] {
      #expect(!restricted.accepts(text) && grammar.accepts(text) == (text != "x"))
    }
    letters = ByteSet(of: "xyz")
    let error = #expect(throws: EngineError.self) { try grammar.restricted(to: letters) }
    #expect(error?.description.contains("0x2d, 0x61") == true, "\(error?.description ?? "")")
    #expect(throws: Never.self) { try grammar.restricted(to: ByteSet(0...255)) }
  }
}
