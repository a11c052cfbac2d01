import MartletModels

/// What is remembered of the prompts that were read, and where reading pauses for it: the policy above ``PromptCache``.
///
/// States are remembered at prompts' ends, answers' ends and landmarks. What an intervention has changed is never kept, so
/// that what is kept holds whatever interventions come and go.
struct PromptMemory {
  private let loaded: LoadedModel
  private let byteCapacity, deviceByteCapacity: Int
  private var cache: PromptCache

  /// How many tokens of a long prompt are read again at most when another prompt leaves it.
  private static let landmarkInterval = 512
  /// Reading a shorter prompt again costs less than one step more for each landmark.
  private static let shortestWithLandmarks = 128
  /// Shorter beginnings are not worth a copy of a state.
  private static let shortest = 16

  init(_ loaded: LoadedModel, byteCapacity: Int) {
    self.loaded = loaded
    self.byteCapacity = byteCapacity
    deviceByteCapacity = loaded.model.deviceStateByteCapacity ?? 0
    cache = PromptCache(byteCapacity: byteCapacity, deviceByteCapacity: deviceByteCapacity)
  }

  /// Bytes of the remembered states.
  var byteCount: Int { cache.byteCount }
  /// Those of them that lie in a device's memory.
  var deviceByteCount: Int { cache.deviceByteCount }

  mutating func clear() { cache = PromptCache(byteCapacity: byteCapacity, deviceByteCapacity: deviceByteCapacity) }

  /// Leaves a device's memory to running requests.
  mutating func leaveDevice() { cache.leaveDevice() }

  /// Gives a request the state that it goes on from, without the tokens that need not be read, and its landmarks.
  mutating func prepare(_ job: GenerationJob) {
    if let state = job.request.state {
      job.state = state.copy()
    } else if let (state, count) = cache.lookup(
      job.request.tokens, start: job.request.start?.name, leaving: job.rowsActedOn)
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
    let end = count - job.rowsActedOn
    var places = Set(job.request.landmarks)
    if count >= Self.shortestWithLandmarks, job.request.state == nil, job.state?.canBeCut == false {
      // One prompt takes at most a quarter of what is remembered.
      let most = max(1, max(byteCapacity, deviceByteCapacity) / 4 / max(1, job.state?.byteCount ?? 1))
      let interval = max(Self.landmarkInterval, count / most)
      places.formUnion(stride(from: interval, to: end, by: interval))
      places.insert(end)
    }
    return places.filter { $0 > job.tokensRead && $0 <= end }.sorted()
  }

  /// Keeps the state after `tokens`, which the request has reached, for prompts that begin alike.
  mutating func remember(_ job: GenerationJob, _ tokens: [Int]) {
    guard job.request.state == nil, let state = job.state else { return }
    let untouched = job.request.tokens.count - job.rowsActedOn
    if job.isStateChanged, tokens.count > untouched {
      if untouched >= Self.shortest, let part = state.prefix(untouched) {
        cache.insert(Array(job.request.tokens.prefix(untouched)), start: job.request.start?.name, state: part)
      }
    } else if tokens.count >= Self.shortest {
      cache.insert(tokens, start: job.request.start?.name, state: state)
    }
  }
}
