/// Requests and texts that wait for the worker, in the order in which they will be taken.
struct JobQueue {
  private(set) var requests: [GenerationJob] = []
  private(set) var texts: [ReadingJob] = []

  var isEmpty: Bool { requests.isEmpty && texts.isEmpty }
  var count: Int { requests.count + texts.count }

  /// Parts of an answer that has begun go before what waits.
  mutating func add(_ jobs: [GenerationJob]) {
    requests.insert(contentsOf: jobs, at: jobs.allSatisfy(\.request.isContinuation) ? 0 : requests.count)
  }

  mutating func add(_ job: ReadingJob) { texts.append(job) }

  /// Removes the jobs that were cancelled.
  mutating func takeCancelled() -> (requests: [GenerationJob], texts: [ReadingJob]) {
    let left = (requests.filter(\.isCancelled), texts.filter(\.isCancelled))
    requests.removeAll(where: \.isCancelled)
    texts.removeAll(where: \.isCancelled)
    return left
  }

  /// Takes out the first ones.
  mutating func take(requests requestCount: Int, texts textCount: Int) -> (
    requests: [GenerationJob], texts: [ReadingJob]
  ) {
    let taken = (Array(requests.prefix(requestCount)), Array(texts.prefix(textCount)))
    requests.removeFirst(requestCount)
    texts.removeFirst(textCount)
    return taken
  }
}
