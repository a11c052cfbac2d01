import MartletModels

/// States after token sequences that were read before, so that a prompt that begins alike is not read again.
/// Bounded by bytes, those of a device's memory and those of the processor's each by a limit of their own. The least recently used goes first:
/// from the device to the processor's memory, and from there for good.
///
/// Where states can be cut (key/value caches), any common beginning serves; a recurrent state serves only where it
/// stands, which is why prompts' ends, answers' ends and landmarks are all remembered.
struct PromptCache {
  private struct Entry {
    /// Of the state that the tokens were read from; nil is the start of a text.
    let start: String?
    let tokens: [Int]
    var state: any SequenceState
    let byteCount: Int
    var lastUse: Int
  }

  private let capacity, deviceCapacity: Int
  private var entries: [Entry] = []
  private var clock = 0
  /// Shorter beginnings are not worth a copy of a state.
  private static let shortest = 16

  /// - Parameters:
  ///   - byteCapacity: the most bytes of the processor's memory; with 0 nothing is kept.
  ///   - deviceByteCapacity: the most bytes of a device's memory.
  init(byteCapacity: Int, deviceByteCapacity: Int = 0) {
    capacity = byteCapacity
    deviceCapacity = byteCapacity > 0 ? deviceByteCapacity : 0
  }

  /// The bytes of all that is kept.
  var byteCount: Int { entries.reduce(0) { $0 + $1.byteCount } }
  /// Those of them that lie in a device's memory.
  var deviceByteCount: Int { entries.reduce(0) { $0 + $1.state.deviceByteCount } }

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
      let isNearer = common == best?.count && entry.state.deviceByteCount > 0
      if common >= Self.shortest, common > best?.count ?? 0 || isNearer { best = (index, common) }
    }
    guard let best, let state = entries[best.index].state.prefix(best.count) else { return nil }
    clock += 1
    entries[best.index].lastUse = clock
    return (state, best.count)
  }

  /// Keeps a copy of `state`, which has seen `tokens`.
  mutating func insert(_ tokens: [Int], start: String?, state: any SequenceState) {
    let size = state.byteCount
    guard size <= max(capacity, deviceCapacity), !tokens.isEmpty, state.position == tokens.count else { return }
    clock += 1
    if let known = entries.firstIndex(where: { $0.start == start && $0.tokens == tokens }) {
      entries[known].lastUse = clock
      // What has left the device is there again.
      if entries[known].state.deviceByteCount == 0, state.deviceByteCount > 0 {
        entries[known].state = state.copy()
        leaveDevice(deviceCapacity)
      }
      return
    }
    let copy = state.copy()
    // A full device leaves the copy to the processor's memory.
    guard size <= (copy.deviceByteCount > 0 ? max(capacity, deviceCapacity) : capacity) else { return }
    if state.canBeCut {
      // What is known of the new one's beginning can be cut out of it.
      if entries.contains(where: { $0.start == start && $0.tokens.starts(with: tokens) }) { return }
      entries.removeAll { $0.start == start && tokens.starts(with: $0.tokens) }
    }
    entries.append(Entry(start: start, tokens: tokens, state: copy, byteCount: size, lastUse: clock))
    leaveDevice(deviceCapacity)
  }

  /// Moves what was used least recently from the device to the processor's memory until so many bytes are left there at most, as far as there is
  /// room beside what was used later; the rest is given up.
  mutating func leaveDevice(_ most: Int = 0) {
    entries.sort { $0.lastUse > $1.lastUse }
    var onDevice = most, room = capacity
    entries = entries.compactMap { entry in
      let size = entry.byteCount
      if entry.state.deviceByteCount > 0, size <= onDevice {
        onDevice -= size
        return entry
      }
      // Nothing that was used earlier stays on the device in its place.
      if entry.state.deviceByteCount > 0 { onDevice = 0 }
      guard size <= room else { return nil }
      var entry = entry
      if entry.state.deviceByteCount > 0 {
        guard let moved = entry.state.movedToProcessor() else { return nil }
        entry.state = moved
      }
      room -= size
      return entry
    }
  }
}
