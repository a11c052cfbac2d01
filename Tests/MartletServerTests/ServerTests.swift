import Foundation
import Logging
import MartletData
import MartletEngine
import MartletLaboratory
import MartletModels
import MartletSkeleton
import MartletTestSupport
import Testing

@testable import MartletServer

@Suite(.serialized) struct ServerTests {
  /// An encrypted guest on a generation without a fix is refused when a safe host is asked for, and only then.
  @Test func aConfidentialGuestOnAnUnsafeHostIsRefused() async throws {
    let scratch = try TestData.Scratch()
    for (path, text) in [
      (
        "proc/cpuinfo",
        """
        processor : 0
        vendor_id : AuthenticAMD
        cpu family : 23
        model : 49
        model name : AMD EPYC 7742 64-Core Processor
        stepping : 0
        microcode : 0xffffffff
        flags : hypervisor

        """
      ), ("var/log/dmesg", "Memory Encryption Features active: AMD SEV SEV-ES\n"),
    ] {
      let file = URL(fileURLWithPath: scratch.file(path))
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
    let root = scratch.path
    var configuration = ServerConfiguration()
    configuration.port = 0
    configuration.hostRoot = root
    configuration.requiresSafeHost = true
    let server = ModelServer(configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }) {
      throw ModelError("the model must not be loaded")
    }
    let refusal = await #expect(throws: ServerRefusal.self) { try await server.run() }
    #expect(refusal?.description.contains("CacheWarp") == true)

    let metrics = try await withServer({ $0.hostRoot = root }) { base, _ in try await call(base + "/metrics").text }
    #expect(metrics.contains(#"martlet_host_flaw_status{flaw="CVE-2023-20592",name="CacheWarp"} 2"#))
    #expect(metrics.contains("martlet_host_data_age_seconds "))
  }

  @Test func answersOfEveryKind() async throws {
    try await withServer { base, _ in
      let whole = try await call(base + "/v1/chat/completions", chat())
      #expect(whole.status == 200 && whole.headers["content-type"]?.hasPrefix("application/json") == true)
      let message = try #require(whole.body["choices"]?.array?[0]["message"])
      let text = try #require(message["content"]?.string)
      #expect(!text.isEmpty && message["refusal"] == .null)
      #expect(whole.body["usage"]?["completion_tokens"] == 12)
      let stream = try await call(
        base + "/v1/chat/completions", chat(#""stream":true,"stream_options":{"include_usage":true}"#))
      #expect(stream.text.hasSuffix("data: [DONE]\n\n"))
      let events = try stream.text.components(separatedBy: "\n\n").filter { $0.hasPrefix("data: {") }
        .map { try JSONValue(parsing: String($0.dropFirst(6))) }
      let joined = events.compactMap { $0["choices"]?.array?.first?["delta"]?["content"]?.string }.joined()
      #expect(joined == text && events.last?["choices"] == [])
      let completion = try await call(
        base + "/v1/completions", #"{"prompt":"ROMEO:","max_tokens":3,"echo":true,"logprobs":1}"#)
      #expect(completion.body["choices"]?.array?[0]["logprobs"]?["tokens"]?.array?.count == 9)
      let vector = try await call(base + "/v1/embeddings", #"{"input":["a","b"]}"#)
      #expect(vector.body["data"]?.array?.count == 2)
      #expect(try await call(base + "/v1/models/box").body["id"] == "box")
      #expect(try await call(base + "/v1/models/none").status == 404)
      // The page turns skeletons off for models too small for them.
      let meta = try await call(base + "/v1/models/box").body["meta"]
      #expect(meta?["skeleton_suits"] == false && meta?["edits"]?.bool != nil)
      let tokens = try await call(base + "/tokenize", #"{"content":"hé"}"#)
      #expect(tokens.body["tokens"] == [104, 195, 169])
      #expect(try await call(base + "/detokenize", #"{"tokens":[104,195,169]}"#).body["content"] == "hé")
      let script = try await call(base + "/page.js").text
      let modules = script.matches(of: /from "\.(\/[a-z-]+\.js)"/).map { String($0.1) }
      #expect(modules.count > 3)
      for path in ["/", "/index.html", "/page.css", "/page.js"] + modules {
        let page = try await call(base + path)
        #expect(page.status == 200 && page.text.count > 500 && page.headers["content-security-policy"] != nil)
        #expect(!page.text.contains("http://") && !page.text.contains("https://"), "no request may leave the server")
      }
      let metrics = try await call(base + "/metrics")
      for line in metrics.text.split(separator: "\n") where !line.hasPrefix("#") {
        #expect(line.wholeMatch(of: /[a-z_]+(\{.*\})? [-+.0-9eE]+/) != nil, "\(line)")
      }
      #expect(
        metrics.text.contains("martlet_generated_tokens_total") && metrics.text.contains("# TYPE martlet_steps_total"))
    }
  }

  @Test func wrongRequestsGetTheirAnswer() async throws {
    try await withServer({ $0.maxBodyBytes = 10_000 }) { base, port in
      func status(_ path: String, _ body: String?, method: String? = nil) async throws -> Int {
        let reply = try await call(base + path, body, method: method)
        if reply.status >= 400 {
          #expect(
            reply.body["error"]?["message"]?.string?.isEmpty == false && reply.body["error"]?["type"] != nil, "\(reply)"
          )
        }
        return reply.status
      }
      #expect(try await status("/nothing", nil) == 404)
      #expect(try await status("/v1/chat/completions", nil) == 405)
      #expect(try await status("/v1/chat/completions", "{") == 400)
      #expect(try await status("/v1/chat/completions", "[]") == 400)
      #expect(try await status("/v1/chat/completions", "{}") == 400)
      #expect(try await status("/v1/chat/completions", chat(#""temperature":"hot""#)) == 400)
      #expect(try await status("/v1/chat/completions", chat(text: String(repeating: "x", count: 20_000))) == 413)
      let stops = (0..<10_000).map { "\"s\($0)\"" }.joined(separator: ",")
      #expect(try await status("/v1/chat/completions", chat("\"stop\":[\(stops)]")) == 413)
      #expect(try await status("/v1/completions", #"{"prompt":"x","suffix":"y"}"#) == 501)
      #expect(try await status("/v1/completions", #"{"prompt":[]}"#) == 400)
      #expect(try await status("/v1/completions", #"{"prompt":[1,"x"]}"#) == 400)
      #expect(try await status("/v1/completions", #"{"prompt":[99999]}"#) == 400)
      #expect(try await status("/v1/embeddings", #"{"input":5}"#) == 400)
      #expect(try await status("/detokenize", #"{"tokens":[-1]}"#) == 400)
      let other = try await call(
        base + "/v1/chat/completions", "<a/>", headers: ["Content-Type": "application/xml"])
      #expect(other.status == 415)
      // A body that says it is large is refused before it comes.
      let large = try Plain(port: port)
      large.send(
        "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 104857600\r\n\r\n"
      )
      #expect(await onThread { large.readHead(seconds: 60) }.hasPrefix("HTTP/1.1 413"))
      // Neither is one that comes without saying so.
      let chunks = try Plain(port: port)
      chunks.send(
        "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
      )
      for _ in 0..<20 { chunks.send("3e8\r\n" + String(repeating: "x", count: 1000) + "\r\n") }
      #expect(await onThread { chunks.readHead(seconds: 60) }.hasPrefix("HTTP/1.1 413"))
      let junk = try Plain(port: port)
      junk.send("\u{1}\u{2}junk\r\n\r\n")
      #expect(await onThread { junk.readHead(seconds: 60) }.contains("400"))
      #expect(try await call(base + "/health").status == 200)
    }
  }

  @Test func slowClientsDoNotHoldAPlace() async throws {
    try await withServer({ $0.readTimeout = 1 }) { base, port in
      // A head that does not end, and a body that drips.
      let head = try Plain(port: port), body = try Plain(port: port)
      head.send("POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nX-Slow: ")
      body.send(
        "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
      )
      let dripping = Task {
        for _ in 0..<30 {
          body.send(" ")
          head.send("x")
          try await Task.sleep(for: .milliseconds(100))
        }
      }
      let replies = await onThread { (body.readAll(seconds: 6), head.readAll(seconds: 6)) }
      #expect(replies.0.hasPrefix("HTTP/1.1 408"), "\(replies.0)")
      #expect(!replies.1.contains("timed out"))
      dripping.cancel()
      #expect(try await call(base + "/health").status == 200)
    }
  }

  @Test func keysAreAskedFor() async throws {
    try await withServer({ $0.apiKeys = ["secret"] }) { base, _ in
      for headers in [[:], ["Authorization": "Bearer wrong!"], ["Authorization": "secret"]] as [[String: String]] {
        let reply = try await call(base + "/v1/models", headers: headers)
        #expect(reply.status == 401 && reply.body["error"]?["type"] == "authentication_error")
      }
      #expect(try await call(base + "/v1/models", headers: ["Authorization": "Bearer secret"]).status == 200)
      #expect(try await call(base + "/v1/models", headers: ["X-Api-Key": "secret"]).status == 200)
      #expect(try await call(base + "/health").status == 200)
      #expect(try await call(base + "/metrics").status == 401)
    }
  }

  @Test func aFullQueueIs429() async throws {
    try await withServer({
      $0.engine.maxSequences = 1
      $0.engine.maxWaiting = 1
    }) { base, _ in
      let results = try await withThrowingTaskGroup(of: (Int, String?).self) { group in
        for _ in 0..<12 {
          group.addTask {
            let reply = try await call(
              base + "/v1/completions", #"{"prompt":"x","max_tokens":300,"ignore_eos":true}"#)
            return (reply.status, reply.headers["retry-after"])
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(results.contains { $0.0 == 200 } && results.contains { $0.0 == 429 })
      #expect(results.allSatisfy { $0.0 == 200 || ($0.0 == 429 && $0.1 != nil) }, "\(results)")
    }
  }

  @Test func leavingClientsFreeTheirPlace() async throws {
    try await withServer { base, port in
      let body = #"{"prompt":"x","max_tokens":100000,"ignore_eos":true}"#
      for stream in [false, true] {
        let text = stream ? body.replacing("\"prompt\"", with: "\"stream\":true,\"prompt\"") : body
        let client = try Plain(port: port)
        client.send(
          "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: \(text.utf8.count)\r\n\r\n\(text)"
        )
        try await Task.sleep(for: .milliseconds(200))
        #expect(try await call(base + "/metrics").text.contains("martlet_requests_running 1"))
        client.end()
        var running = true
        for _ in 0..<100 where running {
          try await Task.sleep(for: .milliseconds(20))
          running = try await !call(base + "/metrics").text.contains("martlet_requests_running 0")
        }
        #expect(!running, "streaming: \(stream)")
      }
    }
  }

  /// The remote back end against our own server, and skeletons through the API.
  @Test func skeletonsThroughTheAPI() async throws {
    let scratch = try TestData.Scratch()
    let skeleton = " Heads.\\n2. Tails.\\n3. Edges."
    let script = """
      {"match": " 1.", "reply": "\(skeleton)"}
      {"match": "1. Heads.", "reply": " First one."}
      {"match": "2. Tails.", "reply": " Second one."}
      {"match": "3. Edges.", "reply": " Third one."}
      """
    try Data(script.utf8).write(to: URL(fileURLWithPath: scratch.file("script")))
    let path = scratch.file("script")
    let script2 = try ReplyScript(path: path)
    try await withServer({ $0.script = script2.replies }) { base, _ in
      let expected = "1. Heads. First one.\n2. Tails. Second one.\n3. Edges. Third one."
      let reply = try await call(
        base + "/v1/chat/completions", chat(#""martlet":{"skeleton":"on"}"#, limit: 600))
      #expect(reply.body["choices"]?.array?[0]["message"]?["content"]?.string == expected, "\(reply.text)")
      #expect(reply.body["martlet"]?["skeleton"]?["used_skeleton"] == true)
      let stream = try await call(
        base + "/v1/chat/completions", chat(#""stream":true,"martlet":{"skeleton":"on","events":true}"#, limit: 600))
      for event in ["skeleton_text", "\"skeleton\"", "\"point\"", "point_ended", "finished"] {
        #expect(stream.text.contains(event), "\(event)")
      }
      let refused = try await call(base + "/v1/chat/completions", chat(#""n":2,"martlet":{"skeleton":"on"}"#))
      #expect(refused.status == 400)
      // The same through the endpoint, as a stranger's.
      var options = RemoteBackend.Options(endpoint: base + "/v1", model: "box")
      options.mostTogether = 2
      var run = SkeletonOptions()
      run.mode = .on
      let backend = try RemoteBackend(options)
      for try await event in SkeletonRun(backend, options: run).answer([ChatMessage(.user, "Which sides?")]) {
        if case .finished(let report) = event {
          #expect(report.answer == expected && report.usedSkeleton)
          #expect(report.pointTokens > 20 && report.skeletonTokens > 20)
        }
      }
      var wrong = RemoteBackend.Options(endpoint: base + "/nothing", model: "box")
      wrong.retries = 0
      let lost = SkeletonRun(try RemoteBackend(wrong), options: run).answer([ChatMessage(.user, "x")])
      await #expect(throws: SkeletonError.self) { for try await _ in lost {} }
    }
    #expect(throws: SkeletonError.self) { try RemoteBackend(.init(endpoint: "ftp://x", model: "m")) }
  }
}
