import MartletData
import MartletTokenizers

/// Scores continuations at an endpoint that repeats the prompt with log-probabilities (`echo` of OpenAI's completions). Prompts are sent
/// as tokens, so the tokenizer must be that of the model there.
public struct EndpointScorer: ContinuationScorer {
  private let endpoint: CompletionsEndpoint
  private let tokenizer: (any Tokenizer)?

  /// - Parameters:
  ///   - endpoint: what is asked.
  ///   - tokenizer: that of the model at the endpoint; without it nothing can be scored, and every request is refused.
  public init(_ endpoint: CompletionsEndpoint, tokenizer: (any Tokenizer)?) {
    self.endpoint = endpoint
    self.tokenizer = tokenizer
  }

  public func encode(_ request: ContinuationRequest) throws -> TokenizedRequest {
    guard let tokenizer else {
      throw EvaluationError(
        "choices at an endpoint are scored by tokens; give the tokenizer of the model there with --tokenizer, or take tasks whose "
          + "answers are generated")
    }
    return try request.tokens(by: tokenizer)
  }

  public func scores(
    _ rows: [[TokenizedRequest]], finished: (_ row: Int, _ scores: [ContinuationScore]) throws -> Void
  ) async throws -> [[ContinuationScore]] {
    var all: [[ContinuationScore]] = rows.map { _ in [] }
    try await endpoint.forEach(rows.count) { row in
      var scores: [ContinuationScore] = []
      for request in rows[row] { scores.append(try await score(request)) }
      return scores
    } finished: { row, scores in
      all[row] = scores
      try finished(row, scores)
    }
    return all
  }

  private func score(_ request: TokenizedRequest) async throws -> ContinuationScore {
    let tokens = request.context + request.continuation
    var body = JSONObject()
    body.append("prompt", .array(tokens.map { .integer($0) }))
    // Endpoints differ in whether they take 0; the token too many is not looked at.
    body.append("max_tokens", 1)
    body.append("temperature", 0)
    body.append("logprobs", 1)
    body.append("echo", true)
    let answer = try await endpoint.post("completions", body)
    let logprobs = answer["choices"]?.array?.first?["logprobs"]
    guard let values = logprobs?["token_logprobs"]?.array, let best = logprobs?["top_logprobs"]?.array,
      values.count >= tokens.count, best.count >= tokens.count
    else {
      throw EvaluationError(
        "\(endpoint.address) gives no log-probabilities of the prompt (`echo` with `logprobs`); choices cannot be scored there, take "
          + "tasks whose answers are generated")
    }
    let range = request.context.count..<tokens.count
    let found = try range.map { place -> Double in
      guard let value = values[place].number else {
        throw EvaluationError("\(endpoint.address) gives no log-probability of token \(place + 1) of a prompt")
      }
      return value
    }
    let isGreedy = zip(range, found).allSatisfy { place, value in
      let top = best[place].object?.members.compactMap(\.value.number).max()
      return top.map { value >= $0 } ?? false
    }
    return ContinuationScore(
      logLikelihood: found.reduce(0, +), isGreedy: isGreedy, tokenLogLikelihoods: found.map(Float.init))
  }
}
