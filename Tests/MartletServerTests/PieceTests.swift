import Foundation
import MartletData
import MartletEngine
import MartletModels
import MartletTestSupport
import Testing

@testable import MartletServer

struct PieceTests {
  private let calls =
    "Sure: <tool_cal no.\n<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": \"}\\\"{\", \"b\": [1, {\"c\": 2}]}}\n</tool_call>\n<tool_call>\n{\"name\": \"g\", \"arguments\": {}}\n</tool_call>"

  @Test(arguments: [1, 2, 3, 5, 11, 500]) func toolCallsAreTakenApartAtAnyCut(size: Int) {
    var reader = ToolCallReader()
    var text = "", names: [String] = [], arguments: [Int: String] = [:]
    let all = Array(calls)
    var pieces: [ToolCallReader.Piece] = []
    for start in stride(from: 0, to: all.count, by: size) {
      pieces += reader.push(String(all[start..<min(all.count, start + size)]))
    }
    pieces += reader.finish(isCut: false)
    for piece in pieces {
      switch piece.content {
      case .text(let more): text += more
      case .begin(let call, let name):
        #expect(call == names.count)
        names.append(name)
      case .arguments(let call, let more): arguments[call, default: ""] += more
      case .layout: break
      }
    }
    #expect(pieces.reduce(0) { $0 + $1.length } == calls.utf8.count)
    #expect(text == "Sure: <tool_cal no.\n")
    #expect(names == ["f", "g"])
    #expect(arguments == [0: #"{"a": "}\"{", "b": [1, {"c": 2}]}"#, 1: "{}"])
  }

  @Test func callsAreWrittenAsTheyAreRead() throws {
    let history = try JSONValue(
      parsing: #"[{"id":"x","type":"function","function":{"name":"f","arguments":"{\"b\": 1, \"a\": 2}"}}]"#)
    let calls = try FieldReader(["tool_calls": history], place: "messages[0]", parameter: "messages")
    let text = try ToolUse.write(calls: try #require(try calls.objects("tool_calls")))
    #expect(text == "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"b\":1,\"a\":2}}\n</tool_call>")
    var reader = ToolCallReader()
    #expect(
      reader.push(text).map(\.content) == [
        .layout, .begin(call: 0, name: "f"), .arguments(call: 0, #"{"b":1,"a":2}"#), .layout,
      ])
  }

  /// A grammar of calls lets text through, and calls that are whole.
  @Test func theGrammarOfCalls() throws {
    func grammar(_ choice: JSONValue, parallel: Bool = true) throws -> (Grammar, String) {
      let object: JSONValue = [
        "tools": [
          [
            "type": "function",
            "function": [
              "name": "f",
              "parameters": ["type": "object", "properties": ["x": ["type": "integer"]], "required": ["x"]],
            ],
          ]
        ], "tool_choice": choice, "parallel_tool_calls": .bool(parallel),
      ]
      let use = try ToolUse(FieldReader(try #require(object.object)))
      var loosened: [String] = []
      return (try #require(try use.grammar(loosened: &loosened)), use.begun)
    }
    let call = "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"x\": 1}}\n</tool_call>"
    let (auto, _) = try grammar("auto")
    for text in ["", "Hello < <tool> there", call, "Text " + call, call + "\n" + call, "<<tool_call"] {
      #expect(auto.accepts(text), "\(text)")
    }
    for text in ["<tool_call>", call + " more", "<tool_call>\n{\"name\": \"g\"", call.replacing("1", with: "\"1\"")] {
      #expect(!auto.accepts(text), "\(text)")
    }
    let (single, _) = try grammar("auto", parallel: false)
    #expect(!single.accepts(call + "\n" + call))
    let (required, begun) = try grammar("required")
    #expect(call.hasPrefix(begun) && required.accepts(String(call.dropFirst(begun.count))))
    let (named, start) = try grammar(["type": "function", "function": ["name": "f"]])
    #expect(call.hasPrefix(start) && named.accepts(String(call.dropFirst(start.count))))
  }

  private func probability(_ text: [UInt8]) -> TokenProbability {
    TokenProbability(chosen: .init(token: 0, logProbability: -1, bytes: text), alternatives: [])
  }

  @Test func tokensJoinToTheText() {
    var ledger = TokenLedger(skipsSpace: true)
    // é comes in two tokens; the text waits for the second.
    for bytes in [Array(" a".utf8), [0xc3], [0xa9], Array("bc".utf8), Array("de".utf8)] {
      ledger.add(probability(bytes))
    }
    let first = ledger.take("aéb".utf8.count)
    #expect(first.map(\.text) == ["a", "", "é"])
    // A stop string cuts inside a token.
    #expect(ledger.take(1).map(\.text) == ["bc"])
    #expect(ledger.take(1).isEmpty)
    #expect(ledger.finish().map(\.text) == ["d"])
  }

  /// Wherever an answer with calls is cut, its text is a beginning of the text before the calls, the tokens that are told
  /// join to it, and each has the bytes of its own.
  @Test(arguments: [1, 2, 3, 7, 40]) func cutCallsAreNoText(size: Int) {
    let all = Array(calls)
    let isText = "Sure: <tool_cal no.\n".count
    for end in 0...all.count {
      var reader = ToolCallReader(), ledger = TokenLedger(skipsSpace: false)
      var text = "", told: [TokenLedger.Entry] = []
      func give(_ pieces: [ToolCallReader.Piece]) {
        for piece in pieces {
          if case .text(let more) = piece.content {
            text += more
            told += ledger.take(piece.length)
          } else {
            told += ledger.take(piece.length, isShown: false)
          }
        }
      }
      for start in stride(from: 0, to: end, by: size) {
        let token = String(all[start..<min(end, start + size)])
        ledger.add(probability(Array(token.utf8)))
        give(reader.push(token))
      }
      give(reader.finish(isCut: true))
      told += ledger.finish()
      // Where it is cut, five signs of the first call's mark may be text, and more are taken for a call.
      let least = "<tool_".count
      var expected = String(all[..<(end < isText + least ? end : isText)])
      if let mark = (least...10).first(where: { expected.hasSuffix("<tool_call>".prefix($0)) }) {
        expected.removeLast(mark)
      }
      #expect(text == expected, "\(size) \(end)")
      #expect(told.map(\.text).joined() == text, "\(size) \(end)")
      for (index, entry) in told.enumerated() {
        let own = Array(String(all[index * size..<min(end, (index + 1) * size)]).utf8)
        #expect(entry.probability.chosen.bytes == own, "\(size) \(end)")
      }
      // An answer that ends by itself inside a mark meant it as text, unless there was a call already.
      if end > isText, end < isText + 11 {
        var reader = ToolCallReader()
        let pieces = reader.push(String(all[..<end])) + reader.finish(isCut: false)
        let text = pieces.map { if case .text(let text) = $0.content { text } else { "" } }.joined()
        #expect(text == String(all[..<end]), "\(end)")
      }
    }
  }

  @Test func messagesOfEveryForm() throws {
    func read(_ text: String) throws -> [ChatMessage] {
      try ChatMessages.read(
        try #require(try FieldReader(["m": try JSONValue(parsing: text)], place: "", parameter: "m").objects("m")))
    }
    #expect(
      try read(
        #"[{"role":"developer","content":"a"},{"role":"system","content":"b"},{"role":"user","content":[{"type":"text","text":"x"},{"type":"text","text":"y"}]}]"#
      )
        == [ChatMessage(.system, "a\n\nb"), ChatMessage(.user, "x\ny")])
    #expect(
      try read(
        #"[{"role":"user","content":"q"},{"role":"assistant","content":null,"tool_calls":[{"function":{"name":"f","arguments":""}}]},{"role":"tool","content":"1"},{"role":"tool","content":"2"}]"#
      )
      .last == ChatMessage(.user, "<tool_response>\n1\n</tool_response>\n<tool_response>\n2\n</tool_response>"))
    for bad in [
      "[1]", "[{}]", #"[{"role":5,"content":"x"}]"#, #"[{"role":"user"}]"#, #"[{"role":"user","content":{}}]"#,
      #"[{"role":"assistant"}]"#, #"[{"role":"user","content":[{"type":"image_url"}]}]"#,
      #"[{"role":"x","content":""}]"#,
      #"[{"role":"user","content":[5]}]"#,
      #"[{"role":"assistant","tool_calls":[{"function":{"arguments":"{}"}}]}]"#,
    ] { #expect(throws: APIError.self, "\(bad)") { try read(bad) } }
  }

  /// Requests with fields of every wrong kind are read or refused, never more.
  @Test func mutatedRequestsAreReadOrRefused() throws {
    let fields = [
      "model", "messages", "temperature", "top_p", "top_k", "n", "stop", "stream", "stream_options", "seed", "logprobs",
      "top_logprobs", "logit_bias", "max_tokens", "max_completion_tokens", "response_format", "tools", "tool_choice",
      "martlet", "presence_penalty", "frequency_penalty", "user", "parallel_tool_calls", "continue_final_message",
      "min_p", "max_tokens", "functions", "function_call", "guided_json", "structured_outputs", "json_schema",
      "min_tokens", "stop_token_ids", "penalty_decay", "repeat_last_n", "grammar", "mirostat", "store", "unheard_of",
    ]
    let values = [
      "null", "true", "1", "-1", "0.5", "1e300", "9223372036854775807", "\"x\"", "\"\"", "[]", "{}", "[1]", "[[]]",
      "[null]",
      "{\"a\":1}", "{\"type\":\"json_schema\",\"json_schema\":{\"schema\":{\"type\":\"array\"}}}",
      "[{\"role\":\"user\",\"content\":\"x\"}]", "{\"1\":1}", "{\"include_usage\":1}", "[{\"type\":\"function\"}]",
      "\"required\"", "{\"skeleton\":\"on\"}", "[{\"role\":\"assistant\",\"tool_calls\":{}}]",
      "[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{\"type\":\"object\"}}}]",
    ]
    var random = RandomStream(seed: 9)
    var read = 0
    for _ in 0..<5_000 {
      var parts = ["\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]"]
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        parts.append("\"\(fields.randomElement(using: &random) ?? "")\":\(values.randomElement(using: &random) ?? "")")
      }
      let object = try #require(try JSONValue(parsing: "{\(parts.joined(separator: ","))}").object)
      do {
        let chat = try ChatRequest(object, defaults: Sampling(), mostChoices: 16, vocabularySize: 100)
        try chat.settings.sampling.validate()
        var loosened: [String] = []
        _ = try chat.tools.grammar(format: chat.settings.format, loosened: &loosened)
        read += 1
      } catch is APIError {}
    }
    #expect(read > 100 && read < 5_000)
  }
}
