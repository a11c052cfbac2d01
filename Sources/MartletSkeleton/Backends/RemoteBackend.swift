import Foundation
import MartletData
import MartletEngine
import MartletModels
import Synchronization

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// Generates answers with an OpenAI-compatible endpoint. Several requests run at a time and are retried if the endpoint
/// is busy. Fields that an endpoint does not support are omitted (`EndpointDialect`).
public final class RemoteBackend: SkeletonBackend {
  /// The endpoint and how it is used.
  public struct Options: Sendable {
    /// The base URL, e.g. `http://127.0.0.1:8080/v1`.
    public var endpoint: String
    /// The name of the model at the endpoint.
    public var model: String
    /// The API key; nil sends none.
    public var key: String?
    /// How tokens are chosen.
    public var sampling = Sampling()
    /// The largest number of simultaneous requests.
    public var mostTogether = 8
    /// The number of retries after the statuses 408, 409, 429 and 5xx, or after a connection failure before any text
    /// was received.
    public var retries = 2
    /// The longest wait before a retry that an endpoint may request, in seconds.
    public var mostWait = 60.0
    /// The time without any data after which a request fails, in seconds.
    public var timeout = 120.0
    /// Whether the given beginning of an answer is sent as a last message of the assistant.
    public var sendsBeginnings = true

    /// An endpoint and one of its models.
    public init(endpoint: String, model: String, key: String? = nil) {
      self.endpoint = endpoint
      self.model = model
      self.key = key
    }
  }

  /// The endpoint and how it is used.
  public let options: Options
  private let url: URL
  private let gate: Gate
  private let read = Atomic(0)
  private let dialect: Mutex<EndpointDialect>
  /// Whether any answer of the endpoint has told its end; nil before the first.
  private let tellsEnds = Mutex<Bool?>(nil)

  /// A back end for an endpoint.
  /// - Throws: ``SkeletonError`` if the options are not usable.
  public init(_ options: Options) throws {
    var base = options.endpoint
    while base.hasSuffix("/") { base.removeLast() }
    guard let url = URL(string: base + "/chat/completions"), ["http", "https"].contains(url.scheme ?? "") else {
      throw SkeletonError("\(options.endpoint) is not an address; write e.g. http://127.0.0.1:8080/v1")
    }
    self.options = options
    self.url = url
    gate = Gate(places: max(1, options.mostTogether))
    dialect = Mutex(EndpointDialect(sendsBeginnings: options.sendsBeginnings))
  }

  public var runsTogetherCheaply: Bool { false }
  public var readTokens: Int { read.load(ordering: .relaxed) }

  public func answers(_ requests: [AnswerRequest]) async throws -> [AnswerStream] { try requests.map(answer) }
  public func answers(_ requests: [AnswerRequest], after end: AnswerEnd) async throws -> [AnswerStream]? { nil }

  public func answer(_ request: AnswerRequest) throws -> AnswerStream {
    AnswerStream { continuation in
      let task = Task { [self] in
        do {
          try await gate.withPlace { try await send(request, to: continuation) }
          continuation.finish()
        } catch {
          continuation.finish(throwing: Task.isCancelled ? CancellationError() : error)
        }
      }
      continuation.onTermination = { _ in task.cancel() }
    }
  }

  // MARK: requests

  /// What a request makes use of.
  private func traits(of request: AnswerRequest, _ dialect: EndpointDialect) -> Set<EndpointDialect.Trait> {
    var traits = Set(EndpointDialect.Trait.allCases.filter(dialect.has))
    if request.begun.isEmpty { traits.remove(.beginning) }
    if request.prefersWhole { traits.remove(.stream) }
    if !traits.contains(.stream) { traits.remove(.usageOption) }
    return traits
  }

  private func call(_ request: AnswerRequest, _ traits: Set<EndpointDialect.Trait>) -> URLRequest {
    var said = request.messages
    if traits.contains(.beginning) {
      said.append(ChatMessage(.assistant, request.begun))
    } else if !request.begun.isEmpty, let last = said.popLast() {
      let begun = request.begun.trimmingCharacters(in: .whitespaces)
      said.append(
        ChatMessage(last.role, last.content + "\n\nBegin your answer with \"\(begun)\" and nothing before it."))
    }
    var body = JSONObject()
    body.append("model", .string(options.model))
    body.append(
      "messages",
      .array(said.map { ["role": .string($0.role.rawValue), "content": .string($0.content)] }))
    body.append(traits.contains(.limit) ? "max_tokens" : "max_completion_tokens", .integer(request.maxTokens))
    if traits.contains(.sampling) {
      body.append("temperature", .number(Double(options.sampling.temperature)))
      body.append("top_p", .number(Double(options.sampling.topP)))
    }
    body.append("stream", .bool(traits.contains(.stream)))
    if traits.contains(.usageOption) { body.append("stream_options", ["include_usage": true]) }
    var call = URLRequest(url: url)
    call.httpMethod = "POST"
    call.timeoutInterval = options.timeout
    call.setValue("application/json", forHTTPHeaderField: "Content-Type")
    call.setValue(traits.contains(.stream) ? "text/event-stream" : "application/json", forHTTPHeaderField: "Accept")
    if let key = options.key { call.setValue("Bearer \(key)", forHTTPHeaderField: "Authorization") }
    call.httpBody = Data(JSONValue.object(body).text.utf8)
    return call
  }

  /// Sends, and sends again while the endpoint is busy, or refuses how it is said, and nothing has come yet.
  private func send(_ request: AnswerRequest, to continuation: AnswerStream.Continuation) async throws {
    var attempt = 0
    var current = dialect.withLock { $0 }
    while true {
      let traits = traits(of: request, current)
      do {
        try await receive(call(request, traits), for: request, to: continuation)
        dialect.withLock { known in
          for trait in EndpointDialect.Trait.allCases where !current.has(trait) { known.give(up: trait) }
          known.succeeded(with: traits)
        }
        return
      } catch let problem as Refusal {
        guard [200, 400, 405, 406, 415, 422, 501].contains(problem.status),
          let simpler = current.simpler(traits, after: problem.message)
        else {
          throw SkeletonError("\(options.endpoint) answered \(problem.status): \(problem.message)")
        }
        current = simpler
      } catch let problem as Busy {
        attempt += 1
        let wait = problem.retryAfter ?? 0.5 * Double(1 << min(attempt - 1, 6))
        guard attempt <= options.retries, wait <= options.mostWait else {
          let asked = wait > options.mostWait ? ", and asks to wait \(Int(min(wait, 1e9))) s" : ""
          throw SkeletonError(
            "\(options.endpoint) \(problem.reason), \(attempt == 1 ? "once" : "\(attempt) times")\(asked); try again later"
          )
        }
        try await Task.sleep(for: .seconds(max(0, wait)))
        // Some endpoints stumble over what they do not know, a begun answer above all.
        if problem.isServerError, let simpler = current.simpler(traits, after: "assistant") { current = simpler }
      }
    }
  }

  /// The endpoint may answer the same request later.
  private struct Busy: Error {
    let reason: String
    var retryAfter: Double?
    var isServerError = false
  }

  /// The endpoint will not answer this request.
  private struct Refusal: Error {
    let status: Int
    let message: String
  }

  // MARK: answers

  private func receive(
    _ call: URLRequest, for request: AnswerRequest, to continuation: AnswerStream.Continuation
  ) async throws {
    var answer = Answer(request)
    var events = EventParser()
    var isFramed = false
    let transfer = StreamedTransfer()
    do {
      for try await part in transfer.run(call) {
        switch part {
        case .head(let status, let headers):
          isFramed = headers["content-length"] != nil || headers["transfer-encoding"]?.lowercased() == "chunked"
          guard !(200...299).contains(status) else { continue }
          let body = await transfer.body(limit: 16_384)
          throw refusal(status, body, retryAfter: headers["retry-after"].flatMap(Self.seconds))
        case .bytes(let bytes):
          for event in events.push(bytes) { try take(event, into: &answer, continuation) }
        }
        if answer.isDone { break }
      }
      if !answer.isDone { for event in events.finish() { try take(event, into: &answer, continuation) } }
    } catch let error as URLError where answer.first == nil {
      throw Busy(reason: "could not be reached (\(ConnectionFailure.reason(error)))")
    } catch let error as URLError {
      throw SkeletonError(
        "\(options.endpoint) closed the connection in the middle of an answer (\(ConnectionFailure.reason(error)))")
    }
    try checkEnd(&answer, isFramed: isFramed, maxTokens: request.maxTokens)
    let rest = answer.rest()
    if !rest.isEmpty { continuation.yield(.text(rest)) }
    read.add(answer.end.readTokens, ordering: .relaxed)
    continuation.yield(.ended(answer.ended()))
  }

  private func take(
    _ event: EventParser.Event, into answer: inout Answer, _ continuation: AnswerStream.Continuation
  ) throws {
    let data = event.data.trimmingCharacters(in: .whitespacesAndNewlines)
    if data.isEmpty || answer.isDone { return }
    if data == "[DONE]" {
      answer.isDone = true
      return
    }
    guard let object = try? JSONValue(parsing: data), object.object != nil else {
      throw problem(
        EndpointReply.Problem(message: String(data.prefix(200)), status: nil, isPassing: false), answer,
        what: "sent an event that is not JSON")
    }
    do {
      let text = answer.take(try EndpointReply(object, isError: event.name == "error"))
      if !text.isEmpty { continuation.yield(.text(text)) }
    } catch let said as EndpointReply.Problem {
      throw problem(said, answer, what: "broke off")
    }
    if answer.reason == "error" {
      throw problem(
        EndpointReply.Problem(message: "finish_reason is error", status: nil, isPassing: true), answer,
        what: "broke off")
    }
  }

  /// What an error that comes with an answer means: before any text, the same as a status of HTTP.
  private func problem(_ said: EndpointReply.Problem, _ answer: Answer, what: String) -> any Error {
    if answer.first != nil { return SkeletonError("\(options.endpoint) \(what): \(said.message)") }
    if said.isPassing {
      return Busy(
        reason: "answered \(said.status.map(String.init) ?? "with an error") (\(said.message))",
        isServerError: said.status == 500)
    }
    return Refusal(status: said.status ?? 200, message: said.message)
  }

  private func refusal(_ status: Int, _ body: String, retryAfter: Double?) -> any Error {
    let said = (try? JSONValue(parsing: body.utf8)).flatMap { EndpointReply.problem($0, isError: true) }
    let message = said?.message ?? String(body.prefix(200))
    guard EndpointReply.isPassing(status) else { return Refusal(status: status, message: message) }
    return Busy(reason: "answered \(status) (\(message))", retryAfter: retryAfter, isServerError: status == 500)
  }

  /// Whether an answer that has stopped has ended.
  private func checkEnd(_ answer: inout Answer, isFramed: Bool, maxTokens: Int) throws {
    if answer.isDone || answer.reason != nil {
      tellsEnds.withLock { $0 = true }
      // Where nobody says why it ended, the limit may have.
      let spent = answer.end.tokens > 0 ? answer.end.tokens : answer.pieces
      answer.end.endedByItself = answer.reason.map(EndpointReply.endedByItself) ?? (spent < maxTokens)
      return
    }
    if answer.first == nil { throw Busy(reason: "closed the connection without an answer") }
    // Some endpoints never tell ends. Then the frame of HTTP does, or the end of a sentence.
    let known = tellsEnds.withLock { $0 }
    let isSentence = answer.lastSign.map { ".!?。！？\"”»`".contains($0) } ?? false
    guard known != true, isFramed || isSentence else {
      throw SkeletonError("\(options.endpoint) closed the connection in the middle of an answer")
    }
    answer.end.endedByItself = isFramed && answer.pieces < maxTokens
  }

  /// Seconds of a `Retry-After`: a number, or a date.
  private static func seconds(_ text: String) -> Double? {
    if let seconds = Double(text), seconds.isFinite { return max(0, seconds) }
    let format = DateFormatter()
    format.locale = Locale(identifier: "en_US_POSIX")
    format.timeZone = TimeZone(identifier: "GMT")
    format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
    return format.date(from: text).map { max(0, $0.timeIntervalSinceNow) }
  }
}

/// An answer while it comes in.
private struct Answer {
  private var filter: BeginningFilter
  /// nil where thoughts are left in: an answer to the person's own question is what the endpoint says.
  private var thoughts: ThoughtFilter?
  var end = AnswerEnd(endedByItself: false)
  var reason: String?
  var isDone = false
  var pieces = 0
  var lastSign: Character?
  let started = Date()
  var first: Date?

  init(_ request: AnswerRequest) {
    filter = BeginningFilter(request.begun)
    thoughts = request.isQuestion ? nil : ThoughtFilter()
  }

  /// - Returns: what can be shown.
  mutating func take(_ reply: EndpointReply) -> String {
    if let count = reply.promptTokens {
      end.promptTokens = count
      end.readTokens = count - min(count, reply.cachedTokens ?? 0)
    }
    end.tokens = reply.tokens ?? end.tokens
    reason = reply.finishReason ?? reason
    if reply.isWhole { isDone = true }
    guard !reply.text.isEmpty else { return "" }
    first = first ?? Date()
    pieces += 1
    lastSign = reply.text.last { !$0.isWhitespace } ?? lastSign
    return filter.push(thoughts?.push(reply.text) ?? reply.text)
  }

  /// What the filters hold back, when nothing more comes.
  mutating func rest() -> String {
    let last = filter.push(thoughts?.finish() ?? "")
    return last + filter.finish()
  }

  /// How it ended. Where the endpoint counts nothing, pieces stand for tokens.
  func ended() -> AnswerEnd {
    var end = end
    if end.tokens == 0 { end.tokens = pieces }
    let now = Date()
    end.promptSeconds = (first ?? now).timeIntervalSince(started)
    end.seconds = now.timeIntervalSince(first ?? now)
    return end
  }
}
