/// Merges neighbouring symbols in order of priority until no pair is known: the heart of byte-pair encoding.
/// O(n log n) for n symbols.
struct PairMerger {
  /// Lower ranks merge first; of equal ranks the leftmost.
  struct Merge { let rank: Int32, result: Int32 }

  private struct Candidate {
    let rank: Int32
    let left: Int32
    let leftToken, rightToken, result: Int32
  }

  /// - Parameters:
  ///   - symbols: token ids, replaced by the merged ones.
  ///   - merge: what a pair of tokens becomes.
  static func run(_ symbols: inout [Int32], merge: (Int32, Int32) -> Merge?) {
    if symbols.count < 2 { return }
    if symbols.count <= 24 { return runShort(&symbols, merge: merge) }
    let count = symbols.count
    var next = (0..<Int32(count)).map { $0 + 1 < Int32(count) ? $0 + 1 : -1 }
    var previous = (0..<Int32(count)).map { $0 - 1 }
    var heap: [Candidate] = []
    func precedes(_ a: Candidate, _ b: Candidate) -> Bool { (a.rank, a.left) < (b.rank, b.left) }
    func push(_ left: Int32) {
      let right = next[Int(left)]
      guard right >= 0, let found = merge(symbols[Int(left)], symbols[Int(right)]) else { return }
      heap.append(
        Candidate(
          rank: found.rank, left: left, leftToken: symbols[Int(left)], rightToken: symbols[Int(right)],
          result: found.result))
      var child = heap.count - 1
      while child > 0, precedes(heap[child], heap[(child - 1) / 2]) {
        heap.swapAt(child, (child - 1) / 2)
        child = (child - 1) / 2
      }
    }
    func pop() -> Candidate? {
      guard let last = heap.popLast() else { return nil }
      if heap.isEmpty { return last }
      let top = heap[0]
      heap[0] = last
      var parent = 0
      while true {
        var least = parent
        for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && precedes(heap[child], heap[least]) {
          least = child
        }
        if least == parent { return top }
        heap.swapAt(parent, least)
        parent = least
      }
    }
    for left in 0..<Int32(count - 1) { push(left) }
    while let best = pop() {
      let left = Int(best.left), right = Int(next[left])
      // Stale when either side has merged since.
      guard symbols[left] == best.leftToken, right >= 0, symbols[right] == best.rightToken else { continue }
      symbols[left] = best.result
      symbols[right] = -1
      next[left] = next[right]
      if next[right] >= 0 { previous[Int(next[right])] = best.left }
      if previous[left] >= 0 { push(previous[left]) }
      push(best.left)
    }
    symbols.removeAll { $0 < 0 }
  }

  /// Words are mostly short: search all pairs each time.
  private static func runShort(_ symbols: inout [Int32], merge: (Int32, Int32) -> Merge?) {
    var merges = (0..<symbols.count - 1).map { merge(symbols[$0], symbols[$0 + 1]) }
    while true {
      var best = -1
      for (index, candidate) in merges.enumerated() {
        if let candidate, best < 0 || candidate.rank < (merges[best]?.rank ?? .max) { best = index }
      }
      guard best >= 0, let chosen = merges[best] else { return }
      symbols[best] = chosen.result
      symbols.remove(at: best + 1)
      merges.remove(at: best)
      if best > 0 { merges[best - 1] = merge(symbols[best - 1], symbols[best]) }
      if best < merges.count { merges[best] = merge(symbols[best], symbols[best + 1]) }
    }
  }
}
