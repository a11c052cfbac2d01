import Foundation
import MartletModels
import MartletTensor
import MartletTokenizers

/// Runs requests on one model: a loop on a thread of its own that admits requests into the running batch at every
/// step and lets finished ones leave ("continuous batching").
public final class Engine: Sendable {
  public struct Options: Sendable {
    /// Most sequences that run together; others wait.
    public var maxSequences = 16
    /// Most prompt rows in one step, so that a long prompt does not hold up running answers.
    public var promptChunk = 512
    public var promptCacheBytes = 256 << 20

    public init() {}
  }

  public let loaded: LoadedModel
  private let worker: Worker

  public init(_ loaded: LoadedModel, options: Options = Options()) {
    self.loaded = loaded
    worker = Worker(loaded, options)
    worker.start()
  }

  deinit { worker.stop() }

  /// Starts a request; its events arrive as they happen. Dropping the stream cancels it within one step.
  /// - Throws: ``EngineError`` or ``ModelError`` when it cannot run at all.
  public func generate(_ request: Request) throws -> AsyncStream<GenerationEvent> {
    try request.sampling.validate()
    guard !request.tokens.isEmpty else { throw EngineError("the prompt is empty; give at least one token") }
    try loaded.model.check(tokens: request.tokens)
    let position = (request.state?.position ?? 0) + request.tokens.count
    if let limit = loaded.model.description.contextLength, position >= limit {
      throw EngineError(
        "the prompt reaches position \(position) and this model's context ends at \(limit); shorten the prompt")
    }
    let (stream, continuation) = AsyncStream.makeStream(of: GenerationEvent.self)
    let job = Job(request, continuation: continuation, tokenizer: loaded.tokenizer)
    continuation.onTermination = { _ in job.cancel() }
    worker.submit(job)
    return stream
  }
}

/// A request that waits or runs. Its running part is touched by the worker's thread alone.
private final class Job: @unchecked Sendable {
  let request: Request
  let continuation: AsyncStream<GenerationEvent>.Continuation
  let endTokens: Set<Int>
  private let lock = NSLock()
  private var cancelled = false

  var state: (any SequenceState)?
  /// Tokens not read yet.
  var pending: ArraySlice<Int>
  var cachedTokens = 0
  var generated: [Int] = []
  var sampler: Sampler
  var decoder = StreamingDecoder()
  var filter: StopFilter
  let submitted = Date()
  var firstToken: Date?

  init(_ request: Request, continuation: AsyncStream<GenerationEvent>.Continuation, tokenizer: any Tokenizer) {
    self.request = request
    self.continuation = continuation
    endTokens = request.endTokens ?? tokenizer.endOfText
    pending = request.tokens[...]
    sampler = Sampler(request.sampling)
    filter = StopFilter(request.stops)
  }

  func cancel() { lock.withLock { cancelled = true } }
  var isCancelled: Bool { lock.withLock { cancelled } }
}

private final class Worker: @unchecked Sendable {
  private let loaded: LoadedModel
  private let options: Engine.Options
  private let condition = NSCondition()
  private var waiting: [Job] = []
  private var stopping = false
  private var cache: PromptCache

  init(_ loaded: LoadedModel, _ options: Engine.Options) {
    self.loaded = loaded
    self.options = options
    cache = PromptCache(byteCapacity: options.promptCacheBytes)
  }

  func start() {
    let thread = Thread { [self] in run() }
    thread.name = "martlet.engine"
    thread.stackSize = 8 << 20
    thread.start()
  }

  func stop() {
    condition.withLock {
      stopping = true
      condition.signal()
    }
  }

  func submit(_ job: Job) {
    condition.withLock {
      waiting.append(job)
      condition.signal()
    }
  }

  private func run() {
    var running: [Job] = []
    while true {
      condition.lock()
      while waiting.isEmpty, running.isEmpty, !stopping { condition.wait() }
      let admitted = waiting.prefix(options.maxSequences - running.count)
      waiting.removeFirst(admitted.count)
      let end = stopping
      condition.unlock()
      if end {
        for job in running + waiting { finish(job, .cancelled) }
        return
      }
      for job in admitted { admit(job) }
      running += admitted
      running.removeAll { job in
        guard job.isCancelled else { return false }
        finish(job, .cancelled)
        return true
      }
      if !running.isEmpty { step(&running) }
    }
  }

  private func admit(_ job: Job) {
    if let state = job.request.state {
      job.state = state.copy()
    } else if let (state, count) = cache.lookup(job.request.tokens) {
      job.state = state
      job.cachedTokens = count
      job.pending = job.pending.dropFirst(count)
    } else {
      job.state = loaded.model.makeState()
    }
  }

  /// One forward pass: the next token of every running answer and a piece of every unread prompt.
  private func step(_ running: inout [Job]) {
    var batch = Batch(outputs: .last)
    var room = options.promptChunk
    var rows: [Job] = []
    for job in running {
      guard let state = job.state else { continue }
      let count = job.pending.count == 1 ? 1 : min(job.pending.count, room)
      guard count > 0 else { continue }
      if job.pending.count > 1 { room -= count }
      batch.append(job.pending.prefix(count), state: state)
      job.pending = job.pending.dropFirst(count)
      rows.append(job)
    }
    let logits = loaded.model.forward(batch)
    var finished: Set<ObjectIdentifier> = []
    for (row, job) in rows.enumerated() where job.pending.isEmpty {
      let token = logits.rows(row..<row + 1).withFloats { job.sampler.sample($0) }
      if let reason = accept(token, job) {
        finish(job, reason)
        finished.insert(ObjectIdentifier(job))
      }
    }
    running.removeAll { finished.contains(ObjectIdentifier($0)) }
  }

  /// Takes a sampled token; the reason when it ends the answer.
  private func accept(_ token: Int, _ job: Job) -> Completion.Reason? {
    if job.firstToken == nil {
      job.firstToken = Date()
      if job.request.state == nil, let state = job.state, job.request.tokens.count >= 16 {
        cache.insert(job.request.tokens, state: state, byteCount: state.byteCount)
      }
    }
    if job.endTokens.contains(token) { return .stop }
    if job.request.maxTokens < 1 { return .length }
    job.generated.append(token)
    job.sampler.observe(token)
    let text = job.filter.push(job.decoder.push(loaded.tokenizer.bytes(of: token)))
    if !text.isEmpty { job.continuation.yield(.text(text)) }
    if job.filter.isStopped { return .stop }
    job.pending = [token]
    let position = (job.state?.position ?? 0) + 1
    let isFull = loaded.model.description.contextLength.map { position >= $0 } ?? false
    return job.generated.count >= job.request.maxTokens || isFull ? .length : nil
  }

  private func finish(_ job: Job, _ reason: Completion.Reason) {
    let rest = job.filter.push(job.decoder.finish()) + job.filter.finish()
    if !rest.isEmpty { job.continuation.yield(.text(rest)) }
    let now = Date()
    let first = job.firstToken ?? now
    job.continuation.yield(
      .finished(
        Completion(
          reason: reason, tokens: job.generated, promptTokens: job.request.tokens.count,
          cachedTokens: job.cachedTokens, promptSeconds: first.timeIntervalSince(job.submitted),
          generationSeconds: now.timeIntervalSince(first), state: job.state ?? loaded.model.makeState())))
    job.continuation.finish()
  }
}
