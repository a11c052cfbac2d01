import Foundation
import MartletData
import MartletEngine
import MartletModels
import MartletSkeleton
import MartletTestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// An endpoint that answers each connection with the next given text; `nil` never answers.
private final class StubEndpoint: @unchecked Sendable {
  private let listener: LoopbackListener
  var port: Int { listener.port }
  private let lock = NSLock()
  private var requests: [String] = []
  var seen: [String] { lock.withLock { requests } }

  init(_ replies: [String?]) throws {
    listener = try LoopbackListener()
    Thread.detachNewThread { [self] in
      var open: [Int32] = []
      for reply in replies {
        guard let connection = listener.next() else { return }
        if let (head, body) = LoopbackListener.request(on: connection) {
          lock.withLock { requests.append(head + "\r\n\r\n" + String(decoding: body, as: UTF8.self)) }
        }
        guard let reply else {
          open.append(connection)
          continue
        }
        _ = reply.withCString { send(connection, $0, strlen($0), 0) }
        close(connection)
      }
      // The last ones stay open until the test is over.
      Thread.sleep(forTimeInterval: 10)
      for connection in open { close(connection) }
    }
  }

  static func status(_ line: String, _ headers: String = "", _ body: String = "{}") -> String {
    "HTTP/1.1 \(line)\r\nContent-Type: application/json\r\nConnection: close\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
  }

  static func stream(_ events: [String]) -> String {
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n" + events.joined()
  }

  static func text(_ text: String, reason: String? = nil) -> String {
    let reason = reason.map { "\"\($0)\"" } ?? "null"
    return
      "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\(JSONValue.string(text).text)},\"finish_reason\":\(reason)}]}\r\n\r\n"
  }
}

struct RemoteBackendTests {
  private func run(
    _ stub: StubEndpoint, begun: String = "", change: (inout RemoteBackend.Options) -> Void = { _ in }
  ) async throws -> (text: String, end: AnswerEnd?) {
    var options = RemoteBackend.Options(endpoint: "http://127.0.0.1:\(stub.port)/v1/", model: "m", key: "k")
    change(&options)
    var text = ""
    var end: AnswerEnd?
    let request = AnswerRequest([ChatMessage(.user, "hi")], begun: begun, maxTokens: 9)
    for try await piece in try RemoteBackend(options).answer(request) {
      switch piece {
      case .text(let more): text += more
      case .ended(let last): end = last
      }
    }
    return (text, end)
  }

  private let whole = StubEndpoint.stream([
    ": comment\n\n", StubEndpoint.text("Hé"), StubEndpoint.text("llo"), StubEndpoint.text("", reason: "stop"),
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3,\"prompt_tokens_details\":{\"cached_tokens\":4}}}\n\n",
    "data: [DONE]\n\n",
  ])

  @Test func streamsAndCounts() async throws {
    let stub = try StubEndpoint([whole])
    let (text, end) = try await run(stub)
    #expect(text == "Héllo" && end?.tokens == 3 && end?.readTokens == 3 && end?.endedByItself == true)
    let request = try #require(stub.seen.first)
    #expect(request.hasPrefix("POST /v1/chat/completions "))
    #expect(request.lowercased().contains("authorization: bearer k"))
    #expect(request.contains("\"max_tokens\":9") && request.contains("\"stream\":true"))
  }

  @Test func busyEndpointsAreAskedAgain() async throws {
    let stub = try StubEndpoint([
      StubEndpoint.status("429 Too Many Requests", "Retry-After: 0\r\n"),
      StubEndpoint.status("503 Service Unavailable"),
      whole,
    ])
    #expect(try await run(stub).text == "Héllo")
    #expect(stub.seen.count == 3)
    let tired = try StubEndpoint([StubEndpoint.status("500 Internal Server Error"), StubEndpoint.status("500 X")])
    await #expect { try await run(tired) { $0.retries = 1 } } throws: { "\($0)".contains("2 times") }
  }

  @Test func refusalsAreNot() async throws {
    let stub = try StubEndpoint([
      StubEndpoint.status("400 Bad Request", "", #"{"error":{"message":"too long"}}"#), whole,
    ])
    await #expect { try await run(stub) } throws: { "\($0)".contains("400: too long") }
    #expect(stub.seen.count == 1)
  }

  @Test func brokenAnswersAreErrors() async throws {
    for events in [
      [StubEndpoint.text("Half")], [StubEndpoint.text("x"), "data: {\"error\":{\"message\":\"out of memory\"}}\n\n"],
      [StubEndpoint.text("x"), "data: {broken\n\n"],
    ] {
      let stub = try StubEndpoint([StubEndpoint.stream(events)])
      await #expect(throws: SkeletonError.self) { try await run(stub) { $0.retries = 0 } }
    }
  }

  @Test func silentEndpointsTimeOut() async throws {
    let stub = try StubEndpoint([nil])
    // The stub itself would close the connection in the end, which is told otherwise.
    await #expect {
      try await run(stub) {
        $0.timeout = 1
        $0.retries = 0
      }
    } throws: {
      "\($0)".contains("could not be reached")
    }
  }

  /// Some endpoints repeat the beginning they were given ("1." comes twice, as with ChatGPT).
  @Test func aRepeatedBeginningIsDropped() async throws {
    let again = StubEndpoint.stream([
      StubEndpoint.text("1"), StubEndpoint.text(". He"), StubEndpoint.text("ads", reason: "stop"), "data: [DONE]\n\n",
    ])
    #expect(try await run(StubEndpoint([again]), begun: " 1.").text == " Heads")
    #expect(try await run(StubEndpoint([whole]), begun: " 1.").text == "Héllo")
  }
}
