import MartletModels

extension Engine {
  /// Continues a text: an asynchronous sequence of pieces of the continuation.
  ///
  /// ```swift
  /// for try await piece in engine.generate("Once upon a time", maxTokens: 100) { print(piece, terminator: "") }
  /// ```
  /// - Parameters:
  ///   - text: the text to continue.
  ///   - sampling: how tokens are chosen; the default is greedy decoding.
  ///   - maxTokens: the largest number of tokens to generate.
  ///   - stops: texts that end the continuation and are not part of it.
  public func generate(
    _ text: String, sampling: Sampling = Sampling(), maxTokens: Int = 256, stops: [String] = []
  ) -> Reply {
    var request = Request(tokens: PromptFormat.raw(text, for: loaded))
    request.sampling = sampling
    request.maxTokens = maxTokens
    request.stops = stops
    request.question = Question(text, format: .raw)
    do { return Reply(ReplyTurn(try generate(request), owner: nil, number: 0, engine: self)) } catch {
      return Reply(failing: error)
    }
  }
}
