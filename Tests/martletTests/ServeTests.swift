import Foundation
import MartletData
import MartletTestSupport
import Testing

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// `martlet serve` as the person who starts it meets it: what it logs, when it says that it listens, how it ends.
@Suite(.serialized) struct ServeTests {
  /// A server of the model in the box.
  final class Server {
    let process = Process()
    private let scratch: TestData.Scratch
    private var file: String { scratch.file("err") }

    init(_ arguments: [String], model: String = "box") throws {
      scratch = try TestData.Scratch()
      _ = FileManager.default.createFile(atPath: scratch.file("err"), contents: nil)
      process.executableURL = URL(fileURLWithPath: MartletCommand.executable)
      process.arguments = ["serve", model, "--no-edits"] + arguments
      process.environment = ProcessInfo.processInfo.environment.merging(["MARTLET_HOME": scratch.path]) { $1 }
      process.standardError = FileHandle(forWritingAtPath: scratch.file("err"))
      try process.run()
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    var log: String { String(decoding: FileManager.default.contents(atPath: file) ?? Data(), as: UTF8.self) }

    /// Its port, once the model is there.
    func port() async throws -> Int {
      for _ in 0..<1_500 {
        if log.contains("model ready"), let match = log.firstMatch(of: /http:..127\.0\.0\.1:(\d+)/) {
          return try #require(Int(match.1))
        }
        try await Task.sleep(for: .milliseconds(20))
      }
      throw POSIXError(.ETIMEDOUT)
    }

    func answering() async throws {
      try await MartletCommand.waitUntilAnswering("http://127.0.0.1:\(try await port())")
    }

    /// The exit code; it is waited for at most a minute.
    func end() async throws -> Int32 {
      for _ in 0..<3_000 where process.isRunning { try await Task.sleep(for: .milliseconds(20)) }
      #expect(!process.isRunning)
      if process.isRunning { kill(process.processIdentifier, SIGKILL) }
      process.waitUntilExit()
      return process.terminationStatus
    }
  }

  private func ask(_ port: Int, tokens: Int) throws -> URLRequest {
    var request = URLRequest(url: try #require(URL(string: "http://127.0.0.1:\(port)/v1/completions")))
    request.httpMethod = "POST"
    request.httpBody = Data(#"{"prompt":"ROMEO:","max_tokens":\#(tokens),"ignore_eos":true}"#.utf8)
    request.setValue("application/json", forHTTPHeaderField: "Content-Type")
    return request
  }

  @Test func addressesThatCannotBeHadAreSaidFirst() async throws {
    let first = try Server(["--port", "0"])
    let port = try await first.port()
    for (arguments, words) in [
      (["--port", "\(port)"], ["\(port)", "in use", "--port"]),
      (["--host", "no.such.host.invalid", "--port", "8118"], ["no.such.host.invalid", "8118", "--host"]),
      (["--host", "192.0.2.7", "--port", "8118"], ["192.0.2.7", "--host"]),
    ] {
      let second = try Server(arguments)
      #expect(try await second.end() == 1)
      let lines = second.log.split(separator: "\n")
      #expect(!second.log.contains("model ready") && !second.log.contains("listening"), "\(second.log)")
      #expect(words.allSatisfy { lines.last?.contains($0) == true } && lines.last?.hasPrefix("Error: ") == true)
    }
    // A model that is not there is said before anything else.
    let none = try Server(["--port", "0"], model: "/no/such/model.gguf")
    #expect(try await none.end() == 1)
    #expect(!none.log.contains("listening") && none.log.contains("/no/such/model.gguf"), "\(none.log)")
    kill(first.process.processIdentifier, SIGTERM)
    #expect(try await first.end() == 0)
  }

  @Test func logLinesReadInOrderAndSteerNoTerminal() async throws {
    let name = "a\u{1b}[31m\nb \"c\"\u{9b}\u{202e}"
    for isJSON in [false, true] {
      let server = try Server(["--port", "0", "--log-text", "--name", name] + (isJSON ? ["--json"] : []))
      let port = try await server.port()
      _ = try await URLSession.shared.data(for: ask(port, tokens: 3))
      for _ in 0..<250 where !server.log.contains("completion_tokens") { try await Task.sleep(for: .milliseconds(20)) }
      kill(server.process.processIdentifier, SIGINT)
      #expect(try await server.end() == 0)
      let log = server.log
      for scalar in log.unicodeScalars where scalar != "\n" {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: Issue.record("\(scalar.value)")
        default: break
        }
      }
      let line = try #require(log.split(separator: "\n").first { $0.contains("completion_tokens") })
      let keys = ["method", "path", "status", "ms", "ending", "prompt_tokens", "cached_tokens", "completion_tokens"]
      let places = keys.compactMap { line.firstRange(of: isJSON ? "\"\($0)\":" : " \($0)=")?.lowerBound }
      #expect(places.count == keys.count && places == places.sorted(), "\(line)")
      #expect(log.split(separator: "\n").filter { $0.contains("listening") }.count == 1, "\(log)")
      guard isJSON else { continue }
      for line in log.split(separator: "\n") {
        let object = try #require(try JSONValue(parsing: String(line)).object)
        #expect(object.members.prefix(3).map(\.key) == ["time", "level", "message"])
        if object["model"] != nil { #expect(object["model"] == .string(name)) }
        if object["status"] != nil { #expect(object["status"] == 200 && object["ms"]?.integer != nil) }
      }
    }
  }

  @Test func theExitCodeSaysHowItEnded() async throws {
    // Answers that take longer than they are given.
    let slow = try Server(["--port", "0", "--shutdown-timeout", "1", "--log-level", "info"])
    let long = try ask(try await slow.port(), tokens: 100_000)
    let first = Task { try await URLSession.shared.data(for: long) }
    try await slow.answering()
    kill(slow.process.processIdentifier, SIGTERM)
    #expect(try await slow.end() == 1)
    #expect(slow.log.contains("--shutdown-timeout") && slow.log.contains("cut off"), "\(slow.log)")
    first.cancel()
    // A second Ctrl-C does not wait.
    let impatient = try Server(["--port", "0"])
    let endless = try ask(try await impatient.port(), tokens: 100_000)
    let second = Task { try await URLSession.shared.data(for: endless) }
    try await impatient.answering()
    for _ in 0..<2 {
      kill(impatient.process.processIdentifier, SIGINT)
      try await Task.sleep(for: .milliseconds(1_200))
    }
    #expect(try await impatient.end() == 130)
    second.cancel()
  }

  /// `timeout` sends its signal to the server and to the group that it is in.
  @Test func aSignalThatComesTwiceAtOnceIsOne() async throws {
    let server = try Server(["--port", "0"])
    let request = try ask(try await server.port(), tokens: 1_500)
    let running = Task { try await URLSession.shared.data(for: request) }
    try await server.answering()
    // Without a pause that a busy machine could make longer than the quarter of a second within which both are one.
    for _ in 0..<2 {
      kill(server.process.processIdentifier, SIGTERM)
      usleep(5_000)
    }
    let reply = try JSONValue(parsing: String(decoding: try await running.value.0, as: UTF8.self))
    #expect(reply["usage"]?["completion_tokens"] == 1_500)
    #expect(try await server.end() == 0)
    #expect(!server.log.contains("second signal"), "\(server.log)")
  }
}
