import MartletData
import MartletEngine
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
      try finished(place, text)
    }
  }

  package func answer(
    _ request: GenerationRequest, flaw: (JSONValue) -> String? = { _ in nil }
  ) async throws -> GeneratedText {
    var body = JSONObject()
    if let messages = request.messages {
      body.append(
        "messages",
        .array(messages.map { ["role": .string($0.role.rawValue), "content": .string($0.content)] }))
    } else {
      body.append("prompt", .string(request.context))
    }
    body.append("max_tokens", .integer(request.maxTokens))
    body.append("temperature", .number(Double("\(request.sampling.temperature)") ?? 0))
    if request.sampling.topP < 1 { body.append("top_p", .number(Double("\(request.sampling.topP)") ?? 1)) }
    if request.sampling.temperature > 0 { body.append("seed", .integer(Int(request.sampling.seed & 0x7fff_ffff))) }
    let stops = request.stops.filter { !$0.isEmpty }
    if !stops.isEmpty { body.append("stop", .array(stops.prefix(Self.mostStops).map { .string($0) })) }
    let answer = try await endpoint.post(request.messages == nil ? "completions" : "chat/completions", body, flaw: flaw)
    let choice = answer["choices"]?.array?.first
    guard let text = (choice?["message"]?["content"] ?? choice?["text"]).map({ $0.string ?? "" }) else {
      throw EvaluationError("\(endpoint.address) answered without a text")
    }
    let end = stops.compactMap { text.firstRange(of: $0)?.lowerBound }.min() ?? text.endIndex
    var generated = GeneratedText(String(text[..<end]))
    generated.answerTokens = answer["usage"]?["completion_tokens"]?.integer
    generated.promptTokens = answer["usage"]?["prompt_tokens"]?.integer
    generated.isCutOff = choice?["finish_reason"]?.string == "length"
    return generated
  }
}
