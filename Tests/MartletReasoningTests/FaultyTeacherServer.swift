import Foundation
import MartletData
import MartletTestSupport
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// An endpoint that misbehaves: the first answers of a question are the faults, in their order, and then it answers.
final class FaultyTeacherServer: Sendable {
  enum Fault: String, CaseIterable {
    case tooMany, serverError, halfAnswer, nothing, closes, tooSlow
  }

  let address: String
  private let listener: LoopbackListener
  private let state = Mutex((seen: [String: Int](), answered: [String: Int]()))

  /// How often each question was answered in full: what a teacher would have been paid for.
  var answered: [String: Int] { state.withLock { $0.answered } }

  init(
    _ faults: [Fault] = [], model: String = "big",
    reply: @escaping @Sendable (String) -> String = { "Because of \($0). The answer is 4." }
  ) throws {
    listener = try LoopbackListener()
    address = "http://127.0.0.1:\(listener.port)/v1"
    listener.serveEach { [self] connection in
      guard let request = LoopbackListener.request(on: connection), let body = try? JSONValue(parsing: request.body),
        let question = body["messages"]?.array?.last?["content"]?.string
      else { return }
      let time = state.withLock { state in
        defer { state.seen[question, default: 0] += 1 }
        return state.seen[question, default: 0]
      }
      let answer: JSONValue = [
        "model": .string(model), "usage": ["prompt_tokens": 7, "completion_tokens": 5],
        "choices": [["message": ["content": .string(reply(question))], "finish_reason": "stop"]],
      ]
      guard time < faults.count else {
        state.withLock { $0.answered[question, default: 0] += 1 }
        return Self.send(answer.text, on: connection)
      }
      switch faults[time] {
      case .tooMany:
        Self.send(#"{"error":{"message":"slow down"}}"#, status: "429 Busy", "Retry-After: 0\r\n", on: connection)
      case .serverError: Self.send("oops", status: "500 Broken", on: connection)
      case .halfAnswer: Self.send(String(answer.text.dropLast(20)), on: connection)
      case .nothing: Self.send("", on: connection)
      case .closes: return
      case .tooSlow: Thread.sleep(forTimeInterval: 3)
      }
    }
  }

  deinit { listener.close() }

  private static func send(_ text: String, status: String = "200 OK", _ header: String = "", on connection: Int32) {
    let head =
      "HTTP/1.1 \(status)\r\nContent-Type: application/json\r\n\(header)Content-Length: \(text.utf8.count)\r\nConnection: close\r\n\r\n"
    let bytes = Array((head + text).utf8)
    var start = 0
    while start < bytes.count {
      let sent = bytes[start...].withUnsafeBytes {
        systemSend(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if sent <= 0 { return }
      start += sent
    }
  }
}

/// The function of the system, which has the name of a method above.
private func systemSend(_ connection: Int32, _ bytes: UnsafeRawPointer?, _ count: Int, _ flags: Int32) -> Int {
  send(connection, bytes, count, flags)
}
