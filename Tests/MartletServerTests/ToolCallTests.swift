import Foundation
import MartletData
import MartletEngine
import Testing

@testable import MartletServer

/// Tool calls over sockets. The model in the box writes nonsense, which is what a grammar must be good for.
@Suite(.serialized) struct ToolCallTests {
  private func tool(_ name: String, _ parameters: String?, strict: Bool = false) -> String {
    let members = [
      "\"name\":\"\(name)\"", parameters.map { "\"parameters\":\($0)" }, strict ? "\"strict\":true" : nil,
    ].compactMap { $0 }
    return "{\"type\":\"function\",\"function\":{\(members.joined(separator: ","))}}"
  }

  /// Objects of the events of a stream.
  private func events(_ text: String) throws -> [JSONValue] {
    try text.components(separatedBy: "\n\n").filter { $0.hasPrefix("data: {") }
      .map { try JSONValue(parsing: String($0.dropFirst(6))) }
  }

  @Test func argumentsAreAlwaysAnObject() async throws {
    let schemas: [String?] = [
      nil, "null", "{}", #"{"type":"object"}"#, #"{"type":"object","properties":{}}"#, #"{"type":"string"}"#,
      #"{"type":["object","null"]}"#, #"{"properties":{"a":{"type":"boolean"}}}"#, #"{"anyOf":[{"type":"integer"}]}"#,
      #"{"type":"object","properties":{"a":{"type":"string","maxLength":3}},"required":["a"],"additionalProperties":false}"#,
      #"{"type":"object","properties":{"a":{"type":"integer","minimum":-9223372036854775808,"maximum":9223372036854775807}},"required":["a"],"additionalProperties":false}"#,
      ##"{"$ref":"#/$defs/x","$defs":{"x":{"type":"integer"}}}"##, #"{"type":"object","patternProperties":{"^a":{}}}"#,
      #"{"type":"object","properties":{"a":{"not":{}}}}"#, #"{"enum":[1,2]}"#, #"{"const":"x"}"#,
      #"{"title":"x","description":"y"}"#,
    ]
    try await withServer({ $0.sampling.temperature = 1 }) { base, _ in
      for schema in schemas {
        for (choice, bias) in [
          ("\"required\"", ""), (#"{"type":"function","function":{"name":"f"}}"#, #","logit_bias":{"49":7,"125":3}"#),
        ] {
          for seed in 0..<2 {
            let body =
              #"{"messages":[{"role":"user","content":"xyz"}],"max_tokens":150,"seed":\#(seed),"parallel_tool_calls":false,"tools":[\#(tool("f", schema))],"tool_choice":\#(choice)\#(bias)}"#
            let reply = try await call(base + "/v1/chat/completions", body)
            #expect(reply.status == 200, "\(schema ?? "") \(reply.text)")
            guard reply.body.choice?["finish_reason"] == "tool_calls" else {
              #expect(reply.body.choice?["finish_reason"] == "length", "\(reply.text)")
              continue
            }
            let calls = try #require(reply.body.choice?["message"]?["tool_calls"]?.array)
            let arguments = try #require(calls.first?["function"]?["arguments"]?.string)
            #expect(calls.count == 1 && (try? JSONValue(parsing: arguments))?.object != nil, "\(arguments)")
            #expect(reply.body.choice?["message"]?["content"] == .null)
          }
        }
      }
    }
  }

  /// Several calls, whole and as a stream, which say the same.
  @Test func severalCalls() async throws {
    let tools = [
      tool(
        "on",
        #"{"type":"object","properties":{"lamp":{"enum":["a","b"]}},"required":["lamp"],"additionalProperties":false}"#),
      tool("off", #"{"type":"object","properties":{},"additionalProperties":false}"#),
    ].joined(separator: ",")
    try await withServer({ $0.sampling.temperature = 1 }) { base, _ in
      var most = 0
      for seed in 0..<5 {
        // The line break that leads to a further call is made likely.
        let body =
          #""messages":[{"role":"user","content":"x"}],"max_tokens":200,"seed":\#(seed),"tools":[\#(tools)],"tool_choice":"required","logit_bias":{"10":5}"#
        let whole = try await call(base + "/v1/chat/completions", "{\(body)}")
        let calls = whole.body.choice?["message"]?["tool_calls"]?.array ?? []
        most = max(most, calls.count)
        #expect(Set(calls.compactMap { $0["id"]?.string }).count == calls.count)
        let stream = try await call(base + "/v1/chat/completions", "{\(body),\"stream\":true}")
        var streamed: [(id: String?, name: String, arguments: String)] = []
        var reason: String?
        for event in try events(stream.text) {
          reason = event.choice?["finish_reason"]?.string ?? reason
          for piece in event.choice?["delta"]?["tool_calls"]?.array ?? [] {
            let index = try #require(piece["index"]?.integer)
            if index == streamed.count {
              streamed.append((piece["id"]?.string, piece["function"]?["name"]?.string ?? "", ""))
            }
            streamed[index].arguments += piece["function"]?["arguments"]?.string ?? ""
          }
        }
        #expect(streamed.map(\.name) == calls.map { $0["function"]?["name"]?.string ?? "?" })
        #expect(streamed.map(\.arguments) == calls.map { $0["function"]?["arguments"]?.string ?? "?" })
        #expect(streamed.allSatisfy { $0.id?.hasPrefix("call_") == true })
        #expect(reason == whole.body.choice?["finish_reason"]?.string)
        if reason == "tool_calls" {
          for call in calls {
            #expect(try JSONValue(parsing: call["function"]?["arguments"]?.string ?? "").object != nil)
          }
        }
      }
      #expect(most > 1)
    }
  }

  @Test func aFormTogetherWithTools() async throws {
    let schema =
      #"{"type":"object","properties":{"n":{"type":"integer","minimum":1,"maximum":9}},"required":["n"],"additionalProperties":false}"#
    let form = #""response_format":{"type":"json_schema","json_schema":{"schema":\#(schema)}}"#
    try await withServer({ $0.sampling.temperature = 1 }) { base, _ in
      var texts = 0, calls = 0
      for seed in 0..<8 {
        // A < begins a call, a { the form.
        let bias = seed % 2 == 0 ? #""60":9"# : #""123":9"#
        let body =
          #"{"messages":[{"role":"user","content":"x"}],"max_tokens":300,"seed":\#(seed),"parallel_tool_calls":false,"tools":[\#(tool("f", schema))],\#(form),"logit_bias":{\#(bias)}}"#
        let reply = try await call(base + "/v1/chat/completions", body)
        #expect(reply.status == 200, "\(reply.text)")
        let message = reply.body.choice?["message"]
        switch reply.body.choice?["finish_reason"] {
        case "tool_calls":
          calls += 1
          let arguments = message?["tool_calls"]?.array?.first?["function"]?["arguments"]?.string ?? ""
          #expect((1...9).contains(try JSONValue(parsing: arguments)["n"]?.integer ?? 0))
          #expect(message?["content"] == .null)
        case "stop":
          texts += 1
          #expect(message?["tool_calls"] == nil)
          #expect((1...9).contains(try JSONValue(parsing: message?["content"]?.string ?? "")["n"]?.integer ?? 0))
        default: #expect(reply.body.choice?["finish_reason"] == "length")
        }
      }
      #expect(texts > 0 && calls > 0, "\(texts) \(calls)")
    }
  }

  /// An answer that is cut anywhere shows no piece of a call as its text, and the probabilities of the text's tokens alone.
  @Test func callsThatAreCutAreNoText() async throws {
    let tools = [
      tool("f", #"{"type":"object","properties":{"é":{"enum":["ü"]}},"required":["é"],"additionalProperties":false}"#),
      tool("g", #"{"type":"object","properties":{},"additionalProperties":false}"#),
    ].joined(separator: ",")
    let choices: [(choice: String, bias: String)] = [
      (#""required""#, #"{"10":9}"#), (#"{"type":"function","function":{"name":"f"}}"#, #"{"10":9}"#),
      // The box writes bytes: a text of one sign, and the call's mark behind it.
      (#""auto""#, #"{"60":12,"10":9,"97":8,"0":-100}"#),
    ]
    try await withServer({ $0.sampling.temperature = 1 }) { base, _ in
      var several = 0, texts = 0, cutBehindCall = 0
      for (choice, bias) in choices {
        for parallel in [true, false] {
          for most in stride(from: 1, through: 130, by: choice.contains("auto") ? 3 : 5) {
            let body =
              #""messages":[{"role":"user","content":"x"}],"max_tokens":\#(most),"n":2,"seed":\#(most),"logprobs":true,"tools":[\#(tools)],"tool_choice":\#(choice),"parallel_tool_calls":\#(parallel),"logit_bias":\#(bias)"#
            let whole = try await call(base + "/v1/chat/completions", "{\(body)}")
            #expect(whole.status == 200, "\(whole.text)")
            let stream = try events(try await call(base + "/v1/chat/completions", "{\(body),\"stream\":true}").text)
            for (index, answer) in (whole.body["choices"]?.array ?? []).enumerated() {
              let calls = answer["message"]?["tool_calls"]?.array ?? []
              let content = answer["message"]?["content"] ?? .null
              let told = answer["logprobs"]?["content"]?.array ?? []
              let text = content.string ?? ""
              #expect(!text.contains("<tool_") && !text.contains("\"name\""), "\(whole.text)")
              if choice != #""auto""# { #expect(text == "", "\(whole.text)") }
              if !calls.isEmpty, choice != #""auto""# { #expect(content == .null, "\(whole.text)") }
              #expect(told.compactMap { $0["token"]?.string }.joined() == text)
              let bytes = told.flatMap { $0["bytes"]?.array ?? [] }.compactMap(\.integer)
              // A character that is cut is no text, and its bytes are told.
              #expect(bytes.starts(with: text.utf8.map { Int($0) }), "\(whole.text)")
              several = max(several, calls.count)
              texts += text.isEmpty ? 0 : 1
              cutBehindCall += !calls.isEmpty && answer["finish_reason"] == "length" ? 1 : 0
              // The stream says the same.
              let pieces = stream.compactMap { $0.choice }.filter { $0["index"]?.integer == index }
              #expect(pieces.compactMap { $0["delta"]?["content"]?.string }.joined() == text)
              let streamed = pieces.flatMap { $0["logprobs"]?["content"]?.array ?? [] }
              #expect(streamed == told)
              let arguments = pieces.flatMap { $0["delta"]?["tool_calls"]?.array ?? [] }
                .compactMap { $0["function"]?["arguments"]?.string }.joined()
              #expect(arguments == calls.compactMap { $0["function"]?["arguments"]?.string }.joined())
            }
          }
        }
      }
      #expect(several > 1 && texts > 10 && cutBehindCall > 10, "\(several) \(texts) \(cutBehindCall)")
    }
  }

  @Test func whichToolsAreRefused() async throws {
    let any = tool("f", "{}")
    try await withServer { base, _ in
      for (member, word) in [
        (#""tools":[\#(any),\#(any)]"#, "twice"), (#""functions":[{"name":"f"},{"name":"f"}]"#, "twice"),
        (#""tools":[\#(any)],"functions":[{"name":"g"}]"#, "functions"),
        (
          #""tools":[\#(tool("f", #"{"type":"object","properties":{"a":{"type":"wrong"}}}"#, strict: true))]"#, "strict"
        ),
        (#""tools":[\#(tool("f", #"{"type":"string"}"#, strict: true))]"#, "strict"),
        (#""tools":[\#(tool("f", "[]"))]"#, "parameters"), (#""tools":[{"type":"web_search"}]"#, "function"),
        (#""tools":[{"function":{"name":"a b"}}]"#, "name"), (#""tools":[5]"#, "tools[0]"), (#""tools":{}"#, "tools"),
        (#""tools":[\#(any)],"tool_choice":"any""#, "tool_choice"), (#""tool_choice":"required""#, "tool_choice"),
        (#""tools":[\#(any)],"tool_choice":{"function":{"name":"g"}}"#, "`g`"),
        (#""tools":[\#(any)],"tool_choice":{"type":"allowed_tools","tools":[]}"#, "tool_choice"),
        (#""tools":[\#((0..<129).map { tool("f\($0)", "{}") }.joined(separator: ","))]"#, "128"),
      ] {
        let reply = try await call(base + "/v1/chat/completions", chat(member))
        let message = reply.body["error"]?["message"]?.string ?? ""
        #expect(reply.status == 400 && message.contains(word), "\(member.prefix(200)): \(reply.text)")
      }
      // Thirty tools, one of them with a keyword that is not kept to.
      let many = (0..<30).map { tool("f\($0)", $0 == 7 ? #"{"type":"object","not":{}}"# : "{}") }.joined(separator: ",")
      #expect(try await call(base + "/v1/chat/completions", chat("\"tools\":[\(many)]")).status == 200)
    }
  }

  @Test func onlyAllowedToolsAreCalled() async throws {
    let tools = ["a", "b", "c"].map { tool($0, #"{"type":"object","properties":{},"additionalProperties":false}"#) }
    let allowed =
      #"{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"b"}}]}}"#
    try await withServer({ $0.sampling.temperature = 1 }) { base, _ in
      for seed in 0..<5 {
        let body =
          #"{"messages":[{"role":"user","content":"x"}],"max_tokens":200,"seed":\#(seed),"parallel_tool_calls":false,"tools":[\#(tools.joined(separator: ","))],"tool_choice":\#(allowed)}"#
        let reply = try await call(base + "/v1/chat/completions", body)
        #expect(
          reply.body.choice?["message"]?["tool_calls"]?.array?.first?["function"]?["name"] == "b", "\(reply.text)")
      }
    }
  }

  /// `functions` and `function_call`, as they were before tools.
  @Test func theOldFormOfTools() async throws {
    let functions =
      #""functions":[{"name":"f","parameters":{"type":"object","properties":{"n":{"enum":[1,2]}},"required":["n"],"additionalProperties":false}}]"#
    try await withServer({ $0.sampling.temperature = 1 }) { base, _ in
      let body =
        #""messages":[{"role":"user","content":"x"}],"max_tokens":200,"seed":1,\#(functions),"function_call":{"name":"f"}"#
      let reply = try await call(base + "/v1/chat/completions", "{\(body)}")
      let message = reply.body.choice?["message"]
      #expect(reply.body.choice?["finish_reason"] == "function_call" && message?["tool_calls"] == nil, "\(reply.text)")
      let arguments = message?["function_call"]?["arguments"]?.string ?? ""
      #expect(message?["function_call"]?["name"] == "f")
      #expect([1, 2].contains(try JSONValue(parsing: arguments)["n"]?.integer))
      let pieces = try events(try await call(base + "/v1/chat/completions", "{\(body),\"stream\":true}").text)
        .compactMap { $0.choice?["delta"]?["function_call"] }
      #expect(pieces.first?["name"] == "f" && pieces.compactMap { $0["arguments"]?.string }.joined() == arguments)
      // Back into the conversation, as it came.
      let history =
        #"{"role":"user","content":"x"},\#(try #require(message).text),{"role":"function","name":"f","content":"2"}"#
      let next = try await call(
        base + "/v1/chat/completions", #"{"messages":[\#(history)],"max_tokens":2,\#(functions)}"#)
      #expect(next.status == 200, "\(next.text)")
      for choice in ["none", "auto"] {
        #expect(
          try await call(base + "/v1/chat/completions", chat("\(functions),\"function_call\":\"\(choice)\"")).status
            == 200)
      }
    }
  }

  /// An answer that was cut inside a call, sent back as it came.
  @Test func aCutCallDoesNotEndTheConversation() async throws {
    try await withServer({ $0.sampling.temperature = 1 }) { base, _ in
      let tools =
        #""tools":[\#(tool("f", #"{"type":"object","properties":{"text":{"type":"string","minLength":50}},"required":["text"]}"#))]"#
      let cut = try await call(
        base + "/v1/chat/completions",
        #"{"messages":[{"role":"user","content":"x"}],"max_tokens":25,\#(tools),"tool_choice":{"type":"function","function":{"name":"f"}}}"#
      )
      #expect(cut.body.choice?["finish_reason"] == "length", "\(cut.text)")
      let message = try #require(cut.body.choice?["message"])
      let arguments = message["tool_calls"]?.array?.first?["function"]?["arguments"]?.string ?? ""
      #expect(!arguments.isEmpty && (try? JSONValue(parsing: arguments)) == nil)
      let next = try await call(
        base + "/v1/chat/completions",
        #"{"messages":[{"role":"user","content":"x"},\#(message.text),{"role":"tool","tool_call_id":"c","content":"bad"}],"max_tokens":2,\#(tools)}"#
      )
      #expect(next.status == 200, "\(next.text)")
      for arguments in ["", " ", "null", "{", "[1", "nonsense", #"{\"a\": \"\u00e9"#, "5", "[]"] {
        let call1 = #"{"id":"c","type":"function","function":{"name":"f","arguments":"\#(arguments)"}}"#
        let reply = try await call(
          base + "/v1/chat/completions",
          #"{"messages":[{"role":"user","content":"x"},{"role":"assistant","content":null,"tool_calls":[\#(call1)]},{"role":"tool","content":"y"}],"max_tokens":1}"#
        )
        #expect(reply.status == 200, "\(arguments): \(reply.text)")
      }
    }
  }
}
