import Foundation
import Logging
import MartletData
import MartletEngine
import MartletModels
import Testing

@testable import MartletServer

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// A server of the model in the box on a free port, stopped when the test ends.
func withServer<Value: Sendable>(
  _ change: (inout ServerConfiguration) -> Void = { _ in },
  load: @escaping @Sendable () throws -> LoadedModel = {
    let box = try BuiltInModel.checkpoint()
    return try LoadedModel(model: ModelLoading.load(box), checkpoint: box)
  }, _ body: @Sendable (String, Int) async throws -> Value
) async throws -> Value {
  var configuration = ServerConfiguration()
  configuration.port = 0
  configuration.modelName = "box"
  configuration.sampling.temperature = 0
  configuration.shutdownTimeout = 5
  change(&configuration)
  var logger = Logger(label: "test")
  logger.logLevel = .critical
  let (ports, listening) = AsyncStream.makeStream(of: Int.self)
  let server = ModelServer(configuration, logger: logger, load: load)
  let task = Task { try await server.run { listening.yield($0) } }
  defer { task.cancel() }
  var port = 0
  for await value in ports {
    port = value
    break
  }
  let base = "http://127.0.0.1:\(port)"
  for _ in 0..<200 {
    if try await call(base + "/health").status == 200 { break }
    try await Task.sleep(for: .milliseconds(20))
  }
  return try await body(base, port)
}

func call(
  _ address: String, _ body: String? = nil, method: String? = nil, headers: [String: String] = [:]
) async throws -> (status: Int, body: JSONValue, text: String, headers: [String: String]) {
  var request = URLRequest(url: try #require(URL(string: address)))
  request.httpMethod = method ?? (body == nil ? "GET" : "POST")
  request.httpBody = body.map { Data($0.utf8) }
  if body != nil { request.setValue("application/json", forHTTPHeaderField: "Content-Type") }
  for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
  let (data, response) = try await URLSession.shared.data(for: request)
  let http = try #require(response as? HTTPURLResponse)
  var found: [String: String] = [:]
  for (name, value) in http.allHeaderFields { found["\(name)".lowercased()] = "\(value)" }
  return (http.statusCode, (try? JSONValue(parsing: data)) ?? .null, String(decoding: data, as: UTF8.self), found)
}

func chat(_ more: String = "", text: String = "ROMEO: hello", limit: Int = 12) -> String {
  #"{"messages":[{"role":"user","content":"\#(text)"}],"max_tokens":\#(limit)\#(more.isEmpty ? "" : "," + more)}"#
}

/// A plain connection, for what URLSession does not do.
final class Plain: @unchecked Sendable {
  private let descriptor: Int32
  private var isEnded = false

  init(port: Int) throws {
    #if canImport(Glibc)
      descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #else
      descriptor = socket(AF_INET, SOCK_STREAM, 0)
    #endif
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    #expect(result == 0)
  }

  func send(_ text: String) {
    _ = text.withCString { Foundation.send(descriptor, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
  }

  /// What comes until the head of an answer is there, at most `seconds`.
  func readHead(seconds: Int) -> String { read(seconds: seconds) { $0.contains("\r\n\r\n") } }

  /// What comes until the server closes or is silent for `seconds`.
  ///
  /// - Parameter patience: seconds until the first byte, which a busy machine may keep one waiting for.
  func readAll(seconds: Int, patience: Int? = nil) -> String {
    read(seconds: seconds, patience: patience) { _ in false }
  }

  private func read(seconds: Int, patience: Int? = nil, until isEnough: (String) -> Bool) -> String {
    func wait(_ seconds: Int) {
      var timeout = timeval(tv_sec: seconds, tv_usec: 0)
      setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    }
    wait(patience ?? seconds)
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = recv(descriptor, &buffer, buffer.count, 0)
      if count <= 0 { return String(decoding: bytes, as: UTF8.self) + (count < 0 ? " (timed out)" : "") }
      bytes += buffer[..<count]
      if patience != nil { wait(seconds) }
      if isEnough(String(decoding: bytes, as: UTF8.self)) { return String(decoding: bytes, as: UTF8.self) }
    }
  }

  /// No more will be sent.
  func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// Once: another connection may have the same number later.
  func end() {
    if !isEnded { close(descriptor) }
    isEnded = true
  }
  deinit { end() }
}

/// Runs what blocks on a thread of its own: the threads that tasks share are the server's too.
func onThread<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
  await withCheckedContinuation { continuation in
    Thread.detachNewThread { continuation.resume(returning: work()) }
  }
}

/// One request as it stands over a connection of its own.
func exchange(port: Int, _ request: String, seconds: Int = 10) async throws -> RawReply {
  let client = try Plain(port: port)
  client.send(request)
  return try RawReply(await onThread { client.readAll(seconds: seconds, patience: 60) })
}

/// A request with a JSON body, to be sent over a plain connection.
func post(
  _ path: String, _ body: String, headers: [String] = ["Content-Type: application/json"], version: String = "1.1"
) -> String {
  let lines =
    ["POST \(path) HTTP/\(version)", "Host: localhost", "Connection: close", "Content-Length: \(body.utf8.count)"]
    + headers
  return lines.joined(separator: "\r\n") + "\r\n\r\n" + body
}

/// What came over a plain connection: the first answer, and what follows it.
struct RawReply {
  let status: Int
  let version: String
  let headers: [String: String]
  let body: String

  init(_ text: String) throws {
    let parts = text.components(separatedBy: "\r\n\r\n")
    let lines = parts[0].components(separatedBy: "\r\n")
    let line = lines[0].split(separator: " ")
    version = line.first.map(String.init) ?? ""
    status = try #require(line.count > 1 ? Int(line[1]) : nil, "\(text.prefix(300))")
    body = parts.dropFirst().joined(separator: "\r\n\r\n")
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      let field = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
      if field.count == 2 { headers[field[0].lowercased()] = field[1] }
    }
    self.headers = headers
  }

  var json: JSONValue { (try? JSONValue(parsing: body)) ?? .null }
  var error: String? { json["error"]?["message"]?.string }
}

extension JSONValue {
  /// The first choice of an answer.
  var choice: JSONValue? { self["choices"]?.array?.first }
}
