import MartletModels

extension Engine {
  /// Goes on with a text: an asynchronous sequence of pieces of what follows it.
  ///
  /// ```swift
  /// for try await piece in engine.generate("Once upon a time", maxTokens: 100) { print(piece, terminator: "") }
  /// ```
  /// - Parameters:
  ///   - text: what the model goes on with.
  ///   - sampling: how tokens are chosen; the likeliest each time where nothing else is said.
  ///   - maxTokens: most tokens that are generated.
  ///   - stops: texts that end what is generated, and are not part of it.
  public func generate(
    _ text: String, sampling: Sampling = Sampling(), maxTokens: Int = 256, stops: [String] = []
  ) -> Reply {
    var request = Request(tokens: PromptFormat.raw(text, for: loaded))
    request.sampling = sampling
    request.maxTokens = maxTokens
    request.stops = stops
    request.question = Question(text, format: .raw)
    do { return Reply(ReplyTurn(try generate(request), owner: nil, number: 0)) } catch {
      return Reply(failing: error)
    }
  }
}
