import Foundation
import MartletModels
import MartletTensor

/// The engine's thread: takes what waits as ``Schedule`` says, runs forward passes, and lets answers leave that have ended.
///
/// `@unchecked Sendable`: variables are guarded by `condition` or belong to the thread alone, as their comments say. A
/// condition variable, as the thread sleeps while there is nothing to do.
final class EngineWorker: @unchecked Sendable {
  let tokenBytes: TokenBytes
  private let loaded: LoadedModel
  private let source: (any InterventionSource)?
  private let schedule: Schedule
  private let reading: TextReading
  private let condition = NSCondition()
  // Guarded by `condition`.
  private var queue = JobQueue()
  private var stopping = false
  private var clearing = false
  private var counts = EngineStatistics()
  // The thread's own.
  private var memory: PromptMemory
  private var running: [GenerationJob] = []
  private var texts: [ReadingJob] = []

  init(_ loaded: LoadedModel, _ options: Engine.Options) {
    self.loaded = loaded
    source = options.interventions
    schedule = Schedule(
      maxSequences: options.maxSequences, maxWaiting: options.maxWaiting, promptChunk: options.promptChunk)
    tokenBytes = TokenBytes(loaded.tokenizer)
    reading = TextReading(model: loaded.model, schedule: schedule, bytes: tokenBytes)
    memory = PromptMemory(loaded, byteCapacity: options.promptCacheBytes)
  }

  func start() {
    let thread = Thread { [self] in run() }
    thread.name = "martlet.engine"
    thread.stackSize = 8 << 20
    thread.start()
  }

  // MARK: called from any thread

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
      counts.waiting = queue.count
      return counts
    }
  }

  func submit(_ jobs: [GenerationJob]) throws {
    try condition.withLock {
      let begun = jobs.count { !$0.request.isContinuation }
      guard begun <= schedule.maxSequences || begun - schedule.maxSequences <= schedule.maxWaiting else {
        throw EngineError(
          "\(begun) prompts at once are more than the \(schedule.maxSequences) that run and the \(schedule.maxWaiting) that wait; "
            + "send fewer at a time, or start the server with a larger --queue")
      }
      if begun > 0 { try checkRoom(for: begun) }
      queue.add(jobs)
      counts.requests += jobs.count
      condition.signal()
    }
  }

  func submit(_ job: ReadingJob) throws {
    try condition.withLock {
      try checkRoom(for: 1)
      queue.add(job)
      counts.requests += 1
      condition.signal()
    }
  }

  /// - Throws: ``EngineOverloaded`` when one more request would be refused now.
  func checkRoom() throws { try condition.withLock { try checkRoom(for: 1) } }

  private func checkRoom(for jobs: Int) throws {
    guard schedule.hasRoom(for: jobs, waiting: queue.count, running: counts.running) else {
      throw EngineOverloaded(waiting: queue.count)
    }
  }

  // MARK: the thread

  private func run() {
    while true {
      condition.lock()
      counts.running = running.count + texts.count
      while queue.isEmpty, running.isEmpty, texts.isEmpty, !stopping, !clearing { condition.wait() }
      let left = queue.takeCancelled()
      let admitted = queue.take(
        requests: schedule.admissions(waiting: queue.requests.count, running: running.count),
        texts: schedule.admissions(waiting: queue.texts.count, running: texts.count))
      let end = stopping
      if clearing {
        clearing = false
        memory.clear()
      }
      counts.running = running.count + admitted.requests.count + texts.count + admitted.texts.count
      counts.promptCacheBytes = memory.byteCount
      counts.promptCacheDeviceBytes = memory.deviceByteCount
      let waiting = queue
      condition.unlock()
      if end {
        for job in left.requests + running + admitted.requests + waiting.requests { finish(job, .cancelled) }
        for job in left.texts + texts + admitted.texts + waiting.texts { job.cancelled() }
        return
      }
      for job in left.requests { finish(job, .cancelled) }
      for job in left.texts { job.cancelled() }
      for job in admitted.requests { admit(job) }
      running += admitted.requests
      texts += admitted.texts
      let parted = Dictionary(grouping: running, by: \.isCancelled)
      running = parted[false] ?? []
      for job in parted[true] ?? [] {
        // What it has read of a prompt is not lost on those that wait for it.
        let heir = job.canSharePrompt ? running.first { $0.canSharePrompt && $0.hasPrompt(of: job) } : nil
        if let heir, heir.pending.count > job.pending.count { heir.takePrompt(of: job) }
        finish(job, .cancelled)
      }
      texts.removeAll { job in
        guard job.isCancelled else { return false }
        job.cancelled()
        return true
      }
      if !running.isEmpty { step() }
      if !texts.isEmpty { readTexts() }
    }
  }

  private func admit(_ job: GenerationJob) {
    // What a request brings itself is done whatever the engine's source says.
    var plan = InterventionPlan()
    plan.interventions = job.request.interventions
    // What is only read is read as the model itself reads it.
    if plan.interventions.isEmpty, job.request.maxTokens > 0, let source {
      plan = source.plan(for: job.request, loaded: loaded)
    }
    job.follow(plan, bytes: tokenBytes)
    memory.prepare(job)
  }

  /// Which running request reads the prompt of each that waits for it: of those with the same unread prompt, the one with the least left.
  private func readers() -> [Int?] {
    var readers = [Int?](repeating: nil, count: running.count), first: [Int] = []
    for index in running.indices where running[index].canSharePrompt {
      if let same = first.firstIndex(where: { running[$0].hasPrompt(of: running[index]) }) {
        if running[index].pending.count < running[first[same]].pending.count { first[same] = index }
      } else {
        first.append(index)
      }
    }
    for index in running.indices where running[index].canSharePrompt && !first.contains(index) {
      readers[index] = first.first { running[$0].hasPrompt(of: running[index]) }
    }
    return readers
  }

  /// One forward pass: the next token of every running answer and a piece of every unread prompt.
  private func step() {
    running.removeAll { job in
      guard let failure = job.state?.failure else { return false }
      // What is remembered may lie on the same device.
      memory.clear()
      fail(job, failure)
      return true
    }
    if running.isEmpty { return }
    let readers = readers()
    var batch = Batch(outputs: .last)
    var jobs: [GenerationJob] = []
    var places: [InterventionPass.Place] = []
    var sequences = running.map(\.sequence)
    for index in sequences.indices { sequences[index].isReadElsewhere = readers[index] != nil }
    for (job, count) in zip(running, schedule.rows(of: sequences)) {
      guard count > 0, let state = job.state else { continue }
      batch.append(job.pending.prefix(count), state: state)
      job.pending = job.pending.dropFirst(count)
      if !job.interventions.isEmpty { places += job.places(sequence: jobs.count, rows: batch.spans[jobs.count]) }
      jobs.append(job)
    }
    let start = DispatchTime.now().uptimeNanoseconds
    let model = IntervenedModel(loaded.model, places)
    var logits = model.model.rows(of: batch, for: jobs)
    var failure = loaded.model.takeFailure()
    if failure?.leavesStates == true, memory.byteCount > 0 {
      // What is remembered may take the room that is missing.
      if memory.deviceByteCount > 0 { memory.leaveDevice() } else { memory.clear() }
      logits = model.model.rows(of: batch, for: jobs)
      failure = loaded.model.takeFailure()
    }
    if let failure { return failAll(failure) }
    guard logits.count == jobs.count else { return failAll(ModelFailure("the device returned no logits; try again")) }
    for (sequence, effect) in model.effects { jobs[sequence].take(effect) }
    var ready = jobs.enumerated().filter(\.element.pending.isEmpty).map { (job: $1, row: $0) }
    for (job, reader) in zip(running, readers) {
      guard let reader, let read = ready.first(where: { $0.job === running[reader] }) else { continue }
      job.takePrompt(of: read.job)
      ready.append((job, read.row))
    }
    for (job, _) in ready where job.firstToken == nil { job.endPrompt(bytes: tokenBytes) }
    if !ready.isEmpty {
      let (ready, logits) = (ready, logits)
      Parallel.run(ready.count) { ready[$0].job.sample(logits[ready[$0].row], bytes: tokenBytes) }
      // Some logits may have been read from the device only now.
      if let failure = loaded.model.takeFailure() { return failAll(failure) }
    }
    let seconds = Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
    for job in jobs where !job.pending.isEmpty && job.landmarks.contains(job.tokensRead) {
      memory.remember(job, Array(job.request.tokens.prefix(job.tokensRead)))
    }
    var finished: Set<ObjectIdentifier> = []
    for (job, _) in ready where !goesOn(job) { finished.insert(ObjectIdentifier(job)) }
    running.removeAll { finished.contains(ObjectIdentifier($0)) }
    condition.withLock {
      counts.steps += 1
      counts.rows += batch.tokens.count
      counts.seconds += seconds
    }
  }

  /// Takes in what was sampled for an answer, which ends where that ends it.
  /// - Returns: whether the answer goes on.
  private func goesOn(_ job: GenerationJob) -> Bool {
    do throws(SamplingError) {
      guard let (token, probability) = try job.sampled?.get() else {
        finish(job, .cancelled)
        return false
      }
      job.sampled = nil
      if job.firstToken == nil {
        job.firstToken = Date()
        memory.remember(job, job.request.tokens)
      }
      guard let reason = job.accept(token, probability, loaded: loaded) else { return true }
      finish(job, reason)
    } catch {
      if job.isCancelled { finish(job, .cancelled) } else { fail(job, error) }
    }
    return false
  }

  private func finish(_ job: GenerationJob, _ reason: Completion.Reason) {
    job.flush()
    let end = Date()
    // The next turn of a conversation goes on behind the answer.
    if let seen = job.tokensSeen { memory.remember(job, seen) }
    condition.withLock {
      counts.promptTokens += job.promptTokensTaken
      counts.cachedTokens += job.cachedTokens
      counts.generatedTokens += job.generated.count
      if reason == .cancelled { counts.cancelled += 1 }
      if job.isIntervened { counts.intervened += 1 }
    }
    job.complete(reason, at: end, loaded: loaded)
  }

  /// Ends all answers, as the device has failed that they run on.
  private func failAll(_ failure: ModelFailure) {
    // States that are remembered, and those of requests that wait for others, may lie where the failure happened.
    memory.clear()
    for job in running { fail(job, failure) }
    running = []
  }

  /// Ends an answer that cannot go on. Its text so far has been handed over; its states are not remembered.
  private func fail(_ job: GenerationJob, _ error: any Error) {
    condition.withLock {
      counts.promptTokens += job.promptTokensTaken
      counts.generatedTokens += job.generated.count
      counts.failed += 1
    }
    job.continuation.finish(throwing: error)
  }

  /// One pass for texts whose embeddings are wanted, one for those whose tokens are scored.
  private func readTexts() {
    for purpose in ReadingJob.Purpose.allCases {
      guard let rows = reading.read(texts, for: purpose) else { continue }
      condition.withLock {
        counts.steps += 1
        counts.rows += rows
        counts.promptTokens += rows
      }
    }
    texts.removeAll { $0.finishIfRead() }
  }
}

extension LanguageModel {
  /// From so many rows on, a device tells the likeliest tokens rather than all logits.
  private static var fewestRowsOfLikeliest: Int { 8 }

  /// Runs a batch for the last row of each sequence; none where the pass has failed.
  fileprivate func rows(of batch: Batch, for jobs: [GenerationJob]) -> [LogitRow] {
    let temperatures = jobs.map(\.sampler.temperatureOfLikeliest)
    // Rows that need all logits are then read one by one.
    if jobs.count >= Self.fewestRowsOfLikeliest, temperatures.count(where: { $0 == nil }) * 4 <= jobs.count,
      let logits = likeliest(batch, temperatures: temperatures.map { $0 ?? 1 })
    {
      return logits.rows.indices.map { LogitRow(logits, row: $0) }
    }
    let logits = forward(batch)
    return jobs.indices.map { LogitRow(logits, row: $0) }
  }
}
