import Foundation
import MartletData
import MartletTestSupport
import Testing

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

@testable import MartletModels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

@Suite(.serialized) struct HubDownloadTests {
  private let scratch: TestData.Scratch
  private var folder: String { scratch.file("models") }
  init() throws { scratch = try TestData.Scratch() }

  private static let content = Data((0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) })
  private static let sum: String = {
    var digest = SHA256()
    digest.update(Array(content))
    return digest.finalize()
  }()

  /// The list of a repository with one file.
  private func list(
    _ name: String = "model.gguf", size: Int? = content.count, sha256: String? = sum
  ) -> LoopbackServer.Answer {
    var file: [String: Any] = ["type": "file", "path": name]
    file["size"] = size
    if let sha256 { file["lfs"] = ["oid": sha256] }
    return .init(body: (try? JSONSerialization.data(withJSONObject: [file])) ?? Data())
  }

  private func hub(_ server: LoopbackServer, token: String? = nil) throws -> HubDownload {
    try HubDownload(repository: "owner/name", endpoint: server.address, token: token)
  }

  private func fetch(_ hub: HubDownload) async throws { try await Self.fetch(hub, into: folder) }

  private static func fetch(_ hub: HubDownload, into folder: String) async throws {
    for file in try await hub.files(matching: nil) { try await hub.fetch(file, into: folder) { _, _ in } }
  }

  private func message(_ body: () async throws -> Void) async -> String {
    do {
      try await body()
      return ""
    } catch { return "\(error)" }
  }

  private var found: Data? { FileManager.default.contents(atPath: folder + "/model.gguf") }
  private var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted() }

  // MARK: The token

  @Test func aTokenStaysWithTheHub() async throws {
    // Another port and another name of the same machine are other places.
    let other = try LoopbackServer { _ in .init(body: Self.content) }
    for target in ["http://127.0.0.1:\(other.port)/file", "http://localhost:\(other.port)/file"] {
      let list = list()
      let server = try LoopbackServer { request in
        request.path.contains("/resolve/") ? .init(status: 302, headers: ["Location": target]) : list
      }
      try? FileManager.default.removeItem(atPath: folder)
      try await fetch(hub(server, token: "hf_secret"))
      #expect(found == Self.content)
      #expect(
        server.requests.allSatisfy { $0.header("authorization") == "Bearer hf_secret" } && server.requests.count == 2)
    }
    #expect(other.requests.count == 2 && other.requests.allSatisfy { $0.header("authorization") == nil })
    // Under another name of the hub itself, and back: the token goes along only where it belongs.
    let holder = Holder()
    let list = list()
    let server = try LoopbackServer { request in
      if request.path.contains("/api/") { return list }
      if request.path.contains("/resolve/") {
        return .init(status: 307, headers: ["Location": "http://localhost:\(holder.port)/away"])
      }
      if request.path == "/away" {
        return .init(status: 301, headers: ["Location": "http://127.0.0.1:\(holder.port)/home"])
      }
      return .init(body: Self.content)
    }
    holder.port = server.port
    try? FileManager.default.removeItem(atPath: folder)
    try await fetch(hub(server, token: "hf_secret"))
    let carried = server.requests.map { ($0.path, $0.header("authorization") != nil) }
    #expect(carried.first { $0.0 == "/away" }?.1 == false && carried.first { $0.0 == "/home" }?.1 == true)
  }

  private final class Holder: @unchecked Sendable { var port = 0 }

  @Test func aTokenNeverTravelsPlainly() throws {
    for endpoint in ["http://hub.example", "http://10.0.0.1:80", "http://127.0.0.1.example", "HTTP://[2001:db8::1]/x"] {
      #expect(throws: ModelError.self) { try HubAccess(endpoint: endpoint, token: "hf_secret") }
      #expect(throws: Never.self) { try HubAccess(endpoint: endpoint, token: nil) }
      #expect(throws: Never.self) { try HubAccess(endpoint: endpoint, token: "") }
    }
    for endpoint in ["http://localhost:8080", "http://127.0.0.1", "http://127.9.9.9/mirror/", "https://hub.example"] {
      let access = try HubAccess(endpoint: endpoint, token: " hf_secret\n")
      #expect(
        access.request(access.endpoint, range: 5).value(forHTTPHeaderField: "Authorization") == "Bearer hf_secret")
    }
    let access = try HubAccess(endpoint: "https://hub.example", token: "hf_secret")
    for other in [
      "http://hub.example/x", "https://hub.example:444/x", "https://hub.example.evil/x", "https://cdn.hub.example/",
      "https://hub.example@evil.example/", "https://evil.example/hub.example",
    ] {
      let url = try #require(URL(string: other))
      #expect(access.request(url, range: nil).value(forHTTPHeaderField: "Authorization") == nil, "\(other)")
    }
    for same in ["https://hub.example:443/x", "https://HUB.example/y"] {
      let url = try #require(URL(string: same))
      #expect(access.request(url, range: nil).value(forHTTPHeaderField: "Authorization") != nil)
    }
    #expect(throws: ModelError.self) {
      try access.check(
        redirectFrom: access.endpoint, to: #require(URL(string: "http://hub.example/plain")))
    }
    for wrong in ["", "hub.example", "ftp://hub.example", "file:///etc/passwd", "https://", "https://x?y"] {
      #expect(throws: ModelError.self) { try HubAccess(endpoint: wrong, token: nil) }
    }
    #expect(throws: ModelError.self) { try HubAccess(endpoint: "https://hub.example", token: "a\r\nX: y") }
  }

  // MARK: Sizes and sums

  @Test func moreThanAnnouncedIsNotTaken() async throws {
    let list = list(size: 1000, sha256: nil)
    let server = try LoopbackServer { request in
      request.path.contains("/resolve/") ? .init(body: Data(count: 50_000_000), hidesLength: true) : list
    }
    let hub = try hub(server)
    #expect(await message { try await fetch(hub) }.contains("larger than the 1000 bytes"))
    #expect(names == [])
  }

  @Test func lessThanAnnouncedIsGoneOnWith() async throws {
    let list = list()
    let server = try LoopbackServer { request in
      guard request.path.contains("/resolve/") else { return list }
      guard let range = request.header("range"), let start = Int(range.dropFirst(6).dropLast()) else {
        return .init(body: Self.content, sends: 100_000)
      }
      return .init(
        status: 206, headers: ["Content-Range": "bytes \(start)-\(Self.content.count - 1)/\(Self.content.count)"],
        body: Self.content.dropFirst(start))
    }
    let hub = try hub(server)
    #expect(await !message { try await fetch(hub) }.isEmpty)
    #expect(names == ["model.gguf.part"])
    try await fetch(hub)
    #expect(found == Self.content && names == ["model.gguf"])
    #expect(server.requests.last?.header("range") == "bytes=100000-")
  }

  @Test func aWrongSumIsRefusedAndAWrongBeginningReplaced() async throws {
    let wrong = list(sha256: String(repeating: "0", count: 64))
    let server = try LoopbackServer { request in request.path.contains("/resolve/") ? .init(body: Self.content) : wrong
    }
    #expect(await message { try await fetch(hub(server)) }.contains("checksum is wrong"))
    #expect(names == [])
    // A beginning of another file, or one without a sum to tell, is begun anew.
    for sum in [Self.sum, nil] {
      let list = list(sha256: sum)
      let server = try LoopbackServer { request in
        guard request.path.contains("/resolve/") else { return list }
        guard let range = request.header("range"), let start = Int(range.dropFirst(6).dropLast()) else {
          return .init(body: Self.content)
        }
        return .init(
          status: 206, headers: ["Content-Range": "bytes \(start)-\(Self.content.count - 1)/\(Self.content.count)"],
          body: Self.content.dropFirst(start))
      }
      try? FileManager.default.removeItem(atPath: folder)
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try Data(count: 5000).write(to: URL(fileURLWithPath: folder + "/model.gguf.part"))
      try await fetch(hub(server))
      #expect(found == Self.content && names == ["model.gguf"])
    }
  }

  @Test func aFileOfTheRightSizeIsFetchedAgainWhereItsSumIsWrong() async throws {
    let list = list()
    let server = try LoopbackServer { request in
      request.path.contains("/resolve/") ? .init(body: Self.content) : list
    }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try Data(count: Self.content.count).write(to: URL(fileURLWithPath: folder + "/model.gguf"))
    for _ in 0..<2 {
      try await fetch(hub(server))
      #expect(found == Self.content && names == ["model.gguf"])
      #expect(server.requests.filter { $0.path.contains("/resolve/") }.count == 1)
    }
  }

  @Test func aSumInTheHubsHeadersCounts() async throws {
    let list = list(sha256: nil)
    for sum in [Self.sum, String(repeating: "a", count: 64)] {
      let server = try LoopbackServer { request in
        if request.path.contains("/api/") { return list }
        if request.path == "/there" { return .init(body: Self.content) }
        return .init(status: 302, headers: ["Location": "/there", "X-Linked-Etag": "\"\(sum)\""])
      }
      try? FileManager.default.removeItem(atPath: folder)
      let said = await message { try await fetch(hub(server)) }
      #expect(sum == Self.sum ? said.isEmpty && found == Self.content : said.contains("checksum is wrong"))
    }
  }

  @Test func answersThatMakeNoSenseAreSaid() async throws {
    let list = list()
    for answer in [
      LoopbackServer.Answer(status: 206, headers: ["Content-Range": "bytes 7-9/300000"], body: Self.content),
      .init(status: 206, body: Self.content), .init(status: 500), .init(status: 404), .init(status: 401),
      .init(status: 302, headers: ["Location": "/again/resolve/"]),
      .init(status: 302, headers: ["Location": "ftp://127.0.0.1/x"]), .init(status: 302), .init(status: 204),
    ] {
      try? FileManager.default.removeItem(atPath: folder)
      let server = try LoopbackServer { $0.path.contains("/resolve/") ? answer : list }
      let said = await message { try await fetch(hub(server)) }
      #expect(!said.isEmpty && said.hasPrefix("Error") == false && found == nil, "\(answer.status): \(said)")
      #expect(server.requests.count < 20)
    }
  }

  // MARK: Names

  @Test(arguments: [
    "../model.gguf", "a/../../model.gguf", "/etc/model.gguf", "a//model.gguf", "./model.gguf", "a/./model.gguf",
    "..\\model.gguf", "\u{1b}[2Jmodel.gguf", "a\nmodel.gguf", "a\u{0}/model.gguf", "..", "", "a/",
    String(repeating: "a", count: 300) + ".gguf",
  ])
  func namesCannotLeaveTheFolder(_ name: String) async throws {
    let list = list(name)
    let server = try LoopbackServer { request in
      request.path.contains("/resolve/") ? .init(body: Self.content) : list
    }
    let said = await message { try await fetch(hub(server)) }
    #expect(!said.isEmpty && !said.contains("\u{1b}") && !said.contains("\n"))
    #expect(server.requests.count == 1 && !FileManager.default.fileExists(atPath: scratch.file("model.gguf")))
    let file = HubDownload.File(name: name, size: Self.content.count, sha256: nil)
    await #expect(throws: ModelError.self) { try await hub(server).fetch(file, into: folder) { _, _ in } }
  }

  // MARK: Several at once

  @Test func twoPullsAtOnceDoNoHarm() async throws {
    let list = list()
    let server = try LoopbackServer { request in
      request.path.contains("/resolve/") ? .init(body: Self.content, pause: 0.3) : list
    }
    let hub = try hub(server)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<4 { group.addTask { [folder] in try await Self.fetch(hub, into: folder) } }
      try await group.waitForAll()
    }
    #expect(found == Self.content && names == ["model.gguf"])
    #expect(server.requests.filter { $0.path.contains("/resolve/") }.count == 1)
  }

  @Test func leftoversOfDeadProcessesGo() async throws {
    let list = list()
    let server = try LoopbackServer { request in
      request.path.contains("/resolve/") ? .init(body: Self.content) : list
    }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let living = "model.gguf.\(getpid()).part", dead = "model.gguf.\(Int32.max - 7).part"
    for name in [living, dead, "other.gguf.\(Int32.max - 7).part", "model.gguf.x.part"] {
      try Data(count: 10).write(to: URL(fileURLWithPath: folder + "/" + name))
    }
    try await fetch(hub(server))
    #expect(names == [living, "model.gguf", "model.gguf.x.part", "other.gguf.\(Int32.max - 7).part"].sorted())
    // So do those of files that are written whole.
    let file = try AtomicFile(path: folder + "/other.gguf")
    try file.commit()
    #expect(names.contains("other.gguf") && !names.contains("other.gguf.\(Int32.max - 7).part"))
  }
}

/// A small HTTP server of the loopback interface: one answer a connection.
private final class LoopbackServer: @unchecked Sendable {
  struct Request: Sendable {
    let path: String
    let head: [String]
    func header(_ name: String) -> String? {
      head.first { $0.lowercased().hasPrefix(name + ":") }.map {
        String($0.dropFirst(name.count + 1)).trimmingCharacters(in: .whitespaces)
      }
    }
  }

  struct Answer: Sendable {
    var status = 200
    var headers: [String: String] = [:]
    var body = Data()
    /// Only so many bytes of the body are sent before the connection closes.
    var sends: Int?
    var hidesLength = false
    var pause = 0.0
  }

  private let listener: LoopbackListener
  var port: Int { listener.port }
  var address: String { "http://127.0.0.1:\(port)" }
  private final class Log: @unchecked Sendable {
    private let lock = NSLock()
    private var seen: [Request] = []
    func add(_ request: Request) { lock.withLock { seen.append(request) } }
    var all: [Request] { lock.withLock { seen } }
  }
  private let log = Log()
  var requests: [Request] { log.all }

  init(_ answer: @escaping @Sendable (Request) -> Answer) throws {
    listener = try LoopbackListener()
    signal(SIGPIPE, SIG_IGN)
    listener.serveEach { [log] connection in
      guard let request = Self.read(connection) else { return }
      log.add(request)
      Self.write(answer(request), to: connection)
    }
  }

  deinit { listener.close() }

  private static func read(_ connection: Int32) -> Request? {
    guard let (head, _) = LoopbackListener.request(on: connection) else { return nil }
    let lines = head.components(separatedBy: "\r\n")
    let parts = lines[0].split(separator: " ")
    return parts.count > 1 ? Request(path: String(parts[1]), head: lines) : nil
  }

  private static func write(_ answer: Answer, to connection: Int32) {
    var head = "HTTP/1.1 \(answer.status) Answer\r\nConnection: close\r\n"
    for (name, value) in answer.headers { head += "\(name): \(value)\r\n" }
    if !answer.hidesLength { head += "Content-Length: \(answer.body.count)\r\n" }
    let whole = Data((head + "\r\n").utf8) + answer.body.prefix(answer.sends ?? answer.body.count)
    let half = answer.pause > 0 ? whole.count / 2 : whole.count
    for part in [whole.prefix(half), whole.dropFirst(half)] {
      let bytes = [UInt8](part)
      var sent = 0
      while sent < bytes.count {
        let count = bytes[sent...].withUnsafeBytes { send(connection, $0.baseAddress, $0.count, 0) }
        if count <= 0 { return }
        sent += count
      }
      if answer.pause > 0 { Thread.sleep(forTimeInterval: answer.pause) }
    }
  }
}
