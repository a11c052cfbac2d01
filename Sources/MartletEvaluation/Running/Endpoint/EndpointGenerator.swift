import MartletData
import MartletModels

/// Writes answers at an endpoint: conversations by chat completions, plain texts by completions.
public struct EndpointGenerator: TextGenerator {
  private let endpoint: CompletionsEndpoint
  /// Endpoints take at most so many stops; the answer is cut at the others here.
  private static let mostStops = 4

  /// A generator at an endpoint.
  public init(_ endpoint: CompletionsEndpoint) { self.endpoint = endpoint }

  public func generate(
    _ requests: [GenerationRequest], finished: (_ request: Int, _ text: GeneratedText) throws -> Void
  ) async throws {
    try await endpoint.forEach(requests.count) {
      try await answer(requests[$0])
    } finished: { place, text in
      try finished(place, GeneratedText(text))
    }
  }

  private func answer(_ request: GenerationRequest) async throws -> String {
    var body = JSONObject()
    if let messages = request.messages {
      body.append(
        "messages",
        .array(messages.map { ["role": .string($0.role.rawValue), "content": .string($0.content)] }))
    } else {
      body.append("prompt", .string(request.context))
    }
    body.append("max_tokens", .integer(request.maxTokens))
    body.append("temperature", 0)
    let stops = request.stops.filter { !$0.isEmpty }
    if !stops.isEmpty { body.append("stop", .array(stops.prefix(Self.mostStops).map { .string($0) })) }
    let answer = try await endpoint.post(request.messages == nil ? "completions" : "chat/completions", body)
    let choice = answer["choices"]?.array?.first
    guard let text = (choice?["message"]?["content"] ?? choice?["text"]).map({ $0.string ?? "" }) else {
      throw EvaluationError("\(endpoint.address) answered without a text")
    }
    let end = stops.compactMap { text.firstRange(of: $0)?.lowerBound }.min() ?? text.endIndex
    return String(text[..<end])
  }
}
