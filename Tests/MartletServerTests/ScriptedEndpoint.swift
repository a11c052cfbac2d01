import Foundation
import MartletEngine
import Testing

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

  private let listener: Int32
  let port: Int
  private let lock = NSLock()
  private var requests: [Request] = []
  var seen: [Request] { lock.withLock { requests } }

  init(_ answer: @escaping @Sendable (Request) -> Reply) throws {
    #if canImport(Glibc)
      let kind = Int32(SOCK_STREAM.rawValue)
    #else
      let kind = SOCK_STREAM
    #endif
    let descriptor = socket(AF_INET, kind, 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) == 0 && listen(descriptor, 64) == 0 && getsockname(descriptor, $0, &length) == 0
      }
    }
    try #require(bound)
    listener = descriptor
    port = Int(UInt16(bigEndian: address.sin_port))
    Thread.detachNewThread { [self] in
      while true {
        let connection = accept(descriptor, nil, nil)
        if connection < 0 { return }
        Thread.detachNewThread { [self] in
          serve(connection, answer)
          close(connection)
        }
      }
    }
  }

  func stop() {
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
  }

  private func serve(_ connection: Int32, _ answer: @Sendable (Request) -> Reply) {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    var bytes: [UInt8] = []
    var body: [UInt8] = []
    while true {
      let count = recv(connection, &buffer, buffer.count, 0)
      if count <= 0 { return }
      bytes += buffer[..<count]
      guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { continue }
      let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).lowercased()
      let size = head.firstMatch(of: /content-length: (\d+)/).flatMap { Int($0.1) } ?? 0
      body = Array(bytes[end.upperBound...])
      if body.count >= size { break }
    }
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
