import Foundation
import MartletEngine
import MartletModels
import Synchronization

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// Writes through an OpenAI-compatible endpoint: several requests at a time, retried when the endpoint is busy.
public final class RemoteBackend: SkeletonBackend {
  public struct Options: Sendable {
    /// E.g. `http://127.0.0.1:8080/v1`.
    public var endpoint: String
    public var model: String
    public var key: String?
    public var sampling = Sampling()
    /// Most requests at a time.
    public var mostTogether = 8
    /// Further tries after 408, 409, 429, 5xx or a broken connection before any text came.
    public var retries = 2
    /// Seconds without a byte that end a request.
    public var timeout = 120.0
    /// Send the beginning of the answer as a last message of the assistant.
    public var sendsBeginnings = true

    public init(endpoint: String, model: String, key: String? = nil) {
      self.endpoint = endpoint
      self.model = model
      self.key = key
    }
  }

  public let options: Options
  private let url: URL
  private let gate: Gate
  private let read = Atomic(0)

  public init(_ options: Options) throws {
    var base = options.endpoint
    while base.hasSuffix("/") { base.removeLast() }
    guard let url = URL(string: base + "/chat/completions"), ["http", "https"].contains(url.scheme ?? "") else {
      throw SkeletonError("\(options.endpoint) is not an address; write e.g. http://127.0.0.1:8080/v1")
    }
    self.options = options
    self.url = url
    gate = Gate(places: max(1, options.mostTogether))
  }

  public var runsTogetherCheaply: Bool { false }
  public var readTokens: Int { read.load(ordering: .relaxed) }

  public func answers(_ requests: [AnswerRequest]) async throws -> [AnswerStream] { try requests.map(answer) }
  public func answers(_ requests: [AnswerRequest], after end: AnswerEnd) async throws -> [AnswerStream]? { nil }

  public func answer(_ request: AnswerRequest) throws -> AnswerStream {
    let call = try make(request)
    let begun = request.begun
    return AnswerStream { continuation in
      let task = Task { [self] in
        do {
          try await gate.withPlace { try await send(call, begun: begun, to: continuation) }
          continuation.finish()
        } catch {
          continuation.finish(throwing: error)
        }
      }
      continuation.onTermination = { _ in task.cancel() }
    }
  }

  private func make(_ request: AnswerRequest) throws -> URLRequest {
    var messages = request.messages.map { message -> JSONValue in
      ["role": .string(message.role.rawValue), "content": .string(message.content)]
    }
    if !request.begun.isEmpty, options.sendsBeginnings {
      messages.append(["role": "assistant", "content": .string(request.begun)])
    }
    let body: JSONValue = [
      "model": .string(options.model), "messages": .array(messages), "max_tokens": .integer(request.maxTokens),
      "temperature": .number(Double(options.sampling.temperature)), "top_p": .number(Double(options.sampling.topP)),
      "stream": true, "stream_options": ["include_usage": true],
    ]
    var call = URLRequest(url: url)
    call.httpMethod = "POST"
    call.timeoutInterval = options.timeout
    call.setValue("application/json", forHTTPHeaderField: "Content-Type")
    call.setValue("text/event-stream", forHTTPHeaderField: "Accept")
    if let key = options.key { call.setValue("Bearer \(key)", forHTTPHeaderField: "Authorization") }
    call.httpBody = Data(body.text.utf8)
    return call
  }

  /// Sends, and sends again while the endpoint is busy and nothing has come yet.
  private func send(_ call: URLRequest, begun: String, to continuation: AnswerStream.Continuation) async throws {
    var attempt = 0
    while true {
      do {
        return try await receive(call, begun: begun, to: continuation)
      } catch let problem as Busy where attempt < options.retries {
        let wait = min(problem.retryAfter ?? 0.5 * Double(1 << attempt), 30)
        try await Task.sleep(for: .seconds(wait))
        attempt += 1
      } catch let problem as Busy {
        throw SkeletonError("\(options.endpoint) \(problem.reason), \(attempt + 1) times; try again later")
      }
    }
  }

  private struct Busy: Error {
    let reason: String
    var retryAfter: Double?
  }

  private func receive(_ call: URLRequest, begun: String, to continuation: AnswerStream.Continuation) async throws {
    let started = Date()
    var end = AnswerEnd(endedByItself: false)
    var first: Date?
    var sawEnd = false
    var skipped = BeginningFilter(begun)
    var events = EventParser()
    var pieces = 0
    let transfer = StreamedTransfer()
    do {
      for try await part in transfer.run(call) {
        switch part {
        case .head(let status, let headers):
          guard status != 200 else { continue }
          let body = await transfer.body(limit: 4096)
          let message = (try? JSONValue(parsing: body.utf8))?["error"]?["message"]?.string ?? String(body.prefix(200))
          if [408, 409, 429].contains(status) || status >= 500 {
            throw Busy(
              reason: "answered \(status) (\(message))", retryAfter: headers["retry-after"].flatMap(Double.init))
          }
          throw SkeletonError("\(options.endpoint) answered \(status): \(message)")
        case .bytes(let bytes):
          for event in events.push(bytes) {
            if event == "[DONE]" {
              sawEnd = true
              continue
            }
            guard let object = try? JSONValue(parsing: event) else {
              throw SkeletonError("\(options.endpoint) sent an event that is not JSON")
            }
            if let problem = object["error"] {
              throw SkeletonError("\(options.endpoint) broke off: \(problem["message"]?.string ?? problem.text)")
            }
            if let usage = object["usage"]?.object {
              end.promptTokens = usage["prompt_tokens"]?.integer ?? 0
              end.tokens = usage["completion_tokens"]?.integer ?? end.tokens
              end.readTokens =
                end.promptTokens - (usage["prompt_tokens_details"]?["cached_tokens"]?.integer ?? 0)
            }
            guard let choice = object["choices"]?.array?.first else { continue }
            if let text = choice["delta"]?["content"]?.string, !text.isEmpty {
              if first == nil { first = Date() }
              pieces += 1
              let text = skipped.push(text)
              if !text.isEmpty { continuation.yield(.text(text)) }
            }
            if let reason = choice["finish_reason"]?.string {
              sawEnd = true
              end.endedByItself = reason == "stop"
            }
          }
        }
      }
    } catch let error as URLError where first == nil {
      throw Busy(reason: "could not be reached (\(ConnectionFailure.reason(error)))")
    }
    guard sawEnd else {
      if first == nil { throw Busy(reason: "closed the connection without an answer") }
      throw SkeletonError("\(options.endpoint) closed the connection in the middle of an answer")
    }
    let rest = skipped.finish()
    if !rest.isEmpty { continuation.yield(.text(rest)) }
    let now = Date()
    // Where the endpoint counts nothing, pieces stand for tokens.
    if end.tokens == 0 { end.tokens = pieces }
    end.promptSeconds = (first ?? now).timeIntervalSince(started)
    end.seconds = now.timeIntervalSince(first ?? now)
    read.add(end.readTokens, ordering: .relaxed)
    continuation.yield(.ended(end))
  }
}
