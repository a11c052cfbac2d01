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

  /// Requests for several answers to the prompt, which the engine reads once. Each has a seed of its own, and all together take one place
  /// in the queue.
  func choices(_ count: Int) -> [MartletEngine.Request] {
    (0..<count).map { choice in
      var one = self
      one.isContinuation = isContinuation || choice > 0
      one.sampling.seed &+= UInt64(choice)
      return one
    }
  }
}

extension ServerConfiguration {
  func sampling(for loaded: LoadedModel) -> Sampling {
    var sampling = sampling
    sampling.truncatesFirst = loaded.model.description.defaults.truncatesBeforeTemperature
    return sampling
  }
}
