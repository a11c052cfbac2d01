import MartletTokenizers

extension ContinuationRequest {
  /// The tokens of the request by the rules that ``ModelScorer/encode(_:)`` states.
  /// - Throws: ``ScoringError`` if the continuation has no tokens of its own, or there is no token that can stand for an empty context.
  func tokens(by tokenizer: any Tokenizer) throws -> TokenizedRequest {
    guard !continuation.isEmpty else {
      throw ScoringError("the continuation is empty, so there is nothing to score; remove it or give it a text")
    }
    let scalars = self.context.unicodeScalars
    let end = scalars.reversed().firstIndex { !ModelScorer.isSpace($0) }?.base ?? scalars.startIndex
    let context = String(scalars[..<end]), all = self.context + continuation
    let tokens: TokenizedRequest
    if context.isEmpty {
      guard let prefix = tokenizer.prefixToken else {
        throw ScoringError(
          "the context is empty, and the model's tokenizer has no token that begins or ends a text in its place; give a "
            + "context")
      }
      let ids = tokenizer.encode(all, special: true)
      tokens = TokenizedRequest(
        context: [prefix], continuation: ids.first == prefix ? Array(ids.dropFirst()) : ids)
    } else {
      let ids = tokenizer.encodeWhole(context)
      tokens = TokenizedRequest(context: ids, continuation: Array(tokenizer.encodeWhole(all).dropFirst(ids.count)))
    }
    guard !tokens.context.isEmpty, !tokens.continuation.isEmpty else {
      throw ScoringError(
        "the continuation \"\(continuation.prefix(40))\" has no tokens of its own behind its context; change one of "
          + "the two texts")
    }
    return tokens
  }
}

extension Tokenizer {
  /// The tokens of a text with what the tokenizer adds to it; names of control tokens become those tokens.
  func encodeWhole(_ text: String) -> [Int] {
    let ids = encode(text, special: true)
    guard let begin = beginOfText, ids.first != begin else { return ids }
    return [begin] + ids
  }
}
