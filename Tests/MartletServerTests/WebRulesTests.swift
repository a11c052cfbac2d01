import Testing

@testable import MartletServer

struct WebRulesTests {
  private func rules(_ change: (inout ServerConfiguration) -> Void = { _ in }) -> WebRules {
    var configuration = ServerConfiguration()
    change(&configuration)
    return WebRules(configuration)
  }

  private func passes(
    _ rules: WebRules, host: String?, origin: String? = nil, port: Int = 8080, isEncrypted: Bool = false,
    isPublic: Bool = false
  ) -> Bool {
    (try? rules.check(host: host, origin: origin, port: port, isEncrypted: isEncrypted, isPublic: isPublic)) != nil
  }

  @Test(arguments: [
    "127.0.0.1:8080", "127.0.0.1", "localhost", "LOCALHOST:8080", "localhost.:8080", "[::1]:8080", "[::1]", "127.9.8.7",
    "app.localhost:8080", "192.168.1.5:8080", "0.0.0.0:8080", "[fe80::1]:1", "localhost:",
  ])
  func namesOfThisMachine(host: String) { #expect(passes(rules(), host: host), "\(host)") }

  @Test(arguments: [
    "evil.com", "evil.com:8080", "127.0.0.1.evil.com", "localhost.evil.com:8080", "xlocalhost", "localhost@evil.com",
    "evil.com#localhost", "localhost:80:80", "127.0.0.1:x", "", ":8080", "[::1", "[evil.com]:80", "localhost:99999",
    "local\u{131}host", "127.1", "2130706433", "0x7f.0.0.1", "evil.com:localhost", " localhost", "localhost,evil.com",
    "localhost/", "[localhost]", "::1", "1.2.3.4.5", "127.0.0.1%00.evil.com",
  ])
  func namesOfOthers(host: String) { #expect(!passes(rules(), host: host), "\(host)") }

  @Test func namesThatAreAllowed() {
    let named = rules { $0.allowedHosts = ["models.example.org", "box:8080"] }
    #expect(passes(named, host: "models.example.org") && passes(named, host: "MODELS.example.org:99"))
    #expect(passes(named, host: "box:8080") && !passes(named, host: "box:81") && !passes(named, host: "sub.box:8080"))
    #expect(!passes(named, host: "evil.com") && passes(named, host: "localhost"))
    #expect(passes(rules { $0.allowedHosts = ["*"] }, host: "any.example"))
    // HTTP/1.0, which no browser speaks, needs no Host.
    #expect(passes(rules(), host: nil))
    // Where others reach the server, names are theirs to give, unless some are listed.
    let open = rules { $0.host = "0.0.0.0" }
    #expect(passes(open, host: "martlet:8080") && passes(open, host: "10.0.0.2"))
    let listed = rules {
      $0.host = "0.0.0.0"
      $0.allowedHosts = ["martlet"]
    }
    #expect(passes(listed, host: "martlet:8080") && !passes(listed, host: "evil.com"))
  }

  @Test(arguments: [
    ("localhost:8080", "http://localhost:8080"), ("127.0.0.1:8080", "http://localhost:8080"),
    ("localhost:8080", "http://127.0.0.1:8080"), ("localhost:8080", "http://[::1]:8080"),
    ("LOCALHOST:8080", "HTTP://LocalHost:8080"), ("192.168.1.5:8080", "http://192.168.1.5:8080"),
    ("localhost:9000", "http://localhost:9000"),
  ])
  func theServersOwnPages(host: String, origin: String) { #expect(passes(rules(), host: host, origin: origin)) }

  @Test(arguments: [
    "http://evil.com", "http://evil.com:8080", "https://localhost:8080", "http://localhost:8081", "http://localhost",
    "http://127.0.0.1", "null", "NULL", "", "file://", "http://localhost:8080.evil.com",
    "http://localhost:8080@evil.com",
    "http://localhost.evil.com:8080", "ftp://localhost:8080", "localhost:8080", "http://", "chrome-extension://abc",
    "http://localhost:8080, http://evil.com", "http://localhost:8080 ", "http://localhost:8080/",
    "http://192.168.1.5:8080", "http://localhost:3000",
  ])
  func foreignPages(origin: String) {
    for keys in [[], ["secret"]] {
      let rules = rules { $0.apiKeys = keys }
      #expect(!passes(rules, host: "localhost:8080", origin: origin), "\(origin)")
      #expect(passes(rules, host: "localhost:8080", origin: origin, isPublic: true))
      // A name that was made to mean this machine makes nobody its own.
      #expect(!passes(rules, host: "evil.com:8080", origin: "http://evil.com:8080"))
    }
  }

  @Test func pagesThatAreAllowed() {
    let named = rules { $0.corsOrigins = ["https://app.example.org", "http://localhost:3000/"] }
    #expect(passes(named, host: "localhost:8080", origin: "https://app.example.org"))
    #expect(passes(named, host: "localhost:8080", origin: "http://localhost:3000"))
    #expect(!passes(named, host: "localhost:8080", origin: "http://app.example.org"))
    #expect(!passes(named, host: "localhost:8080", origin: "https://app.example.org.evil.com"))
    #expect(!passes(named, host: "localhost:8080", origin: "null"))
    #expect(passes(rules { $0.corsOrigins = ["*"] }, host: "localhost", origin: "null"))
    #expect(passes(rules { $0.corsOrigins = ["null"] }, host: "localhost", origin: "null"))
  }

  /// Behind a proxy that ends encryption, and where others reach the server.
  @Test func pagesOfServersThatOthersReach() {
    let open = rules { $0.host = "0.0.0.0" }
    #expect(passes(open, host: "10.0.0.2:8080", origin: "http://10.0.0.2:8080"))
    #expect(!passes(open, host: "10.0.0.2:8080", origin: "http://localhost:8080"))
    // Without a key a name that is not listed proves nothing.
    #expect(!passes(open, host: "evil.com:8080", origin: "http://evil.com:8080"))
    let keyed = rules {
      $0.host = "0.0.0.0"
      $0.apiKeys = ["secret"]
    }
    #expect(passes(keyed, host: "llm.example.org", origin: "http://llm.example.org"))
    #expect(passes(keyed, host: "llm.example.org", origin: "https://llm.example.org", isEncrypted: true))
    #expect(!passes(keyed, host: "llm.example.org", origin: "https://llm.example.org"))
    #expect(!passes(keyed, host: "llm.example.org", origin: "https://evil.com", isEncrypted: true))
    let listed = rules {
      $0.host = "0.0.0.0"
      $0.allowedHosts = ["llm.example.org"]
    }
    #expect(passes(listed, host: "llm.example.org", origin: "http://llm.example.org"))
  }
}

/// The same over sockets.
@Suite(.serialized) struct WebAccessTests {
  @Test func aWebPageOfAnywhereCannotAct() async throws {
    try await withServer({ $0.corsOrigins = ["https://app.example.org"] }) { _, port in
      func status(_ method: String, _ path: String, _ headers: [String]) async throws -> RawReply {
        let body = method == "POST" ? #"{"prompt":"x","max_tokens":1}"# : ""
        let lines = ["\(method) \(path) HTTP/1.1", "Connection: close", "Content-Length: \(body.utf8.count)"] + headers
        return try await exchange(port: port, lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
      }
      let json = "Content-Type: application/json", own = "Host: 127.0.0.1:\(port)"
      for origin in ["https://evil.com", "null", "http://localhost:1", "http://evil.com:\(port)"] {
        for path in ["/v1/completions", "/martlet/edits", "/tokenize", "/nothing"] {
          let reply = try await status("POST", path, [own, json, "Origin: \(origin)"])
          #expect(reply.status == 403 && reply.error?.contains("--cors-origin") == true)
          #expect(reply.headers["access-control-allow-origin"] == nil)
        }
        #expect(try await status("DELETE", "/martlet/edits/1", [own, "Origin: \(origin)"]).status == 403)
        #expect(try await status("GET", "/v1/models", [own, "Origin: \(origin)"]).status == 403)
        #expect(try await status("GET", "/metrics", [own, "Origin: \(origin)"]).status == 403)
        for path in ["/", "/page.js", "/health", "//health/", "/%68ealth"] {
          #expect(try await status("GET", path, [own, "Origin: \(origin)"]).status == 200)
          #expect(try await status("POST", path, [own, json, "Origin: \(origin)"]).status == 403)
        }
        let preflight = try await status(
          "OPTIONS", "/v1/completions", [own, "Origin: \(origin)", "Access-Control-Request-Method: POST"])
        #expect(preflight.status == 403 && preflight.headers["access-control-allow-origin"] == nil)
      }
      for origin in ["http://127.0.0.1:\(port)", "http://localhost:\(port)", "https://app.example.org"] {
        let reply = try await status("POST", "/v1/completions", [own, json, "Origin: \(origin)"])
        #expect(reply.status == 200 && reply.headers["access-control-allow-origin"] == origin, "\(reply)")
        let preflight = try await status(
          "OPTIONS", "/v1/completions", [own, "Origin: \(origin)", "Access-Control-Request-Headers: authorization"])
        #expect(preflight.status == 200 && preflight.headers["access-control-allow-headers"] == "authorization")
      }
      // Names of others.
      for host in ["evil.com", "evil.com:\(port)", "localhost.evil.com"] {
        for path in ["/", "/health", "/v1/models"] {
          let reply = try await status("GET", path, ["Host: \(host)"])
          #expect(reply.status == 403 && reply.error?.contains("--allowed-host") == true)
        }
        #expect(try await status("POST", "/v1/completions", ["Host: \(host)", json]).status == 403)
      }
      // Kinds of content that a page can send without asking.
      for type in [
        "text/plain", "text/plain; application/json", "application/x-www-form-urlencoded", "multipart/form-data",
        "application/jsonx", "text/json", "application/json, text/plain", "",
      ] {
        let reply = try await status("POST", "/v1/completions", [own, "Content-Type: \(type)"])
        #expect(reply.status == 415 && reply.error?.contains("application/json") == true, "\(type)")
      }
      for type in [
        "application/json; charset=utf-8", "APPLICATION/JSON", "application/json;x=y", "application/vnd.api+json",
      ] {
        #expect(try await status("POST", "/v1/completions", [own, "Content-Type: \(type)"]).status == 200, "\(type)")
      }
      #expect(try await status("POST", "/v1/completions", [own]).status == 200)
      #expect(try await status("POST", "/v1/completions", [own, "Origin: http://localhost:\(port)"]).status == 415)
    }
  }

  @Test func aServerWithKeysRefusesForeignPagesToo() async throws {
    try await withServer({ $0.apiKeys = ["secret"] }) { base, _ in
      let headers = ["Origin": "https://example.org", "Authorization": "Bearer secret"]
      let reply = try await call(base + "/v1/models", headers: headers)
      let preflight = try await call(
        base + "/v1/models", method: "OPTIONS", headers: ["Origin": "https://example.org"])
      #expect(reply.status == 403 && preflight.status == 403)
    }
  }
}
