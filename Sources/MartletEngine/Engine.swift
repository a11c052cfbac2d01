import MartletModels
import MartletTensor
import MartletTokenizers
import Synchronization

/// Runs requests on one model with continuous batching: a loop on its own thread admits requests into the running batch
/// at every step and removes finished ones.
public final class Engine: Sendable {
  /// The options of an engine.
  public struct Options: Sendable {
    /// The largest number of sequences in a batch; other requests wait.
    public var maxSequences = 16
    /// The largest number of waiting requests; further ones are rejected with ``EngineOverloaded``.
    public var maxWaiting = Int.max
    /// The largest number of prompt tokens in one step, so that a long prompt does not delay running answers.
    public var promptChunk = 512
    /// The size of the cache of states for prompts with common prefixes, in bytes.
    public var promptCacheBytes = 256 << 20
    /// The source of interventions in the model's answers; nil for none.
    public var interventions: (any InterventionSource)?
    /// Gives requests their ``Request/script``, by the tokens they bring.
    package var script: (@Sendable ([Int]) -> [Int]?)?

    /// The defaults: a batch of sixteen sequences, an unlimited queue, and a prompt cache of 256 MiB.
    public init() {}
  }

  /// The model.
  public let loaded: LoadedModel
  /// The options of the engine.
  public let options: Options
  private let worker: EngineWorker

  /// Starts an engine and its thread, which ends when the engine is released.
  public init(_ loaded: LoadedModel, options: Options = Options()) {
    self.loaded = loaded
    self.options = options
    worker = EngineWorker(loaded, options)
    worker.start()
  }

  deinit { worker.stop() }

  /// Starts a request and returns the stream of its events. Releasing the stream cancels the request within one step.
  /// The stream throws ``SamplingError`` if no token can be chosen.
  /// - Throws: ``EngineError`` or `ModelError` if the request cannot be run, ``EngineOverloaded`` if too many requests
  ///   are waiting.
  public func generate(_ request: Request) throws -> GenerationStream { try generate([request])[0] }

  /// Starts several requests, which enter the batch in the same step if there is room.
  public func generate(_ requests: [Request]) throws -> [GenerationStream] { try start(requests).map(\.events) }

  /// Starts requests, with a way to cancel each of them while its stream is still held.
  func start(_ requests: [Request]) throws -> [(events: GenerationStream, cancel: @Sendable () -> Void)] {
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
    return zip(streams, jobs).map { [worker] events, job in
      (
        events,
        {
          job.cancel()
          worker.wake()
        }
      )
    }
  }

  /// Checks whether a request is valid.
  /// - Throws: the errors that ``generate(_:)-(Request)`` would throw because of the request itself.
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
    guard let model = loaded.model as? any LayeredModel, model.linearNames.contains(intervention.layer) else {
      throw EngineError("the model has no linear layer \(intervention.layer) for an intervention")
    }
    guard intervention.layer != model.description.defaults.headName else {
      throw EngineError(
        "an intervention cannot act on \(intervention.layer), which receives only the last row of each request; name a layer below it"
      )
    }
    if case .endOfPrompt(let count) = intervention.rows, count < 1 {
      throw EngineError("an intervention must act on at least one row, not \(count)")
    }
  }

  /// Whether the engine's ``InterventionSource`` determines the answer to a question.
  public func intervenes(in question: Question) -> Bool { options.interventions?.answers(question) ?? false }

  /// Checks whether another request would be accepted now.
  /// - Throws: ``EngineOverloaded`` if it would be rejected.
  public func checkRoom() throws { try worker.checkRoom() }

  private func check(tokens: [Int], after state: (any SequenceState)? = nil) throws {
    guard !tokens.isEmpty else { throw EngineError("the prompt is empty; give at least one token") }
    try loaded.model.check(tokens: tokens)
    let position = (state?.position ?? 0) + tokens.count
    if let limit = loaded.model.description.contextLength, position >= limit {
      throw ContextOverflow(promptTokens: position, contextLength: limit)
    }
  }

  /// Reads tokens without generating an answer.
  /// - Returns: the state after the tokens, and the number of tokens that were served by a cached state.
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

  /// The mean of the last layer's hidden states over a text, `[width]`.
  public func embedding(of tokens: [Int]) async throws -> [Float] {
    try await read(tokens, as: .embedding)
  }

  /// The natural logarithm of the probability of every token except the first, given the tokens before it.
  public func logProbabilities(of tokens: [Int]) async throws -> [Float] {
    try await read(tokens, as: .logProbabilities)
  }

  /// Like ``logProbabilities(of:)``, with the most likely alternatives at each position, for a text that may begin with
  /// a start state.
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

  /// Counters of the engine's work.
  public var statistics: EngineStatistics { worker.statistics }

  /// Empties the cache of prompt states.
  public func clearPromptCache() { worker.clearCache() }
}
