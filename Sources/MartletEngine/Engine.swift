import MartletModels
import MartletTensor
import MartletTokenizers
import Synchronization

/// Runs requests on one model: a loop on a thread of its own that admits requests into the running batch at every
/// step and lets finished ones leave ("continuous batching").
public final class Engine: Sendable {
  /// How an engine runs requests.
  public struct Options: Sendable {
    /// Most sequences that run together; others wait.
    public var maxSequences = 16
    /// Most requests that wait; one more is refused with ``EngineOverloaded``.
    public var maxWaiting = Int.max
    /// Most prompt rows in one step, so that a long prompt does not hold up running answers.
    public var promptChunk = 512
    /// Most bytes of states that are remembered for prompts that begin alike.
    public var promptCacheBytes = 256 << 20
    /// Decides how answers depart from what the model would say; nil leaves them to the model.
    public var interventions: (any InterventionSource)?
    /// Gives requests their ``Request/script``, by the tokens they bring.
    package var script: (@Sendable ([Int]) -> [Int]?)?

    /// Sixteen sequences together, a queue without an end, and 256 MiB of remembered states.
    public init() {}
  }

  /// The model that answers.
  public let loaded: LoadedModel
  /// How requests are run.
  public let options: Options
  private let worker: EngineWorker

  /// Starts a thread that waits for requests; it ends with the engine.
  public init(_ loaded: LoadedModel, options: Options = Options()) {
    self.loaded = loaded
    self.options = options
    worker = EngineWorker(loaded, options)
    worker.start()
  }

  deinit { worker.stop() }

  /// Starts a request; its events arrive as they happen. Dropping the stream cancels it within one step. The stream
  /// throws ``SamplingError`` where the model gives no token to go on with.
  /// - Throws: ``EngineError`` or `ModelError` when it cannot run at all, ``EngineOverloaded`` when too many wait.
  public func generate(_ request: Request) throws -> GenerationStream { try generate([request])[0] }

  /// Starts several requests that enter the batch in the same step, where there is room.
  public func generate(_ requests: [Request]) throws -> [GenerationStream] {
    let requests = try requests.map { request in
      var request = request
      try check(request)
      request.grammar = try request.grammar?.restricted(to: worker.tokenBytes.writable)
      return request
    }
    var streams: [GenerationStream] = []
    var jobs: [GenerationJob] = []
    for var request in requests {
      let (stream, continuation) = GenerationStream.makeStream()
      if let script = options.script, request.script == nil, request.maxTokens > 0 {
        request.script = script(request.tokens)
      }
      let job = GenerationJob(request, continuation: continuation, loaded: loaded, bytes: worker.tokenBytes)
      continuation.onTermination = { [worker] ending in
        if case .cancelled = ending {
          job.cancel()
          worker.wake()
        }
      }
      streams.append(stream)
      jobs.append(job)
    }
    try worker.submit(jobs)
    return streams
  }

  /// - Throws: what ``generate(_:)-(Request)`` would throw for the request's own sake.
  public func check(_ request: Request) throws {
    try request.sampling.validate()
    if let grammar = try request.grammar?.restricted(to: worker.tokenBytes.writable), request.minTokens > 0,
      let longest = grammar.longestText, longest < request.minTokens
    {
      throw EngineError(
        "`min_tokens` is \(request.minTokens), but the longest text that the schema, pattern or list allows has "
          + "\(longest) bytes; lower it, or allow longer texts")
    }
    for intervention in request.interventions { try check(intervention) }
    try check(tokens: request.tokens, after: request.state)
  }

  private func check(_ intervention: Intervention) throws {
    guard let model = loaded.model as? any TrainableModel, model.linear(named: intervention.layer) != nil else {
      throw EngineError("the model has no linear layer \(intervention.layer) for an intervention")
    }
    if case .endOfPrompt(let count) = intervention.rows, count < 1 {
      throw EngineError("an intervention must act on at least one row, not \(count)")
    }
  }

  /// Whether the engine's ``InterventionSource`` answers a question, whatever the model would say.
  public func intervenes(in question: Question) -> Bool { options.interventions?.answers(question) ?? false }

  /// - Throws: ``EngineOverloaded`` when one more request would be refused now.
  public func checkRoom() throws { try worker.checkRoom() }

  private func check(tokens: [Int], after state: (any SequenceState)? = nil) throws {
    guard !tokens.isEmpty else { throw EngineError("the prompt is empty; give at least one token") }
    try loaded.model.check(tokens: tokens)
    let position = (state?.position ?? 0) + tokens.count
    if let limit = loaded.model.description.contextLength, position >= limit {
      throw ContextOverflow(promptTokens: position, contextLength: limit)
    }
  }

  /// Reads tokens without an answer.
  /// - Returns: the state after them, and how many tokens a cached state saved.
  public func read(
    _ tokens: [Int], after state: (any SequenceState)? = nil, start: StartState? = nil, isContinuation: Bool = false
  ) async throws -> (state: any SequenceState, cachedTokens: Int) {
    var request = Request(tokens: tokens, state: state)
    request.start = start
    request.maxTokens = 0
    request.isContinuation = isContinuation
    for try await event in try generate(request) {
      if case .finished(let completion) = event, completion.reason != .cancelled {
        return (completion.state, completion.cachedTokens)
      }
    }
    throw CancellationError()
  }

  /// The mean of the last layer's rows over a text: `[width]` values.
  public func embedding(of tokens: [Int]) async throws -> [Float] {
    try await read(tokens, as: .embedding)
  }

  /// ln p(token | tokens before it) for every token but the first.
  public func logProbabilities(of tokens: [Int]) async throws -> [Float] {
    try await read(tokens, as: .logProbabilities)
  }

  /// The same with the likeliest tokens in the place of each, for a text that may begin from a start state.
  public func tokenProbabilities(
    of tokens: [Int], alternatives: Int, start: StartState? = nil
  ) async throws -> [TokenProbability] {
    let job = ReadingJob(
      tokens, purpose: .logProbabilities, alternatives: alternatives,
      state: start?.state.copy() ?? loaded.model.makeState())
    _ = try await read(job)
    return job.probabilities
  }

  private func read(_ tokens: [Int], as purpose: ReadingJob.Purpose) async throws -> [Float] {
    try await read(ReadingJob(tokens, purpose: purpose, state: loaded.model.makeState()))
  }

  private func read(_ job: ReadingJob) async throws -> [Float] {
    try check(tokens: job.tokens)
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        job.continuation = continuation
        do { try worker.submit(job) } catch { continuation.resume(throwing: error) }
      }
    } onCancel: {
      job.cancel()
      worker.wake()
    }
  }

  /// What the engine has done and is doing.
  public var statistics: EngineStatistics { worker.statistics }

  /// Forgets remembered prompt states.
  public func clearPromptCache() { worker.clearCache() }
}
