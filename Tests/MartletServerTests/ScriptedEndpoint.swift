import Foundation
import MartletData
import MartletEngine
import MartletTestSupport

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// An endpoint for tests: each request gets what a closure makes of it, on a thread of its own.
final class ScriptedEndpoint: @unchecked Sendable {
  struct Request: Sendable {
    /// Counts from 1 over all requests.
    let number: Int
    let body: JSONValue
    var messages: [JSONValue] { body["messages"]?.array ?? [] }
    var lastRole: String { messages.last?["role"]?.string ?? "" }
    /// The last message of the user.
    var prompt: String { messages.last { $0["role"] == "user" }?["content"]?.string ?? "" }
    var asksForSkeleton: Bool { prompt.contains("organizer") }
    /// The number of the point that is asked for, in the first or the second way.
    var point: Int? {
      if let point = prompt.firstMatch(of: /writing of point (\d+)/).flatMap({ Int($0.1) }) { return point }
      let heads = ["Heads", "Tails", "Edges", "Rims"]
      return prompt.contains("about this part only")
        ? heads.firstIndex { prompt.hasSuffix("\($0).") }.map { $0 + 1 } : nil
    }
    var streams: Bool { body["stream"] == true }
  }

  struct Reply: Sendable {
    var head = "200 OK"
    var headers: [String] = []
    var body: [UInt8]
    /// Closed in the middle of what the head announces.
    var isTorn = false

    init(_ body: String, type: String = "text/event-stream", head: String = "200 OK", headers: [String] = []) {
      self.body = Array(body.utf8)
      self.head = head
      self.headers = ["Content-Type: \(type)"] + headers
    }

    static func status(_ line: String, _ message: String = "no", headers: [String] = []) -> Reply {
      Reply(
        #"{"error":{"message":"\#(message)","type":"x"}}"#, type: "application/json", head: line, headers: headers)
    }
  }

  private let listener: LoopbackListener
  var port: Int { listener.port }
  private let lock = NSLock()
  private var requests: [Request] = []
  var seen: [Request] { lock.withLock { requests } }

  init(_ answer: @escaping @Sendable (Request) -> Reply) throws {
    listener = try LoopbackListener()
    listener.serveEach { [self] in serve($0, answer) }
  }

  func stop() { listener.close() }

  private func serve(_ connection: Int32, _ answer: @Sendable (Request) -> Reply) {
    guard let (_, body) = LoopbackListener.request(on: connection) else { return }
    let request = lock.withLock {
      let request = Request(number: requests.count + 1, body: (try? JSONValue(parsing: body)) ?? .null)
      requests.append(request)
      return request
    }
    let reply = answer(request)
    let head = ["HTTP/1.1 \(reply.head)", "Connection: close"] + reply.headers
    let all = Array((head.joined(separator: "\r\n") + "\r\n\r\n").utf8) + reply.body
    var sent = 0
    while sent < all.count {
      // In pieces that cut lines and characters.
      let count = all[sent...].withUnsafeBytes {
        send(connection, $0.baseAddress, min(37, $0.count), Int32(MSG_NOSIGNAL))
      }
      if count <= 0 { return }
      sent += count
    }
  }
}
