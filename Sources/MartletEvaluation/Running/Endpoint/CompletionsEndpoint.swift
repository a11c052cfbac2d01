import Foundation
import MartletData
import Synchronization

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// An OpenAI-compatible endpoint, as far as evaluations need one: texts and tokens go there, and JSON comes back. A request is sent
/// again while the endpoint is busy.
public struct CompletionsEndpoint: Sendable {
  /// The address in front of `/completions`, e.g. `http://127.0.0.1:8080/v1`.
  public let address: String
  /// The name of the model there.
  public let model: String
  /// How many requests are sent at a time.
  public let parallel: Int
  private let key: String?
  private let base: URL
  /// How often a request is sent again, and how long it may take, in seconds.
  private let retries: Int, timeout: Double
  private let pace: RequestPace
  /// The names under which the endpoint may say that the model answers, beside that which is asked for; nil for any name.
  private let acceptedModels: [String]?

  /// - Parameters:
  ///   - address: the address in front of `/completions`.
  ///   - model: the name of the model there.
  ///   - key: the API key; nil sends none.
  ///   - parallel: how many requests are sent at a time, at least 1.
  ///   - retries: how often a request is sent again.
  ///   - timeout: how long an answer may take, in seconds.
  ///   - requestsPerMinute: the largest number of requests in a minute; nil for no limit.
  ///   - acceptedModels: further names under which the endpoint may say that the model answers; nil for any name.
  /// - Throws: ``EvaluationError`` if the address is none.
  public init(
    _ address: String, model: String, key: String? = nil, parallel: Int = 8, retries: Int = 3, timeout: Double = 600,
    requestsPerMinute: Int? = nil, acceptedModels: [String]? = []
  ) throws {
    var text = address
    while text.hasSuffix("/") { text.removeLast() }
    guard let url = URL(string: text), ["http", "https"].contains(url.scheme ?? ""), url.host != nil else {
      throw EvaluationError("\(address) is not an address; write e.g. http://127.0.0.1:8080/v1")
    }
    (self.address, self.model, self.key, base) = (text, model, key, url)
    self.parallel = max(1, parallel)
    (self.retries, self.timeout) = (retries, timeout)
    pace = RequestPace(requestsPerMinute: requestsPerMinute)
    self.acceptedModels = acceptedModels
  }

  /// Sends a request and reads the answer. What is no JSON, or has a flaw, is asked again, as is what comes too late; a server that names
  /// a time to wait is given it.
  ///
  /// - Parameters:
  ///   - path: the part of the address behind the base.
  ///   - body: the members of the request but the model.
  ///   - flaw: what is wrong with an answer that another attempt may mend; nil where nothing is.
  /// - Throws: ``EvaluationError`` that says what the endpoint answered.
  package func post(
    _ path: String, _ body: JSONObject, flaw: (JSONValue) -> String? = { _ in nil }
  ) async throws -> JSONValue {
    var call = URLRequest(url: base.appendingPathComponent(path))
    call.httpMethod = "POST"
    call.timeoutInterval = timeout
    call.setValue("application/json", forHTTPHeaderField: "Content-Type")
    if let key { call.setValue("Bearer \(key)", forHTTPHeaderField: "Authorization") }
    var whole = JSONObject()
    whole.append("model", .string(model))
    for member in body.members { whole.append(member.key, member.value) }
    call.httpBody = Data(JSONValue.object(whole).text.utf8)
    var attempt = 0
    while true {
      try await pace.wait()
      var problem = ""
      var wait = min(60, 0.25 * Double(1 << min(attempt + 1, 10)))
      do {
        let (data, response) = try await data(of: call)
        let status = response?.statusCode ?? 0
        let value = try? JSONValue(parsing: Array(data))
        if (200..<300).contains(status) {
          if let value {
            try checkModel(value)
            guard let flaw = flaw(value) else { return value }
            problem = "\(address) answered \(flaw)"
          } else {
            problem = "\(address) answered with \(data.isEmpty ? "nothing" : "something that is not JSON")"
          }
        } else {
          let reason = value?["error"]?["message"]?.string ?? value?["error"]?.string ?? "no reason given"
          problem = "\(address)/\(path) answered with status \(status): \(reason)"
          guard [408, 409, 425, 429].contains(status) || status >= 500 else {
            var error = EvaluationError(problem)
            error.status = status
            throw error
          }
          if let asked = RequestPace.seconds(ofRetryAfter: response?.value(forHTTPHeaderField: "Retry-After")) {
            guard asked <= RequestPace.longestWait else {
              throw EvaluationError(
                "\(problem); it asks for \(Int(asked)) s of patience, so go on later: what was answered is kept")
            }
            wait = asked
            await pace.pause(asked)
          }
        }
      } catch let error as URLError {
        problem =
          error.code == .timedOut
          ? "\(address) did not answer within \(timeout.formatted()) s; allow more time, or send fewer requests at a time"
          : "\(address) cannot be reached (\(error.localizedDescription)); check the address, and that the server runs"
      }
      guard attempt < retries else {
        throw EvaluationError(retries > 0 ? "\(problem) (after \(retries + 1) attempts)" : problem)
      }
      attempt += 1
      try await Task.sleep(for: .seconds(wait))
    }
  }

  /// An answer of another model than was asked ends the work: many servers answer with the model that they have, whatever name they are
  /// given. The name may have a date behind it. An endpoint need not name a model.
  private func checkModel(_ answer: JSONValue) throws {
    guard let acceptedModels, let name = answer["model"]?.string, !name.isEmpty else { return }
    let isAccepted = ([model] + acceptedModels).contains { accepted in
      name == accepted
        || name.hasPrefix(accepted)
          && name.dropFirst(accepted.count).wholeMatch(of: /-\d{4}-?\d{2}-?\d{2}|-\d{4}/) != nil
    }
    guard isAccepted else {
      throw EvaluationError(
        "\(address) answered as the model \"\(name)\", but \"\(model)\" was asked; correct the model's name, or accept that one as well (--accept-model, in a recipe `accepted_models`)"
      )
    }
  }

  /// Does work for every place, several at a time, and hands results over as they come. Where one fails, no more are begun, and those that
  /// have begun are waited for and handed over: they may have been paid for.
  package func forEach<Outcome: Sendable>(
    _ count: Int, _ work: @escaping @Sendable (_ place: Int) async throws -> Outcome,
    finished: (_ place: Int, _ result: Outcome) throws -> Void
  ) async throws {
    let (results, channel) = AsyncStream.makeStream(of: (Int, Result<Outcome, any Error>).self)
    var next = 0, running = 0
    var failure: (any Error)?
    func add() {
      guard next < count, failure == nil else { return }
      let place = next
      next += 1
      running += 1
      Task {
        do { channel.yield((place, .success(try await work(place)))) } catch { channel.yield((place, .failure(error))) }
      }
    }
    for _ in 0..<parallel { add() }
    guard running > 0 else { return }
    for await (place, result) in results {
      running -= 1
      do { try finished(place, result.get()) } catch { failure = failure ?? error }
      add()
      if running == 0 { break }
    }
    if let failure { throw failure }
    try Task.checkCancellation()
  }

  /// The answer, or the error that it took too long: a server that sends a byte now and then does not keep a request for ever. The
  /// transfer then goes on unheard.
  private func data(of call: URLRequest) async throws -> (Data, HTTPURLResponse?) {
    let limit = timeout
    return try await withCheckedThrowingContinuation { continuation in
      let waiting = OnceContinuation(continuation)
      URLSession.shared.dataTask(with: call) { data, response, error in
        if let error { return waiting.resume(.failure(error)) }
        waiting.resume(.success((data ?? Data(), response as? HTTPURLResponse)))
      }.resume()
      Task {
        try? await Task.sleep(for: .seconds(limit))
        waiting.resume(.failure(URLError(.timedOut)))
      }
    }
  }
}

/// A continuation that the first of several events resumes.
private final class OnceContinuation: Sendable {
  typealias Value = (Data, HTTPURLResponse?)
  private let continuation: Mutex<CheckedContinuation<Value, any Error>?>

  init(_ continuation: CheckedContinuation<Value, any Error>) { self.continuation = Mutex(continuation) }

  func resume(_ result: sending Result<Value, any Error>) {
    let waiting = continuation.withLock { waiting in
      defer { waiting = nil }
      return waiting
    }
    waiting?.resume(with: result)
  }
}
