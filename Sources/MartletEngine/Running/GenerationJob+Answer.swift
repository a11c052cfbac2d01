import Foundation
import MartletModels
import MartletTokenizers

/// How an answer grows by sampled tokens, and how it ends.
extension GenerationJob {
  /// Takes in a sampled token and hands over the text that has become certain.
  /// - Returns: the reason when the token ends the answer.
  func accept(_ token: Int, _ probability: TokenProbability?, loaded: LoadedModel) -> Completion.Reason? {
    if request.maxTokens < 1 { return .length }
    if constraint?.ends(with: token) ?? endTokens.contains(token) {
      endToken = probability
      return .stop
    }
    generated.append(token)
    sampler.observe(token)
    constraint?.accept(token)
    calculator?.read(CollectionOfOne(token), of: loaded.tokenizer)
    if let probability { continuation.yield(.token(probability)) }
    let text = filter.push(
      decoder.push(loaded.tokenizer.bytes(of: token)), mayStop: generated.count > request.minTokens)
    if !text.isEmpty { continuation.yield(.text(text)) }
    pending = [token]
    // A text that must be whole and is cut by a stop string has not come to its own end.
    if filter.isStopped { return request.grammar == nil || constraint?.isWhole ?? true ? .stop : .length }
    if constraint?.isFinished == true { return .stop }
    let position = (state?.position ?? 0) + 1
    let isFull = loaded.model.description.contextLength.map { position >= $0 } ?? false
    return generated.count >= request.maxTokens || isFull ? .length : nil
  }

  /// Hands over the text that was held back. Bytes that the end has cut off from their character are no text.
  func flush() {
    let rest = filter.finish()
    if !rest.isEmpty { continuation.yield(.text(rest)) }
  }

  /// The prompt and the answer as far as the state has seen them; nil before the answer has begun.
  var tokensSeen: [Int]? {
    guard firstToken != nil, !generated.isEmpty, let state else { return nil }
    return Array((request.tokens + generated).prefix(state.position))
  }

  /// Tokens of the prompt that were read, or that a remembered state saved.
  var promptTokensTaken: Int { firstToken == nil ? tokensRead : request.tokens.count }

  /// Ends the stream.
  func complete(_ reason: Completion.Reason, at end: Date, loaded: LoadedModel) {
    let first = firstToken ?? end
    continuation.yield(
      .finished(
        Completion(
          reason: reason, tokens: generated, promptTokens: request.tokens.count, cachedTokens: cachedTokens,
          promptSeconds: first.timeIntervalSince(submitted), generationSeconds: end.timeIntervalSince(first),
          endToken: endToken, calculations: calculations, notes: notes, hasChangedState: isStateChanged,
          state: state ?? loaded.model.makeState())))
    continuation.finish()
  }
}
