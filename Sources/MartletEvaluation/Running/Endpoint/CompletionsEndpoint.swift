import Foundation
import MartletData

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
  private static let retries = 3, timeout = 600.0

  /// - Parameters:
  ///   - address: the address in front of `/completions`.
  ///   - model: the name of the model there.
  ///   - key: the API key; nil sends none.
  ///   - parallel: how many requests are sent at a time, at least 1.
  /// - Throws: ``EvaluationError`` if the address is none.
  public init(_ address: String, model: String, key: String? = nil, parallel: Int = 8) throws {
    var text = address
    while text.hasSuffix("/") { text.removeLast() }
    guard let url = URL(string: text), ["http", "https"].contains(url.scheme ?? ""), url.host != nil else {
      throw EvaluationError("\(address) is not an address; write e.g. http://127.0.0.1:8080/v1")
    }
    (self.address, self.model, self.key, base) = (text, model, key, url)
    self.parallel = max(1, parallel)
  }

  /// Sends a request and reads the answer.
  /// - Throws: ``EvaluationError`` that says what the endpoint answered.
  func post(_ path: String, _ body: JSONObject) async throws -> JSONValue {
    var call = URLRequest(url: base.appendingPathComponent(path))
    call.httpMethod = "POST"
    call.timeoutInterval = Self.timeout
    call.setValue("application/json", forHTTPHeaderField: "Content-Type")
    if let key { call.setValue("Bearer \(key)", forHTTPHeaderField: "Authorization") }
    var whole = JSONObject()
    whole.append("model", .string(model))
    for member in body.members { whole.append(member.key, member.value) }
    call.httpBody = Data(JSONValue.object(whole).text.utf8)
    var attempt = 0
    while true {
      var problem = ""
      do {
        let (data, status) = try await data(of: call)
        let value = try? JSONValue(parsing: Array(data))
        if (200..<300).contains(status) {
          guard let value else { throw EvaluationError("\(address) answered with something that is not JSON") }
          return value
        }
        let reason = value?["error"]?["message"]?.string ?? value?["error"]?.string ?? "no reason given"
        problem = "\(address)/\(path) answered with status \(status): \(reason)"
        guard [408, 409, 429].contains(status) || status >= 500 else { throw EvaluationError(problem) }
      } catch let error as URLError {
        problem =
          "\(address) cannot be reached (\(error.localizedDescription)); check the address, and that the server runs"
      }
      guard attempt < Self.retries else { throw EvaluationError(problem) }
      attempt += 1
      try await Task.sleep(for: .milliseconds(250 << attempt))
    }
  }

  /// Does work for every place, several at a time, and hands results over as they come. Where one fails, those that have begun go on
  /// unheard: a transfer that is cancelled while it ends brings Foundation's session down on Linux.
  func forEach<Result: Sendable>(
    _ count: Int, _ work: @escaping @Sendable (_ place: Int) async throws -> Result,
    finished: (_ place: Int, _ result: Result) throws -> Void
  ) async throws {
    let (results, channel) = AsyncThrowingStream.makeStream(of: (Int, Result).self)
    var next = 0
    func add() {
      guard next < count else { return }
      let place = next
      next += 1
      Task {
        do { channel.yield((place, try await work(place))) } catch { channel.finish(throwing: error) }
      }
    }
    for _ in 0..<parallel { add() }
    var done = 0
    guard count > 0 else { return }
    for try await (place, result) in results {
      try finished(place, result)
      add()
      done += 1
      if done == count { break }
    }
    try Task.checkCancellation()
  }

  private func data(of call: URLRequest) async throws -> (Data, Int) {
    try await withCheckedThrowingContinuation { continuation in
      URLSession.shared.dataTask(with: call) { data, response, error in
        if let error { return continuation.resume(throwing: error) }
        continuation.resume(returning: (data ?? Data(), (response as? HTTPURLResponse)?.statusCode ?? 0))
      }.resume()
    }
  }
}
