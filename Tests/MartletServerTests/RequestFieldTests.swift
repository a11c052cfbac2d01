import Foundation
import MartletData
import MartletEngine
import Testing

@testable import MartletServer

/// What may stand in a request, over sockets.
@Suite(.serialized) struct RequestFieldTests {
  private let chatPath = "/v1/chat/completions"

  /// `text`, which is an object, with one more member.
  private func with(_ member: String, in text: String) -> String { String(text.dropLast()) + "," + member + "}" }

  @Test func nullMeansAbsentEverywhere() async throws {
    let routes: [(path: String, fields: RequestFields, body: String)] = [
      ("/v1/chat/completions", .chat, #"{"messages":[{"role":"user","content":"x"}],"max_tokens":1}"#),
      ("/v1/completions", .completion, #"{"prompt":"x","max_tokens":1}"#),
      ("/v1/embeddings", .embedding, #"{"input":"x"}"#), ("/tokenize", .tokenize, #"{"content":"x"}"#),
      ("/detokenize", .detokenize, #"{"tokens":[65]}"#),
    ]
    try await withServer { base, _ in
      for route in routes {
        let given = try #require(try JSONValue(parsing: route.body).object)
        let names = route.fields.known.union(RequestFields.ofOthers).sorted()
        for name in names where given[name] == nil {
          let reply = try await call(base + route.path, with("\"\(name)\":null", in: route.body))
          #expect(reply.status == 200, "\(route.path) \(name): \(reply.text)")
        }
        let all = names.filter { given[$0] == nil }.map { "\"\($0)\":null" }
        // More fields than any API has are refused, so half of them at a time.
        for half in [all.prefix(all.count / 2), all.suffix(all.count / 2)] {
          let reply = try await call(base + route.path, with(half.joined(separator: ","), in: route.body))
          #expect(reply.status == 200, "\(reply.text)")
        }
        // A field that is needed and null is missing.
        for member in given.members where member.key != "max_tokens" {
          let reply = try await call(base + route.path, with("\"\(member.key)\":null", in: route.body))
          #expect(reply.status == 400 && reply.text.contains("missing"), "\(reply.text)")
        }
      }
    }
  }

  @Test(arguments: [
    #""stream_options":{"include_usage":null},"stream":true"#, #""stream_options":{"include_usage":null}"#,
    #""response_format":{"type":"text","json_schema":null}"#,
    #""response_format":{"type":"json_object","schema":null}"#,
    #""response_format":{"type":"json_schema","json_schema":{"name":null,"strict":null,"description":null,"schema":{"type":"integer"}}}"#,
    #""logit_bias":{"5":null,"6":1}"#, #""martlet":{"skeleton":null,"events":null}"#,
    #""structured_outputs":{"json":null,"regex":null,"choice":null,"grammar":null,"json_object":null}"#,
    #""tools":[{"type":null,"function":{"name":"f","description":null,"parameters":null,"strict":null}}]"#,
    #""tools":[],"tool_choice":null"#, #""functions":[{"name":"f","description":null,"parameters":null}]"#,
    #""tools":[{"function":{"name":"f"}}],"tool_choice":{"type":"allowed_tools","mode":null,"tools":[{"type":"function","name":"f","function":null}]}"#,
  ])
  func nullMeansAbsentInside(member: String) async throws {
    try await withServer { [chatPath] base, _ in
      let reply = try await call(base + chatPath, chat(member).replacing("\"max_tokens\":12", with: "\"max_tokens\":2"))
      #expect(reply.status == 200, "\(reply.text)")
    }
  }

  @Test func nullInMessages() async throws {
    let optional = #""name":null,"refusal":null,"annotations":null,"audio":null,"function_call":null,"tool_calls":null"#
    let call1 = #"{"id":"c","type":"function","index":null,"function":{"name":"f","arguments":null}}"#
    try await withServer { [chatPath] base, _ in
      for messages in [
        #"{"role":"system","content":"s",\#(optional)},{"role":"user","content":"x",\#(optional)}"#,
        #"{"role":"user","content":"x"},{"role":"assistant","content":"hi",\#(optional)},{"role":"user","content":"y"}"#,
        #"{"role":"user","content":"x"},{"role":"assistant","content":null,"tool_calls":[\#(call1)]},{"role":"tool","tool_call_id":null,"content":null}"#,
        #"{"role":"user","content":"x"},{"role":"assistant","content":null,"function_call":{"name":"f","arguments":null}},{"role":"function","name":"f","content":null}"#,
        #"{"role":"user","content":[{"type":"text","text":"x","refusal":null,"cache_control":null}]}"#,
        #"{"role":"user","content":"x"},{"role":"assistant","content":null,"refusal":"no"},{"role":"user","content":"y"}"#,
      ] {
        let reply = try await call(base + chatPath, #"{"max_tokens":1,"messages":[\#(messages)]}"#)
        #expect(reply.status == 200, "\(messages): \(reply.text)")
      }
    }
  }

  @Test func whatIsNotDoneIsRefusedByName() async throws {
    try await withServer { base, _ in
      for (member, status) in [
        (#""grammar":"root ::= \"a\"""#, 501), (#""guided_grammar":"x""#, 501),
        (#""modalities":["text","audio"]"#, 501),
        (#""audio":{"voice":"x","format":"wav"}"#, 501), (#""prediction":{"type":"content","content":"x"}"#, 501),
        (#""web_search_options":{}"#, 501), (#""store":true"#, 501), (#""mirostat":2"#, 501),
        (#""dynatemp_range":0.5"#, 501),
        (#""xtc_probability":0.5"#, 501), (#""dry_multiplier":0.8"#, 501), (#""n_probs":5"#, 501),
        (#""include_stop_str_in_output":true"#, 501), (#""skip_special_tokens":false"#, 501),
        (#""prompt_logprobs":1"#, 501), (#""truncate_prompt_tokens":5"#, 501), (#""chat_template":"x""#, 501),
        (#""chat_template_kwargs":{"enable_thinking":true}"#, 501), (#""documents":[{"text":"x"}]"#, 501),
        (#""echo":true"#, 501), (#""best_of":3"#, 501), (#""suffix":"x""#, 501), (#""reasoning_effort":"high""#, 501),
        (#""verbosity":"low""#, 501), (#""samplers":["top_k"]"#, 501), (#""top_n_sigma":1"#, 501),
        (#""lora":[{"id":0}]"#, 501),
        (#""id_slot":1"#, 501), (#""max_new_tokens":5"#, 501), (#""num_predict":5"#, 501),
        (#""options":{"seed":1}"#, 501),
        (#""format":"json""#, 501), (#""bad_words":["x"]"#, 501), (#""allowed_token_ids":[1]"#, 501),
        (#""use_beam_search":true"#, 501), (#""structured_outputs":{"grammar":"x"}"#, 501),
        (#""structured_outputs":{"structural_tag":"x"}"#, 501), (#""prompt":"x""#, 501),
        (#""repeat_last_n":64,"repeat_penalty":1.1"#, 501), (#""temprature":1"#, 400), (#""unheard_of":{}"#, 400),
        (#""":1"#, 400),
      ] {
        let name = String(member.dropFirst().prefix { $0 != "\"" })
        let reply = try await call(base + "/v1/chat/completions", chat(member))
        let message = reply.body["error"]?["message"]?.string ?? ""
        #expect(reply.status == status && message.contains("`\(name)"), "\(member): \(reply.text)")
      }
      for (member, status) in [
        (#""messages":[]"#, 501), (#""tools":[{}]"#, 501), (#""top_logprobs":2"#, 501), (#""suffix":"x""#, 501),
        (#""best_of":2"#, 501),
        (#""grammar":"x""#, 501), (#""unheard_of":0"#, 400),
      ] {
        let reply = try await call(base + "/v1/completions", #"{"prompt":"x","max_tokens":1,\#(member)}"#)
        #expect(reply.status == status, "\(reply.text)")
      }
      #expect(try await call(base + "/v1/embeddings", #"{"input":"x","truncate_prompt_tokens":5}"#).status == 501)
      #expect(try await call(base + "/v1/embeddings", #"{"input":"x","unheard_of":5}"#).status == 400)
    }
  }

  @Test func whatChangesNothingIsAccepted() async throws {
    try await withServer { base, _ in
      for member in [
        #""user":"me","metadata":{"a":"b"},"service_tier":"auto","prompt_cache_key":"k","prompt_cache_retention":"24h""#,
        #""safety_identifier":"s","store":false,"modalities":["text"],"grammar":"","mirostat":0,"mirostat_tau":5.0"#,
        #""dynatemp_range":0.0,"dynatemp_exponent":1,"xtc_probability":0,"xtc_threshold":0.1,"dry_multiplier":0.0,"dry_base":1.75"#,
        #""n_probs":0,"skip_special_tokens":true,"include_stop_str_in_output":false,"chat_template_kwargs":{},"documents":[]"#,
        #""repeat_last_n":64,"repeat_penalty":1.0,"cache_prompt":true,"id_slot":-1,"timings_per_token":false,"echo":false,"best_of":1"#,
        #""stream_options":{"include_usage":false},"logit_bias":{},"stop":[],"tools":[],"parallel_tool_calls":true,"response_format":{"type":"text"}"#,
        #""top_logprobs":0,"logprobs":false,"max_tokens":null,"max_completion_tokens":2,"n":1,"seed":-5,"reasoning_effort":"none""#,
      ] {
        let reply = try await call(base + "/v1/chat/completions", chat(member))
        #expect(reply.status == 200, "\(member): \(reply.text)")
      }
    }
  }

  @Test func limitsOfTokens() async throws {
    try await withServer({ $0.engine.maxSequences = 4 }) { base, _ in
      func answer(_ path: String, _ body: String) async throws -> (reason: String?, tokens: Int?, text: String) {
        let reply = try await call(base + path, body)
        #expect(reply.status == 200, "\(reply.text)")
        return (
          reply.body.choice?["finish_reason"]?.string, reply.body["usage"]?["completion_tokens"]?.integer,
          reply.body.choice?["text"]?.string ?? reply.body.choice?["message"]?["content"]?.string ?? "?"
        )
      }
      let messages = #""messages":[{"role":"user","content":"x"}]"#
      // -1 asks for no limit: the answer goes to its end, or the context's.
      for member in [#""max_tokens":-1"#, #""max_completion_tokens":-1"#, #""n_predict":-1"#] {
        let chat = try await answer(
          "/v1/chat/completions", "{\(messages),\(member),\"stop\":[\"eeee\"],\"logit_bias\":{\"101\":100}}")
        #expect(chat.reason == "stop" && chat.tokens == 4)
        let stop = String(repeating: "e", count: 30)
        let long = try await answer(
          "/v1/completions", #"{"prompt":"x","stop":"\#(stop)","logit_bias":{"101":100},\#(member)}"#)
        #expect(long.reason == "stop" && long.tokens == 30)
      }
      // 0 reads the prompt.
      for (path, body) in [("/v1/chat/completions", messages), ("/v1/completions", #""prompt":"x""#)] {
        let none = try await answer(path, "{\(body),\"max_tokens\":0}")
        #expect(none.reason == "length" && none.tokens == 0 && none.text.isEmpty)
        for n in ["-2", "1.5", "\"x\"", "1e30"] {
          #expect(try await call(base + path, "{\(body),\"max_tokens\":\(n)}").status == 400)
        }
      }
      #expect(try await answer("/v1/completions", #"{"prompt":"x","max_tokens":0,"echo":true}"#).text == "x")
      // The smaller of two limits holds.
      #expect(
        try await answer(
          "/v1/completions", #"{"prompt":"x","max_tokens":9,"max_completion_tokens":2,"ignore_eos":true}"#
        ).tokens == 2)
      #expect(try await answer("/v1/completions", #"{"prompt":"x","n_predict":3,"ignore_eos":true}"#).tokens == 3)
    }
  }

  @Test func tokensThatEndAnAnswer() async throws {
    try await withServer { base, _ in
      func text(_ more: String) async throws -> (String, String?) {
        let reply = try await call(base + "/v1/completions", #"{"prompt":"ROMEO:","max_tokens":40,\#(more)}"#)
        #expect(reply.status == 200, "\(reply.text)")
        return (reply.body.choice?["text"]?.string ?? "?", reply.body.choice?["finish_reason"]?.string)
      }
      let (free, _) = try await text(#""ignore_eos":true"#)
      let bytes = Array(free.utf8)
      let stop = try #require(bytes.dropFirst(5).first { !bytes.prefix(5).contains($0) })
      let place = try #require(bytes.firstIndex(of: stop))
      for more in ["", #","ignore_eos":true"#] {
        let (cut, reason) = try await text("\"stop_token_ids\":[\(stop)]\(more)")
        #expect(Array(cut.utf8) == Array(bytes[..<place]) && reason == "stop")
      }
      // Not before so many tokens.
      let (late, _) = try await text("\"stop_token_ids\":[\(stop)],\"min_tokens\":\(place + 3)")
      #expect(late.utf8.count >= place + 3 && !late.utf8.prefix(place + 3).contains(stop))
      for wrong in [
        #""stop_token_ids":[-1]"#, #""stop_token_ids":["x"]"#, #""stop_token_ids":[999999]"#, #""min_tokens":41"#,
        #""min_tokens":-1"#,
      ] {
        #expect(try await call(base + "/v1/completions", #"{"prompt":"x","max_tokens":40,\#(wrong)}"#).status == 400)
      }
    }
  }

  @Test func formsOfAnswers() async throws {
    try await withServer { base, _ in
      let schema =
        #"{"type":"object","properties":{"a":{"type":"integer","minimum":1,"maximum":9}},"required":["a"],"additionalProperties":false}"#
      for member in [
        #""json_schema":\#(schema)"#, #""guided_json":\#(schema)"#, #""guided_json":\#(JSONValue.string(schema).text)"#,
        #""structured_outputs":{"json":\#(schema)}"#,
        #""response_format":{"type":"json_schema","json_schema":{"schema":\#(schema)}}"#,
        #""response_format":{"type":"json_object","schema":\#(schema)}"#,
      ] {
        for (path, start) in [
          ("/v1/chat/completions", #""messages":[{"role":"user","content":"x"}]"#),
          ("/v1/completions", #""prompt":"x""#),
        ] {
          let reply = try await call(base + path, "{\(start),\"max_tokens\":80,\(member)}")
          let text = reply.body.choice?["text"]?.string ?? reply.body.choice?["message"]?["content"]?.string ?? ""
          let value = try JSONValue(parsing: text)["a"]?.integer
          #expect((1...9).contains(value ?? 0), "\(member): \(reply.text)")
        }
      }
      for member in [#""guided_choice":["yes","no"]"#, #""structured_outputs":{"choice":["yes","no"]}"#] {
        let reply = try await call(base + "/v1/completions", #"{"prompt":"x","max_tokens":80,\#(member)}"#)
        #expect(["yes", "no"].contains(reply.body.choice?["text"]?.string ?? ""), "\(reply.text)")
        #expect(reply.body.choice?["finish_reason"] == "stop")
      }
      for (pattern, test) in [
        ("[A-C]{3}", /[A-C]{3}/), (#"\\d{1,3}|x\"y"#, /\d{1,3}|x"y/), ("(?:a|b)+c", /(?:a|b)+c/), ("^é{2}$", /é{2}/),
        ("a|b$", /a|b/),
        (#"[\n\\\\]{2}"#, /[\n\\]{2}/),
      ] as [(String, Regex<Substring>)] {
        for member in ["\"guided_regex\":\"\(pattern)\"", "\"structured_outputs\":{\"regex\":\"\(pattern)\"}"] {
          let reply = try await call(
            base + "/v1/completions", #"{"prompt":"x","max_tokens":99,"logit_bias":{"99":9},\#(member)}"#)
          let text = reply.body.choice?["text"]?.string ?? "?"
          #expect(reply.body.choice?["finish_reason"] != "stop" || text.wholeMatch(of: test) != nil, "\(reply.text)")
        }
      }
      for wrong in [
        #""guided_regex":"(""#, #""guided_regex":"a)(b""#, #""guided_regex":5"#,
        #""guided_regex":"(((a?){100}){100}){100}""#,
        #""guided_choice":[]"#, #""guided_choice":[1]"#, #""guided_choice":"x""#, #""guided_json":"{""#,
        #""guided_json":5"#,
        #""guided_choice":["a"],"guided_json":{}"#, #""response_format":{"type":"json_object"},"guided_choice":["a"]"#,
        #""response_format":{"type":"xml"}"#, #""response_format":{}"#, #""response_format":{"type":"json_schema"}"#,
        #""response_format":{"type":"json_schema","json_schema":{"schema":{"type":"wrong"}}}"#,
        #""response_format":{"type":"json_schema","json_schema":{"schema":{"type":"string","minLength":3,"maxLength":1}}}"#,
      ] {
        let reply = try await call(base + "/v1/chat/completions", chat(wrong))
        #expect(reply.status == 400, "\(wrong): \(reply.text)")
      }
    }
  }
}
