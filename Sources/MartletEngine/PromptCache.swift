import MartletModels

/// States after prompts that were read before, so that a prompt that begins alike is not read again. Bounded by
/// bytes; the least recently used goes first.
struct PromptCache {
  private struct Entry {
    let tokens: [Int]
    let state: any SequenceState
    let byteCount: Int
    var lastUse: Int
  }

  private let capacity: Int
  private var entries: [Entry] = []
  private var clock = 0

  init(byteCapacity: Int) { capacity = byteCapacity }

  /// A copy of the state after the longest known beginning of `tokens`, shorter than all of them.
  /// O(entries x tokens).
  mutating func lookup(_ tokens: [Int]) -> (state: any SequenceState, count: Int)? {
    var best: Int?
    for (index, entry) in entries.enumerated()
    where entry.tokens.count < tokens.count && tokens.starts(with: entry.tokens)
      && entry.tokens.count > best.map({ entries[$0].tokens.count }) ?? 0
    {
      best = index
    }
    guard let best else { return nil }
    clock += 1
    entries[best].lastUse = clock
    return (entries[best].state.copy(), entries[best].tokens.count)
  }

  mutating func insert(_ tokens: [Int], state: any SequenceState, byteCount: Int) {
    guard byteCount <= capacity, !tokens.isEmpty, !entries.contains(where: { $0.tokens == tokens }) else { return }
    clock += 1
    entries.append(Entry(tokens: tokens, state: state.copy(), byteCount: byteCount, lastUse: clock))
    while entries.reduce(0, { $0 + $1.byteCount }) > capacity {
      guard let oldest = entries.indices.min(by: { entries[$0].lastUse < entries[$1].lastUse }) else { return }
      entries.remove(at: oldest)
    }
  }
}
