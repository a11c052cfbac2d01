import MartletEngine
import MartletTokenizers

extension ContinuationRequest {
  /// The tokens of the request by the rules that ``ModelScorer/encode(_:)`` states.
  /// - Throws: ``ScoringError`` if the continuation has no tokens of its own, or there is no token that can stand for an empty context.
  func tokens(by tokenizer: any Tokenizer) throws -> TokenizedRequest {
    guard !continuation.isEmpty else {
      throw ScoringError("the continuation is empty, so there is nothing to score; remove it or give it a text")
    }
    let scalars = self.context.unicodeScalars
    let end = scalars.reversed().firstIndex { !Self.isSpace($0) }?.base ?? scalars.startIndex
    let context = String(scalars[..<end]), all = self.context + continuation
    var tokens: TokenizedRequest
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
      let ids = Self.encode(context, tokenizer)
      tokens = TokenizedRequest(context: ids, continuation: Array(Self.encode(all, tokenizer).dropFirst(ids.count)))
    }
    guard !tokens.context.isEmpty, !tokens.continuation.isEmpty else {
      throw ScoringError(
        "the continuation \"\(continuation.prefix(40))\" has no tokens of its own behind its context; change one of "
          + "the two texts")
    }
    if let messages {
      tokens.question = Question(messages)
      let prompt = Self.encode(self.context, tokenizer), whole = tokens.context + tokens.continuation
      let isBeginning = whole.count > prompt.count && whole.starts(with: prompt)
      tokens.promptTail = isBeginning ? max(0, prompt.count - tokens.context.count) : nil
    }
    return tokens
  }

  /// The tokens of a text with what the tokenizer adds to it.
  static func encode(_ text: String, _ tokenizer: any Tokenizer) -> [Int] {
    let ids = tokenizer.encode(text, special: true)
    guard let begin = tokenizer.beginOfText, ids.first != begin else { return ids }
    return [begin] + ids
  }

  /// What Python's `str.rstrip` removes.
  static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isWhitespace || (0x1c...0x1f).contains(scalar.value)
  }
}
