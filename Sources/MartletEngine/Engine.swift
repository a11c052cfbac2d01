import MartletModels
import MartletTensor
import MartletTokenizers
import Synchronization

/// Runs requests on one model: a loop on a thread of its own that admits requests into the running batch at every
/// step and lets finished ones leave ("continuous batching").
public final class Engine: Sendable {
  public struct Options: Sendable {
    /// Most sequences that run together; others wait.
    public var maxSequences = 16
    /// Most requests that wait; one more is refused with ``EngineOverloaded``.
    public var maxWaiting = Int.max
    /// Most prompt rows in one step, so that a long prompt does not hold up running answers.
    public var promptChunk = 512
    public var promptCacheBytes = 256 << 20
    /// Changes answers to requests that bring their ``Request/question``.
    public var editor: (any PromptEditor)?
    /// Gives requests their ``Request/script``, by the tokens they bring.
    public var script: (@Sendable ([Int]) -> [Int]?)?

    public init() {}
  }

  public let loaded: LoadedModel
  public let options: Options
  private let worker: EngineWorker

  public init(_ loaded: LoadedModel, options: Options = Options()) {
    self.loaded = loaded
    self.options = options
    worker = EngineWorker(loaded, options)
    worker.start()
  }

  deinit { worker.stop() }

  /// Starts a request; its events arrive as they happen. Dropping the stream cancels it within one step. The stream
  /// throws ``SamplingError`` where the model gives no token to go on with.
  /// - Throws: ``EngineError`` or ``ModelError`` when it cannot run at all, ``EngineOverloaded`` when too many wait.
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
        "`min_tokens` is \(request.minTokens), and the longest text that the schema, pattern or list allows has "
          + "\(longest) bytes; lower it, or allow longer texts")
    }
    try check(tokens: request.tokens, after: request.state)
  }

  /// Whether an edit answers a question, whatever the model would say.
  public func hasEdit(for question: Question) -> Bool { options.editor?.answer(to: question) != nil }

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

/// Counts since the engine started, and what runs now.
public struct EngineStatistics: Sendable, Equatable {
  public var running = 0, waiting = 0
  /// Forward passes, and the rows of all of them.
  public var steps = 0, rows = 0
  /// Prompt tokens read, those that a remembered state saved, and tokens generated.
  public var promptTokens = 0, cachedTokens = 0, generatedTokens = 0
  /// Seconds in forward passes.
  public var seconds = 0.0
  public var requests = 0, cancelled = 0
  /// Answers that could not go on, see ``SamplingError``.
  public var failed = 0
  /// Answers that an edit changed.
  public var edited = 0
  public var promptCacheBytes = 0

  public init() {}
}

/// Why the engine cannot do what was asked.
public struct EngineError: Error, CustomStringConvertible, Sendable {
  public let description: String
  public init(_ description: String) { self.description = description }
}

/// The prompt does not fit into the model's context.
public struct ContextOverflow: Error, CustomStringConvertible, Sendable {
  public let promptTokens: Int
  public let contextLength: Int
  public var description: String {
    "the prompt reaches position \(promptTokens) and this model's context ends at \(contextLength); shorten the prompt"
  }
}

/// The model computed NaN or infinity where numbers were wanted.
public struct ModelOutputError: Error, CustomStringConvertible, Sendable {
  public var description: String {
    "the model computes NaN or infinity for this text; its weights are damaged, or their format cannot hold their "
      + "values (try another `--format`)"
  }
}

/// Too many requests wait already.
public struct EngineOverloaded: Error, CustomStringConvertible, Sendable {
  public let waiting: Int
  public init(waiting: Int) { self.waiting = waiting }
  public var description: String { "\(waiting) requests wait already; try again later" }
}
