import Foundation
import MartletEngine
import Testing

@testable import MartletServer

/// What HTTP/1 asks of a server, over plain sockets.
@Suite(.serialized) struct HTTPDetailTests {
  private let small = #"{"prompt":"x","max_tokens":2,"temperature":0}"#
  private let path = "/v1/completions"

  @Test func exactlyOneHost() async throws {
    try await withServer { [path] _, port in
      for hosts in ["", "Host: localhost\r\nHost: localhost\r\n", "Host: localhost\r\nhost: evil.com\r\n"] {
        let reply = try await exchange(port: port, "GET /health HTTP/1.1\r\n\(hosts)\r\n")
        #expect(reply.status == 400 && reply.error?.contains("`Host`") == true, "\(reply)")
        #expect(reply.headers["connection"] == "close")
      }
      #expect(try await exchange(port: port, "GET /health HTTP/1.0\r\n\r\n").status == 200)
      // A target with its own authority outranks the header.
      let absolute = "GET http://localhost:\(port)/health HTTP/1.1\r\nHost: evil.com\r\nConnection: close\r\n\r\n"
      #expect(try await exchange(port: port, absolute).status == 200)
      let foreign = "GET http://evil.com/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
      #expect(try await exchange(port: port, foreign).status == 403)
      // An earlier answer on the same connection goes out first, whole.
      let client = try Plain(port: port)
      client.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\nGET \(path) HTTP/1.1\r\n\r\n")
      let both = await onThread { client.readAll(seconds: 5) }
      let first = try #require(both.range(of: "HTTP/1.1 200")), second = try #require(both.range(of: "HTTP/1.1 400"))
      #expect(first.lowerBound < second.lowerBound && both.hasSuffix("}"), "\(both)")
    }
  }

  @Test func malformedBodiesAreRefused() async throws {
    try await withServer { [path] base, port in
      let head = "POST \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      for rest in [
        "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n5\r\n{}\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        "Content-Length: x\r\n\r\n{}", "Content-Length: -2\r\n\r\n{}", "Bad Header: x\r\n\r\n", ": x\r\n\r\n",
      ] {
        let reply = try await exchange(port: port, head + rest)
        #expect(reply.status == 400 && reply.error != nil, "\(rest): \(reply)")
        #expect(reply.headers["content-type"]?.hasPrefix("application/json") == true)
      }
      let long = "GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + String(repeating: "x", count: 100_000) + "\r\n\r\n"
      let reply = try await exchange(port: port, long)
      #expect((reply.status == 431 || reply.status == 400) && reply.error != nil)
      for junk in [
        "GET\r\n\r\n", "\u{1}\u{2}\r\n\r\n", "GET /health HTTP/9.9\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      ] {
        let reply = try await exchange(port: port, junk)
        #expect(reply.status == 400 && reply.error != nil, "\(junk)")
      }
      // Chunks as they should be, with an extension and a trailer.
      let good = "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
      let body = #"{"prompt":"x","max_tokens":1}"#
      let chunks =
        "5;a=b\r\n\(body.prefix(5))\r\n\(String(body.count - 5, radix: 16))\r\n\(body.dropFirst(5))\r\n0\r\nX: y\r\n\r\n"
      #expect(try await exchange(port: port, head + good + chunks).status == 200)
      #expect(try await call(base + "/health").status == 200)
    }
  }

  @Test func clientsThatWaitToContinue() async throws {
    try await withServer({ $0.maxBodyBytes = 1_000 }) { [path, small] _, port in
      func head(_ length: Int, _ more: String = "Expect: 100-continue") -> String {
        "POST \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"
          + "Content-Length: \(length)\r\n\(more)\r\n\r\n"
      }
      let client = try Plain(port: port)
      client.send(head(small.utf8.count))
      let going = await onThread { client.readHead(seconds: 60) }
      #expect(going == "HTTP/1.1 100 Continue\r\n\r\n")
      client.send(small)
      let reply = try RawReply(await onThread { client.readAll(seconds: 5) })
      #expect(reply.status == 200 && reply.json.choice?["text"]?.string != nil)
      // What is refused is refused without the body, and the connection ends.
      let large = try await exchange(port: port, head(100_000))
      #expect(large.status == 413 && large.headers["connection"] == "close")
      let foreign = try await exchange(port: port, head(10, "Expect: 100-continue\r\nOrigin: http://evil.com"))
      #expect(foreign.status == 403 && foreign.headers["connection"] == "close")
      #expect(try await exchange(port: port, head(2, "Expect: wonders")).status == 417)
      // One that does not wait.
      let hasty = try Plain(port: port)
      hasty.send(head(small.utf8.count) + small)
      #expect(await onThread { hasty.readAll(seconds: 5) }.contains("HTTP/1.1 200 OK"))
    }
  }

  @Test func oldClientsGetNoChunks() async throws {
    try await withServer { [path] _, port in
      let whole = try await exchange(port: port, post(path, #"{"prompt":"x","max_tokens":3}"#, version: "1.0"))
      #expect(whole.version == "HTTP/1.0" && whole.status == 200 && whole.json.choice != nil)
      #expect(whole.headers["connection"] == "close")
      let stream = try await exchange(
        port: port, post(path, #"{"prompt":"x","max_tokens":3,"stream":true}"#, version: "1.0"))
      #expect(stream.headers["transfer-encoding"] == nil && stream.headers["connection"] == "close")
      #expect(stream.body.hasPrefix("data: {") && stream.body.hasSuffix("data: [DONE]\n\n"), "\(stream.body)")
      // It stays open where that is asked for and the length is known.
      let client = try Plain(port: port)
      for _ in 0..<2 {
        client.send("GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        let reply = try RawReply(await onThread { client.readHead(seconds: 60) })
        #expect(reply.status == 200 && reply.headers["connection"] == "keep-alive")
      }
      let closing = try await exchange(
        port: port, "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: Close\r\n\r\n")
      #expect(closing.status == 200 && closing.headers["connection"] == "close")
    }
  }

  @Test func askingForTheHeadOnly() async throws {
    try await withServer { _, port in
      for path in ["/", "/page.js", "/v1/models", "/v1/models/box", "/health", "/nothing", "/v1/completions"] {
        func reply(_ method: String) async throws -> RawReply {
          try await exchange(port: port, "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        }
        let head = try await reply("HEAD"), whole = try await reply("GET")
        #expect(head.status == whole.status && head.body.isEmpty, "\(path)")
        if path != "/v1/completions" {
          #expect(head.headers["content-length"] == "\(whole.body.utf8.count)", "\(path)")
        }
        #expect(whole.headers["content-length"] == "\(whole.body.utf8.count)")
      }
    }
  }

  @Test func bodiesInOddClothes() async throws {
    try await withServer { [path, small] _, port in
      #expect(try await exchange(port: port, post(path, "\u{feff}" + small)).status == 200)
      for encoding in ["gzip", "deflate", "br", "zstd", "identity, gzip", "GZIP"] {
        let headers = ["Content-Type: application/json", "Content-Encoding: \(encoding)"]
        let reply = try await exchange(port: port, post(path, small, headers: headers))
        #expect(reply.status == 415 && reply.error?.contains("compressed") == true, "\(encoding)")
        #expect(reply.headers["accept-encoding"] == "identity")
      }
      for encoding in ["identity", ""] {
        let headers = ["Content-Type: application/json", "Content-Encoding: \(encoding)"]
        #expect(try await exchange(port: port, post(path, small, headers: headers)).status == 200)
      }
      // Java's client offers another protocol first.
      let upgrade = [
        "Content-Type: application/json", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c",
        "HTTP2-Settings: AAMAAABk",
      ]
      let client = try Plain(port: port)
      client.send(post(path, small, headers: upgrade).replacing("Connection: close\r\n", with: ""))
      let reply = try RawReply(await onThread { client.readHead(seconds: 60) })
      #expect(reply.status == 200)
      for target in [
        path + "/", "/" + path, "/v1//completions", "/v1/%63ompletions", "http://localhost:\(port)\(path)",
        path + "?a=b",
        "//v1///completions//?x",
      ] { #expect(try await exchange(port: port, post(target, small)).status == 200, "\(target)") }
    }
  }

  @Test func pathsThatOthersHave() async throws {
    try await withServer { base, _ in
      for (path, advice) in [
        ("/v1/responses", "/v1/chat/completions"), ("/v1/responses/resp_1", "/v1/chat/completions"),
        ("/v1/messages", "/v1/chat/completions"), ("/api/chat", "/v1/chat/completions"),
        ("/api/generate", "/v1/completions"), ("/api/tags", "/v1/models"), ("/api/embed", "/v1/embeddings"),
        ("/props", "/v1/models"), ("/slots", "/metrics"), ("/slots/0", "/metrics"), ("/completion", "/v1/completions"),
        ("/infill", "/v1/completions"), ("/v1/rerank", "rerank"), ("/v1/audio/speech", "audio is not supported"),
        ("/v1/audio/transcriptions", "audio is not supported"), ("/v1/images/generations", "images"),
        ("/embedding", "/v1/embeddings"),
        ("/v1/v1/chat/completions", "call /v1/chat/completions"), ("/openai/v1/models", "call /v1/models"),
        ("/v1", "/v1/models"), ("/v1/engines/x/completions", "/v1/completions"),
        ("/v1/chat/completion", "did you mean /v1/chat/completions"), ("/v1/model", "did you mean /v1/models?"),
        ("/martlet/edit", "did you mean /martlet/edits?"),
        (
          "/nowhere",
          "there are /v1/chat/completions, /v1/completions, /v1/embeddings, /v1/models, /health, /metrics, /martlet/edits, /tokenize, /detokenize and /tokenizer_info"
        ),
      ] {
        for body in [nil, "{}"] {
          let reply = try await call(base + path, body)
          #expect(reply.status == 404 && reply.body["error"]?["message"]?.string?.contains(advice) == true, "\(reply)")
        }
      }
      #expect(
        try await call(base + "/v1/models/some%2Fother").body["error"]?["message"]?.string?.contains("some/other")
          == true)
    }
    try await withServer({ $0.modelName = "org/model v1" }) { base, _ in
      for name in ["org/model%20v1", "org%2Fmodel%20v1"] {
        let reply = try await call(base + "/v1/models/" + name)
        #expect(reply.body["id"] == "org/model v1")
      }
    }
  }

  /// Idle connections shut nobody out, and one that has given way is closed.
  @Test func theOldestIdleConnectionGivesWay() async throws {
    try await withServer({ $0.maxConnections = 8 }) { [path, small] base, port in
      let idle = try (0..<20).map { _ in try Plain(port: port) }
      // They are taken in on several threads: without a pause one of them could come after the request's own connection, which
      // has sent nothing yet either.
      try await Task.sleep(for: .milliseconds(300))
      let started = Date()
      #expect(try await exchange(port: port, post(path, small)).status == 200)
      let partial = try (0..<12).map { _ in try Plain(port: port) }
      for client in partial { client.send("POST \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{") }
      try await Task.sleep(for: .milliseconds(200))
      for _ in 0..<3 { #expect(try await exchange(port: port, post(path, small)).status == 200) }
      #expect(try await call(base + "/health").status == 200)
      #expect(Date().timeIntervalSince(started) < 5)
      #expect(await onThread { idle[0].readAll(seconds: 1) }.isEmpty)
      // Answers in work are not given up: one that finds no place is told so.
      let long = #"{"prompt":"x","max_tokens":100000,"ignore_eos":true,"stream":true}"#
      for client in idle + partial { client.end() }
      try await Task.sleep(for: .milliseconds(300))
      let busy = try (0..<8).map { _ in try Plain(port: port) }
      for client in busy { client.send(post(path, long)) }
      for client in busy { _ = await onThread { client.readHead(seconds: 60) } }
      let refused = try await exchange(port: port, post(path, small), seconds: 3)
      #expect(refused.status == 503 && refused.headers["retry-after"] == "1" && refused.error != nil, "\(refused)")
      for client in busy { client.end() }
      try await Task.sleep(for: .milliseconds(300))
      #expect(try await exchange(port: port, post(path, small)).status == 200)
    }
  }
}
