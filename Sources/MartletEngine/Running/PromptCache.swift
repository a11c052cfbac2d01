import MartletModels

/// States after token sequences that were read before, so that a prompt that begins alike is not read again.
/// Bounded by bytes; the least recently used goes first.
///
/// Where states can be cut (key/value caches), any common beginning serves; a recurrent state serves only where it
/// stands, which is why prompts' ends, answers' ends and landmarks are all remembered.
struct PromptCache {
  private struct Entry {
    /// Of the state that the tokens were read from; nil is the start of a text.
    let start: String?
    let tokens: [Int]
    let state: any SequenceState
    let byteCount: Int
    var lastUse: Int
  }

  private let capacity: Int
  private var entries: [Entry] = []
  private var clock = 0
  private(set) var byteCount = 0
  /// Shorter beginnings are not worth a copy of a state.
  private static let shortest = 16

  init(byteCapacity: Int) { capacity = byteCapacity }

  /// A state of its own after the longest known beginning of `tokens`, read from the same start, that leaves at least
  /// `rest` of them.
  /// O(entries x common tokens).
  mutating func lookup(
    _ tokens: [Int], start: String?, leaving rest: Int = 1
  ) -> (state: any SequenceState, count: Int)? {
    var best: (index: Int, count: Int)?
    for (index, entry) in entries.enumerated() where entry.start == start {
      var common = zip(entry.tokens, tokens.dropLast(rest)).prefix { $0 == $1 }.count
      if common < entry.tokens.count, !entry.state.canBeCut { common = 0 }
      common = min(common, tokens.count - rest)
      if common >= Self.shortest, common > best?.count ?? 0 { best = (index, common) }
    }
    guard let best, let state = entries[best.index].state.prefix(best.count) else { return nil }
    clock += 1
    entries[best.index].lastUse = clock
    return (state, best.count)
  }

  /// Keeps a copy of `state`, which has seen `tokens`.
  mutating func insert(_ tokens: [Int], start: String?, state: any SequenceState) {
    let size = state.byteCount
    guard size <= capacity, !tokens.isEmpty, state.position == tokens.count else { return }
    clock += 1
    if let known = entries.firstIndex(where: { $0.start == start && $0.tokens == tokens }) {
      entries[known].lastUse = clock
      return
    }
    if state.canBeCut {
      // What is known of the new one's beginning can be cut out of it.
      if entries.contains(where: { $0.start == start && $0.tokens.starts(with: tokens) }) { return }
      remove { $0.start == start && tokens.starts(with: $0.tokens) }
    }
    entries.append(Entry(start: start, tokens: tokens, state: state.copy(), byteCount: size, lastUse: clock))
    byteCount += size
    while byteCount > capacity, let oldest = entries.indices.min(by: { entries[$0].lastUse < entries[$1].lastUse }) {
      byteCount -= entries[oldest].byteCount
      entries.remove(at: oldest)
    }
  }

  private mutating func remove(_ matches: (Entry) -> Bool) {
    entries.removeAll { entry in
      guard matches(entry) else { return false }
      byteCount -= entry.byteCount
      return true
    }
  }
}
