import Foundation
import MartletData
import MartletEngine
import MartletTestSupport
import Testing

@testable import MartletServer

/// What answers say of themselves, over sockets.
@Suite(.serialized) struct AnswerTests {
  /// Bytes that the end cuts off from their character are no text, whatever ends the answer.
  @Test func noAnswerEndsInsideACharacter() async throws {
    try await withServer { base, _ in
      for (first, count) in [(0xc3, 1), (0xe4, 1), (0xf0, 1)] {
        for stream in [false, true] {
          let member =
            #""max_tokens":\#(count),"logit_bias":{"\#(first)":100},"logprobs":true,"top_logprobs":2,"stream":\#(stream)"#
          let reply = try await call(
            base + "/v1/chat/completions", chat(member).replacing("\"max_tokens\":12,", with: ""))
          #expect(reply.status == 200 && !reply.text.contains("\u{fffd}"), "\(reply.text)")
          guard !stream else { continue }
          #expect(reply.body.choice?["message"]?["content"] == "" && reply.body.choice?["finish_reason"] == "length")
          let tokens = reply.body.choice?["logprobs"]?["content"]?.array ?? []
          #expect(tokens.count == 1 && tokens.first?["bytes"] == [.integer(first)] && tokens.first?["token"] == "")
          #expect(tokens.first?["top_logprobs"]?.array?.count == 2)
        }
        let reply = try await call(
          base + "/v1/completions",
          #"{"prompt":"x","max_tokens":\#(count),"logprobs":1,"logit_bias":{"\#(first)":100}}"#)
        #expect(reply.body.choice?["text"] == "" && !reply.text.contains("\u{fffd}"), "\(reply.text)")
        #expect(reply.text.contains("bytes:\\\\x\(String(first, radix: 16))"), "\(reply.text)")
      }
    }
  }

  @Test func promptsAreToldWithTheirProbabilities() async throws {
    try await withServer { base, _ in
      func logProbabilities(_ body: String) async throws -> (JSONValue, JSONValue) {
        let reply = try await call(base + "/v1/completions", body)
        #expect(reply.status == 200, "\(reply.text)")
        let choice = try #require(reply.body.choice)
        return (choice, try #require(choice["logprobs"]))
      }
      for most in [0, 1] {
        let (choice, told) = try await logProbabilities(
          #"{"prompt":[72,101,108,195,169],"max_tokens":\#(most),"echo":true,"logprobs":5,"ignore_eos":true}"#)
        #expect(choice["text"]?.string?.hasPrefix("Helé") == true)
        let count = 5 + most
        for name in ["tokens", "token_logprobs", "top_logprobs", "text_offset"] {
          #expect(told[name]?.array?.count == count, "\(name)")
        }
        #expect(told["token_logprobs"]?.array?.first == .null && told["top_logprobs"]?.array?.first == .null)
        for place in 1..<count {
          let top = try #require(told["top_logprobs"]?.array?[place].object)
          let name = try #require(told["tokens"]?.array?[place].string)
          let own = try #require(told["token_logprobs"]?.array?[place].number)
          #expect((2...6).contains(top.members.count))
          #expect(top.members.allSatisfy { ($0.value.number ?? 1) <= 0 })
          if place < 5 { #expect(top[name]?.number == own, "\(name)") }
        }
        #expect(told["tokens"]?.array?.prefix(5) == ["H", "e", "l", "bytes:\\xc3", "bytes:\\xa9"])
        #expect(told["text_offset"]?.array?.prefix(5) == [0, 1, 2, 3, 3])
      }
      // The same in a stream, and the same as when the answer's own tokens are told.
      let body = #""prompt":"ROMEO:","max_tokens":4,"echo":true,"logprobs":2,"ignore_eos":true"#
      let (_, whole) = try await logProbabilities("{\(body)}")
      let stream = try await call(base + "/v1/completions", "{\(body),\"stream\":true}")
      let pieces = try stream.text.components(separatedBy: "\n\n").filter { $0.hasPrefix("data: {") }
        .map { try JSONValue(parsing: String($0.dropFirst(6))) }.compactMap { $0.choice?["logprobs"] }
      for name in ["tokens", "token_logprobs", "top_logprobs", "text_offset"] {
        #expect(pieces.flatMap { $0[name]?.array ?? [] } == whole[name]?.array, "\(name)")
      }
      // What a prompt's end says of the next token is what the answer's first token has.
      let answer = try await call(
        base + "/v1/completions", #"{"prompt":"ROMEO","max_tokens":1,"logprobs":3,"logit_bias":{"58":100}}"#)
      let generated = try #require(answer.body.choice?["logprobs"]?["token_logprobs"]?.array?.first?.number)
      let continued = try #require(whole["token_logprobs"]?.array?[5].number)
      #expect(abs(generated - continued) < 1e-4)
    }
  }

  @Test func aPromptOfOneTokenHasSeveralAnswers() async throws {
    try await withServer { base, _ in
      let reply = try await call(
        base + "/v1/completions", #"{"prompt":[65],"n":3,"max_tokens":12,"temperature":1.5,"seed":4,"ignore_eos":true}"#
      )
      let texts = (reply.body["choices"]?.array ?? []).compactMap { $0["text"]?.string }
      #expect(texts.count == 3 && Set(texts).count > 1, "\(reply.text)")
      #expect(reply.body["choices"]?.array?.compactMap { $0["index"]?.integer } == [0, 1, 2])
      #expect(reply.body["usage"]?["completion_tokens"] == 36)
    }
  }

  /// What is said several times to one prompt is what is said to it alone with the same seed: free and by a schema, hot and cold,
  /// whole and streamed. More answers than run together are one request in the queue.
  @Test(
    arguments: [0.05, 1.5],
    [
      "", #","response_format":{"type":"json_schema","json_schema":{"schema":{"enum":["ab","cd","xyz"]}}}"#,
    ])
  func choicesAreThoseOfSingleRequests(temperature: Double, format: String) async throws {
    @Sendable func texts(_ reply: JSONValue) -> [Int: String] {
      (reply["choices"]?.array ?? []).reduce(into: [:]) {
        $0[$1["index"]?.integer ?? -1, default: ""] += $1["text"]?.string ?? ""
      }
    }
    try await withServer({ ($0.engine.maxSequences, $0.engine.maxWaiting) = (2, 1) }) { base, _ in
      @Sendable func body(_ count: Int, seed: Int, _ more: String = "") -> String {
        #"{"prompt":"ROMEO: what say you to this?","n":\#(count),"seed":\#(seed),"max_tokens":12,"temperature":\#(temperature)\#(format)\#(more)}"#
      }
      var alone: [Int: String] = [:]
      for choice in 0..<5 {
        alone[choice] = texts(try await call(base + "/v1/completions", body(1, seed: 7 + choice)).body)[0]
      }
      let together = try await call(base + "/v1/completions", body(5, seed: 7))
      #expect(together.status == 200 && texts(together.body) == alone, "\(together.text)")
      let streamed = try await call(base + "/v1/completions", body(5, seed: 7, #","stream":true"#))
      let events = streamed.text.components(separatedBy: "\n\n").filter { $0.hasPrefix("data: {") }
      let parts = try events.map { try texts(JSONValue(parsing: String($0.dropFirst(6)))) }
      #expect(parts.reduce(into: [:]) { $0.merge($1) { $0 + $1 } } == alone, "\(streamed.text)")
    }
  }

  /// Penalties fade: with a decay of 0 only the last token counts.
  @Test func penaltiesFade() async throws {
    try await withServer { base, _ in
      func text(_ more: String) async throws -> String {
        let reply = try await call(
          base + "/v1/completions", #"{"prompt":"ROMEO:","max_tokens":60,"ignore_eos":true\#(more)}"#)
        #expect(reply.status == 200, "\(reply.text)")
        return reply.body.choice?["text"]?.string ?? ""
      }
      let penalty = #","frequency_penalty":2"#
      let full = try await text(penalty), faded = try await text(penalty + #","penalty_decay":0"#)
      #expect(full != faded)
      #expect(try await text(penalty + #","penalty_decay":1"#) == full)
      #expect(try await call(base + "/v1/completions", #"{"prompt":"x","penalty_decay":1.5}"#).status == 400)
    }
  }

  /// The cases that users of other servers met.
  @Test(.enabled(if: TestData.shared != nil, "MARTLET_DATA names no folder with the shared data")) func casesOfOthers()
    async throws
  {
    let data = try #require(TestData.shared)
    let folder = URL(fileURLWithPath: data).deletingLastPathComponent().appendingPathComponent("cases/inference/http")
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".json") }
    #expect(!files.isEmpty)
    try await withServer { base, _ in
      for file in files.sorted() {
        let item = try JSONValue(parsing: Data(contentsOf: folder.appendingPathComponent(file)))
        let reply = try await call(base + (item["post"]?.string ?? ""), item["body"]?.text ?? "")
        #expect(reply.status == 200, "\(file): \(reply.text)")
        let choice = try #require(reply.body.choice, "\(file)")
        #expect(choice["finish_reason"]?.string.map { ["stop", "length", "tool_calls"].contains($0) } == true)
        if item["body"]?["response_format"] != nil, choice["finish_reason"] == "stop" {
          _ = try JSONValue(parsing: choice["message"]?["content"]?.string ?? "")
        }
        if item["body"]?["tool_choice"] == "required", choice["finish_reason"] == "tool_calls" {
          let arguments = choice["message"]?["tool_calls"]?.array?.first?["function"]?["arguments"]?.string ?? ""
          #expect(try JSONValue(parsing: arguments).object != nil)
        }
        if let content = choice["logprobs"]?["content"]?.array {
          #expect(content.compactMap { $0["token"]?.string }.joined() == choice["message"]?["content"]?.string)
        }
        if let top = choice["logprobs"]?["top_logprobs"]?.array {
          #expect(top.first == .null && top.count > 1 && top.dropFirst().allSatisfy { $0.object != nil })
        }
      }
      #expect(try await call(base + "/health").status == 200)
    }
  }
}
