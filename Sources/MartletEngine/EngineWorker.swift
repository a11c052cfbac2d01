import Foundation
import MartletModels
import MartletTensor
import MartletTokenizers

/// The engine's loop and everything that its thread owns.
final class EngineWorker: @unchecked Sendable {
  let tokenBytes: TokenBytes
  private let loaded: LoadedModel
  private let options: Engine.Options
  private let condition = NSCondition()
  // Guarded by `condition`.
  private var waiting: [GenerationJob] = []
  private var waitingTexts: [ReadingJob] = []
  private var stopping = false
  private var clearing = false
  private var counts = EngineStatistics()
  // The thread's own.
  private var cache: PromptCache
  private var running: [GenerationJob] = []
  private var texts: [ReadingJob] = []

  init(_ loaded: LoadedModel, _ options: Engine.Options) {
    self.loaded = loaded
    self.options = options
    tokenBytes = TokenBytes(loaded.tokenizer)
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

  func wake() { condition.withLock { condition.signal() } }

  func clearCache() {
    condition.withLock {
      clearing = true
      condition.signal()
    }
  }

  var statistics: EngineStatistics {
    condition.withLock {
      var counts = counts
      counts.waiting = waiting.count + waitingTexts.count
      return counts
    }
  }

  func submit(_ jobs: [GenerationJob]) throws {
    try condition.withLock {
      let isContinuation = jobs.allSatisfy { $0.request.isContinuation }
      guard isContinuation || hasRoom(for: jobs.count) else {
        throw EngineOverloaded(waiting: waiting.count + waitingTexts.count)
      }
      waiting.insert(contentsOf: jobs, at: isContinuation ? 0 : waiting.count)
      counts.requests += jobs.count
      condition.signal()
    }
  }

  /// - Throws: ``EngineOverloaded`` when one more request would be refused now.
  func checkRoom() throws {
    try condition.withLock {
      guard hasRoom(for: 1) else { throw EngineOverloaded(waiting: waiting.count + waitingTexts.count) }
    }
  }

  func submit(_ job: ReadingJob) throws {
    try condition.withLock {
      guard hasRoom(for: 1) else { throw EngineOverloaded(waiting: waiting.count + waitingTexts.count) }
      waitingTexts.append(job)
      counts.requests += 1
      condition.signal()
    }
  }

  /// Free places of the batch count, so that a queue of length 0 still takes what can run at once.
  private func hasRoom(for jobs: Int) -> Bool {
    let free = max(0, options.maxSequences - counts.running)
    return waiting.count + waitingTexts.count + jobs - free <= options.maxWaiting
  }

  private func run() {
    while true {
      condition.lock()
      counts.running = running.count + texts.count
      while waiting.isEmpty, waitingTexts.isEmpty, running.isEmpty, texts.isEmpty, !stopping, !clearing {
        condition.wait()
      }
      let left = waiting.filter(\.isCancelled)
      waiting.removeAll(where: \.isCancelled)
      let leftTexts = waitingTexts.filter(\.isCancelled)
      waitingTexts.removeAll(where: \.isCancelled)
      let admitted = waiting.prefix(options.maxSequences - running.count)
      waiting.removeFirst(admitted.count)
      let admittedTexts = waitingTexts.prefix(options.maxSequences - min(options.maxSequences, texts.count))
      waitingTexts.removeFirst(admittedTexts.count)
      let end = stopping
      if clearing {
        clearing = false
        cache = PromptCache(byteCapacity: options.promptCacheBytes)
      }
      counts.running = running.count + admitted.count + texts.count + admittedTexts.count
      counts.promptCacheBytes = cache.byteCount
      condition.unlock()
      if end {
        for job in running + admitted + waiting { finish(job, .cancelled) }
        for job in texts + admittedTexts + waitingTexts { job.finish(.failure(CancellationError())) }
        return
      }
      for job in left { finish(job, .cancelled) }
      for job in leftTexts { job.finish(.failure(CancellationError())) }
      for job in admitted { admit(job) }
      running += admitted
      texts += admittedTexts
      running.removeAll { job in
        guard job.isCancelled else { return false }
        finish(job, .cancelled)
        return true
      }
      texts.removeAll { job in
        guard job.isCancelled else { return false }
        job.finish(.failure(CancellationError()))
        return true
      }
      if !running.isEmpty { step() }
      if !texts.isEmpty { readTexts() }
    }
  }

  private func admit(_ job: GenerationJob) {
    switch EditPlan(for: job.request, editor: options.editor, loaded: loaded) {
    case .none: break
    case .value(let edit): job.edit = edit
    case .words(let edit, let grammar):
      job.fired = edit
      job.constrain(to: grammar, bytes: tokenBytes)
    case .heldBack(let edit): job.heldEdit = edit
    }
    if let state = job.request.state {
      job.state = state.copy()
    } else if let (state, count) = cache.lookup(
      job.request.tokens, start: job.request.start?.name, leaving: job.edit?.rowCount ?? 1)
    {
      job.state = state
      job.cachedTokens = count
      job.pending = job.pending.dropFirst(count)
    } else {
      job.state = job.request.start?.state.copy() ?? loaded.model.makeState()
    }
    job.landmarks = landmarks(of: job)
  }

  /// Those that the request names; for states that cannot be cut also the prompt's end, without the rows that must be
  /// read again, and places on the way there. A prompt that was read before is then read almost only once.
  private func landmarks(of job: GenerationJob) -> [Int] {
    let count = job.request.tokens.count
    let end = count - (job.edit?.rowCount ?? 1)
    var places = Set(job.request.landmarks)
    // Reading a short prompt again costs less than one step more for each.
    if count >= 128, job.request.state == nil, job.state?.canBeCut == false {
      // One prompt takes at most a quarter of what is remembered.
      let most = max(1, options.promptCacheBytes / 4 / max(1, job.state?.byteCount ?? 1))
      let interval = max(Self.landmarkInterval, count / most)
      places.formUnion(stride(from: interval, to: end, by: interval))
      places.insert(end)
    }
    return places.filter { $0 > job.tokensRead && $0 <= end }.sorted()
  }

  /// How many tokens of a long prompt are read again at most when another prompt leaves it.
  private static let landmarkInterval = 512

  /// One forward pass: the next token of every running answer and a piece of every unread prompt.
  private func step() {
    var batch = Batch(outputs: .last)
    var room = options.promptChunk
    var rows: [GenerationJob] = []
    for job in running {
      guard let state = job.state else { continue }
      var count = job.pending.count == 1 ? 1 : min(job.pending.count, room)
      // A piece ends where a state is to be remembered.
      let together = job.edit?.rowCount ?? 1
      if job.firstToken == nil, let landmark = job.landmarks.first(where: { $0 > job.tokensRead }) {
        count = min(count, landmark - job.tokensRead)
      }
      // The rows that an edit looks at are read in one piece.
      if job.pending.count > count, job.pending.count - count < together {
        count = job.pending.count > together ? job.pending.count - together : job.pending.count
      }
      guard count > 0 else { continue }
      if job.pending.count > 1 { room -= count }
      batch.append(job.pending.prefix(count), state: state)
      job.pending = job.pending.dropFirst(count)
      rows.append(job)
    }
    let start = DispatchTime.now().uptimeNanoseconds
    let logits = model(editing: rows, in: batch).forward(batch)
    let ready = rows.indices.filter { rows[$0].pending.isEmpty }
    for row in ready where rows[row].firstToken == nil && rows[row].edit != nil {
      if let fired = rows[row].fired { rows[row].keepToWords(of: fired, bytes: tokenBytes, loaded: loaded) }
    }
    if !ready.isEmpty {
      Parallel.run(ready.count) { index in
        let row = ready[index]
        logits.withFloats(row: row) { rows[row].sample($0, bytes: tokenBytes) }
      }
    }
    let seconds = Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
    for job in rows where !job.pending.isEmpty && job.landmarks.contains(job.tokensRead) {
      remember(job, Array(job.request.tokens.prefix(job.tokensRead)))
    }
    var finished: Set<ObjectIdentifier> = []
    for row in ready {
      let job = rows[row]
      do {
        guard let reason = try accept(job) else { continue }
        finish(job, reason)
      } catch {
        if job.isCancelled { finish(job, .cancelled) } else { fail(job, error) }
      }
      finished.insert(ObjectIdentifier(job))
    }
    running.removeAll { finished.contains(ObjectIdentifier($0)) }
    condition.withLock {
      counts.steps += 1
      counts.rows += batch.tokens.count
      counts.seconds += seconds
    }
  }

  /// The model, changed where a prompt's end meets an edit. Where none does, it is the model itself.
  private func model(editing rows: [GenerationJob], in batch: Batch) -> any LanguageModel {
    var places: [EditWrapper.Place] = []
    for (job, span) in zip(rows, batch.spans) {
      guard let edit = job.edit, job.pending.isEmpty else { continue }
      if job.firstToken == nil {
        places.append(EditWrapper.Place(job: job, edit: edit, rows: span.upperBound - edit.rowCount..<span.upperBound))
      } else if job.continuedValue != nil {
        places.append(EditWrapper.Place(job: job, edit: edit, rows: span))
      }
    }
    guard let first = places.first, let model = loaded.model as? any TrainableModel else { return loaded.model }
    return model.wrapping(first.edit.layer, with: EditWrapper(places: places))
  }

  /// Takes a sampled token; the reason when it ends the answer.
  private func accept(_ job: GenerationJob) throws(SamplingError) -> Completion.Reason? {
    guard let (token, probability) = try job.sampled?.get() else { return .cancelled }
    job.sampled = nil
    if job.firstToken == nil {
      job.firstToken = Date()
      remember(job, job.request.tokens)
    }
    if job.request.maxTokens < 1 { return .length }
    if job.constraint?.ends(with: token) ?? job.endTokens.contains(token) {
      job.endToken = probability
      return .stop
    }
    job.generated.append(token)
    job.sampler.observe(token)
    job.constraint?.accept(token)
    if let probability { job.continuation.yield(.token(probability)) }
    let text = job.filter.push(
      job.decoder.push(loaded.tokenizer.bytes(of: token)), mayStop: job.generated.count > job.request.minTokens)
    if !text.isEmpty { job.continuation.yield(.text(text)) }
    job.pending = [token]
    // A text that must be whole and is cut by a stop string has not come to its own end.
    if job.filter.isStopped { return job.request.grammar == nil || job.constraint?.isWhole ?? true ? .stop : .length }
    if job.constraint?.isFinished == true { return .stop }
    let position = (job.state?.position ?? 0) + 1
    let isFull = loaded.model.description.contextLength.map { position >= $0 } ?? false
    return job.generated.count >= job.request.maxTokens || isFull ? .length : nil
  }

  /// Keeps the state after `tokens` for prompts that begin alike.
  ///
  /// What an edit has touched is never kept, so that what is kept holds whatever edits come and go.
  private func remember(_ job: GenerationJob, _ tokens: [Int]) {
    guard job.request.state == nil, let state = job.state else { return }
    let untouched = job.request.tokens.count - (job.edit?.rowCount ?? 1)
    if job.fired?.means == .value, tokens.count > untouched {
      if untouched >= 16, let part = state.prefix(untouched) {
        cache.insert(Array(job.request.tokens.prefix(untouched)), start: job.request.start?.name, state: part)
      }
    } else if tokens.count >= 16 {
      cache.insert(tokens, start: job.request.start?.name, state: state)
    }
  }

  private func finish(_ job: GenerationJob, _ reason: Completion.Reason) {
    // Bytes that the end has cut off from their character are no text.
    let rest = job.filter.finish()
    if !rest.isEmpty { job.continuation.yield(.text(rest)) }
    let now = Date()
    let first = job.firstToken ?? now
    if job.firstToken != nil, !job.generated.isEmpty, let state = job.state {
      // The next turn of a conversation goes on behind the answer.
      remember(job, Array((job.request.tokens + job.generated).prefix(state.position)))
    }
    condition.withLock {
      counts.promptTokens += job.firstToken == nil ? job.tokensRead : job.request.tokens.count
      counts.cachedTokens += job.cachedTokens
      counts.generatedTokens += job.generated.count
      if reason == .cancelled { counts.cancelled += 1 }
      if job.fired != nil { counts.edited += 1 }
    }
    job.continuation.yield(
      .finished(
        Completion(
          reason: reason, tokens: job.generated, promptTokens: job.request.tokens.count,
          cachedTokens: job.cachedTokens, promptSeconds: first.timeIntervalSince(job.submitted),
          generationSeconds: now.timeIntervalSince(first), endToken: job.endToken,
          edit: job.fired, heldEdit: job.heldEdit, state: job.state ?? loaded.model.makeState())))
    job.continuation.finish()
  }

  /// Ends an answer that cannot go on. Its text so far has been handed over; its states are not remembered.
  private func fail(_ job: GenerationJob, _ error: SamplingError) {
    condition.withLock {
      counts.promptTokens += job.firstToken == nil ? job.tokensRead : job.request.tokens.count
      counts.generatedTokens += job.generated.count
      counts.failed += 1
    }
    job.continuation.finish(throwing: error)
  }

  // MARK: texts that are only read

  /// One pass for texts whose embeddings are wanted, one for those whose tokens are scored.
  private func readTexts() {
    for purpose in [ReadingJob.Purpose.embedding, .logProbabilities] {
      var batch = Batch(outputs: .all)
      var jobs: [ReadingJob] = []
      // Scores need the logits of every row.
      var room = purpose == .embedding ? options.promptChunk : min(options.promptChunk, 128)
      for job in texts where job.purpose == purpose && room > 0 {
        let piece = job.tokens[job.read..<min(job.tokens.count, job.read + room)]
        room -= piece.count
        batch.append(piece, state: job.state)
        jobs.append(job)
      }
      guard !jobs.isEmpty else { continue }
      let result = purpose == .embedding ? loaded.model.hidden(batch) : loaded.model.forward(batch)
      Parallel.run(jobs.count) { index in
        let job = jobs[index]
        for row in batch.spans[index] {
          result.withFloats(row: row) { row in
            job.read += 1
            switch purpose {
            case .embedding:
              if job.values.isEmpty { job.values = [Float](repeating: 0, count: row.count) }
              for (index, value) in row.enumerated() { job.values[index] += value }
            case .logProbabilities where job.read < job.tokens.count:
              let score = TokenProbability(
                row, chosen: job.tokens[job.read], alternatives: job.alternatives ?? 0, bytes: tokenBytes)
              if job.alternatives != nil { job.probabilities.append(score) }
              job.values.append(score.chosen.logProbability)
            case .logProbabilities: break
            }
          }
        }
      }
      condition.withLock {
        counts.steps += 1
        counts.rows += batch.tokens.count
        counts.promptTokens += batch.tokens.count
      }
    }
    texts.removeAll { job in
      guard job.read == job.tokens.count else { return false }
      let scale = job.purpose == .embedding ? 1 / Float(job.tokens.count) : 1
      let values = job.values.map { $0 * scale }
      // A probability of zero is minus infinity; NaN is never an answer.
      let isDamaged = values.contains { job.purpose == .embedding ? !$0.isFinite : $0.isNaN }
      job.finish(isDamaged ? .failure(ModelOutputError()) : .success(values))
      return true
    }
  }
}
