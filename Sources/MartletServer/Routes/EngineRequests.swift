import MartletEngine
import MartletModels
import MartletTokenizers

extension MartletEngine.Request {
  /// Takes over what a client may set.
  mutating func apply(_ settings: AnswerSettings, _ configuration: ServerConfiguration, loaded: LoadedModel) {
    sampling = settings.sampling
    // Without a limit an answer goes to the context's end; a recurrent model has none, and gets one, as it may never
    // end by itself.
    let limit = settings.maxTokens ?? .max
    maxTokens = limit == .max && loaded.model.description.contextLength == nil ? 4096 : limit
    minTokens = settings.minTokens
    if settings.calculates ?? configuration.calculates { calculator = Calculator() }
    if settings.ignoresEnd || !settings.stopTokens.isEmpty {
      endTokens = settings.stopTokens.union(settings.ignoresEnd ? [] : loaded.tokenizer.endOfText)
    }
  }
}

extension Engine {
  /// Several answers to one prompt, which is read once. Each has a seed of its own.
  func choices(
    of request: MartletEngine.Request, count: Int
  ) async throws -> (streams: [GenerationStream], shared: SharedPrompt?) {
    guard count > 1 else { return (try generate([request]), nil) }
    if request.tokens.count < 2 || (request.question != nil && options.interventions != nil) {
      // There is nothing to share; and an edit sees the end of the prompt, so each choice reads its own.
      let requests = (0..<count).map { choice in
        var one = request
        one.sampling.seed &+= UInt64(choice)
        return one
      }
      return (try generate(requests), nil)
    }
    try check(request)
    let (state, cached) = try await read(Array(request.tokens.dropLast()), start: request.start)
    let requests = (0..<count).map { choice in
      var one = request
      one.tokens = Array(request.tokens.suffix(1))
      one.calculator?.read(request.tokens.dropLast(), of: loaded.tokenizer)
      one.state = state
      one.landmarks = []
      one.isContinuation = true
      one.sampling.seed &+= UInt64(choice)
      return one
    }
    return (try generate(requests), SharedPrompt(promptTokens: request.tokens.count, cachedTokens: cached))
  }
}

extension ServerConfiguration {
  func sampling(for loaded: LoadedModel) -> Sampling {
    var sampling = sampling
    sampling.truncatesFirst = loaded.model.description.defaults.truncatesBeforeTemperature
    return sampling
  }
}
