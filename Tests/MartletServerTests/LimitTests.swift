import Foundation
import Logging
import MartletData
import MartletEngine
import MartletModels
import NIOCore
import NIOEmbedded
import Testing

@testable import MartletServer

/// What a server does at its limits: addresses, places for connections, work for one request.
@Suite(.serialized) struct LimitTests {
  private func refusal(host: String, port: Int) async -> String {
    var configuration = ServerConfiguration()
    (configuration.host, configuration.port) = (host, port)
    let server = ModelServer(configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }) {
      Issue.record("the model is loaded before the address is had")
      throw ModelError("not now")
    }
    do {
      try await server.run { _ in Issue.record("it says that it listens on \(host):\(port)") }
    } catch {
      #expect(error is ServerRefusal, "\(error)")
      return "\(error)"
    }
    return "served"
  }

  @Test func anAddressThatCannotBeHadIsSaidBeforeTheModelIsLoaded() async throws {
    try await withServer { _, port in
      let text = await refusal(host: "127.0.0.1", port: port)
      #expect(text.contains("\(port)") && text.contains("in use") && text.contains("--port"), "\(text)")
    }
    for host in ["no.such.host.invalid", "256.1.1.1"] {
      let text = await refusal(host: host, port: 8119)
      #expect(text.contains(host) && text.contains("8119") && text.contains("--host"), "\(text)")
    }
    let text = await refusal(host: "192.0.2.1", port: 8119)
    #expect(text.contains("192.0.2.1") && text.contains("--host"), "\(text)")
  }

  /// Schemas that take long are answered in time, and others are served meanwhile.
  @Test(.timeLimit(.minutes(2))) func heavySchemasHoldUpNobody() async throws {
    var properties = JSONObject()
    for index in 0..<400 {
      properties.append(
        "p\(index)", ["type": "string", "pattern": .string("^(?=.*a)(?=.*b)(?=.*\\d).{8,\(20 + index)}$")])
    }
    let schema: JSONValue = ["type": "object", "properties": .object(properties)]
    let heavy = chat(#""response_format":{"type":"json_schema","json_schema":{"schema":\#(schema.text)}}"#)
    let tools = chat(#""tools":[{"type":"function","function":{"name":"f","parameters":\#(schema.text)}}]"#)
    let plain = #"{"prompt":"x","guided_json":\#(schema.text)}"#
    try await withServer { base, _ in
      let started = Date()
      async let stream = call(
        base + "/v1/completions", #"{"prompt":"x","max_tokens":300,"ignore_eos":true,"stream":true}"#)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for (path, body, field) in [
          ("/v1/chat/completions", heavy, "response_format"), ("/v1/chat/completions", tools, "tools"),
          ("/v1/completions", plain, "guided_json"),
        ] {
          group.addTask {
            let reply = try await call(base + path, body)
            let message = reply.body["error"]?["message"]?.string ?? ""
            #expect(
              reply.status == 400 && message.contains("\(GrammarWork.mostSteps) steps"), "\(reply.text.prefix(300))")
            #expect(message.contains(field) && reply.body["error"]?["param"] == .string(field))
          }
        }
        // Whatever else comes is answered at once.
        for _ in 0..<5 {
          group.addTask {
            let before = Date()
            let health = try await call(base + "/health")
            #expect(health.status == 200)
            #expect(Date().timeIntervalSince(before) < 5)
          }
        }
        try await group.waitForAll()
      }
      #expect(try await stream.text.contains("[DONE]"))
      #expect(Date().timeIntervalSince(started) < 60)
    }
  }

  /// A prompt counts once, however many answers it has.
  @Test func promptsAreCountedOnce() async throws {
    try await withServer { base, _ in
      func usage(_ path: String, _ body: String) async throws -> [Int?] {
        let reply = try await call(base + path, body)
        #expect(reply.status == 200, "\(reply.text)")
        let usage = reply.body["usage"]
        return ["prompt_tokens", "completion_tokens", "total_tokens"].map { usage?[$0]?.integer }
      }
      let settings = #""max_tokens":3,"ignore_eos":true"#
      #expect(try await usage("/v1/completions", #"{"prompt":"abcd",\#(settings)}"#) == [4, 3, 7])
      #expect(try await usage("/v1/completions", #"{"prompt":"abcd","n":3,\#(settings)}"#) == [4, 9, 13])
      #expect(try await usage("/v1/completions", #"{"prompt":["abcd","xy"],"n":4,\#(settings)}"#) == [6, 24, 30])
      #expect(try await usage("/v1/completions", #"{"prompt":[5],"n":2,\#(settings)}"#) == [1, 6, 7])
      let one = try await usage("/v1/chat/completions", chat(#""ignore_eos":true"#))
      let several = try await usage("/v1/chat/completions", chat(#""ignore_eos":true,"n":3"#))
      #expect(one[0] == several[0] && several[1] == 36)
    }
  }

  @Test func answersThatMustBeLongerThanTheyCanAreRefused() async throws {
    try await withServer { base, _ in
      for body in [
        #"{"prompt":"x","guided_choice":["yes","no"],"min_tokens":9}"#,
        #"{"prompt":"x","guided_regex":"[a-c]{2,7}","min_tokens":8}"#,
        #"{"prompt":"x","guided_json":{"type":"boolean"},"min_tokens":6}"#,
      ] {
        let reply = try await call(base + "/v1/completions", body)
        let message = reply.body["error"]?["message"]?.string ?? ""
        #expect(reply.status == 400 && message.contains("`min_tokens`") && message.contains("bytes"), "\(reply.text)")
      }
      for seed in 0..<20 {
        let reply = try await call(
          base + "/v1/completions",
          #"{"prompt":"x","guided_regex":"[a-c]|[d-f]{3}|[g-z]{8,12}","min_tokens":7,"max_tokens":16,"seed":\#(seed),"temperature":1,"stop":["g"]}"#
        )
        #expect((reply.body["usage"]?["completion_tokens"]?.integer ?? 0) >= 7, "\(reply.text)")
      }
      let stopped = try await call(
        base + "/v1/completions",
        #"{"prompt":"ROMEO:","stop":["e"," "],"min_tokens":20,"max_tokens":60,"ignore_eos":true}"#)
      #expect((stopped.body["usage"]?["completion_tokens"]?.integer ?? 0) > 20, "\(stopped.text)")
      #expect(stopped.body.choice?["finish_reason"] == "stop")
    }
  }

  /// The box has no token with the byte 0: its 0 ends a text.
  @Test func whatNoTokenWritesIsRefusedOrLeftOut() async throws {
    try await withServer { base, _ in
      for stream in [false, true] {
        let refused = try await call(
          base + "/v1/completions", #"{"prompt":"x","guided_regex":"\\0","stream":\#(stream)}"#)
        #expect(refused.status == 400 && refused.text.contains("0x00"), "\(refused.text)")
      }
      let pruned = try await call(base + "/v1/completions", #"{"prompt":"x","guided_regex":"a\\0|b"}"#)
      #expect(pruned.status == 200 && pruned.body.choice?["text"] == "b", "\(pruned.text)")
      let two = try await call(
        base + "/v1/completions", #"{"prompt":"x","structured_outputs":{"json":{},"choice":["a"]}}"#)
      #expect(two.status == 400 && two.body["error"]?["param"] == "structured_outputs")
      #expect(two.text.contains("structured_outputs.json") && two.text.contains("structured_outputs.choice"))
    }
  }

  /// Where nobody can give way, some are told, and those beyond them are closed at once.
  @Test func connectionsThatAreRefusedAreCounted() {
    let roster = ConnectionRoster(mostConnections: 2)
    let channels = (0..<100).map { _ in EmbeddedChannel() }
    for channel in channels[..<2] {
      #expect(roster.admit(channel) == .admitted)
      roster.note(channel, .answering)
    }
    let told = channels[2..<2 + ConnectionRoster.mostRefused]
    for channel in told { #expect(roster.admit(channel) == .refused) }
    #expect(roster.admit(channels[90]) == .closed && roster.admit(channels[91]) == .closed)
    // One that has been told keeps its descriptor until it is closed.
    roster.remove(channels[3])
    #expect(roster.admit(channels[92]) == .closed)
    roster.forget(channels[3])
    #expect(roster.admit(channels[93]) == .refused)
    // A place that comes free goes to the next, and an idle connection gives way.
    roster.forget(channels[0])
    #expect(roster.admit(channels[94]) == .admitted && roster.admit(channels[95]) == .admitted)
  }
}
