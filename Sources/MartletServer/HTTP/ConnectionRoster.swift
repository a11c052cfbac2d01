import NIOCore
import Synchronization

/// The open connections of a server. There are at most so many; the one that has been idle longest gives way to a new
/// one, so that connections which nobody uses shut nobody out.
final class ConnectionRoster: Sendable {
  enum Activity {
    /// No request has begun since the last answer.
    case idle
    /// A request is on its way.
    case receiving
    /// A request is here whole, and its answer is due.
    case answering
  }

  private struct Entry {
    let channel: any Channel
    var activity = Activity.idle
    /// When the activity began, in the order of all changes.
    var since: UInt64
  }
  private struct State {
    var entries: [ObjectIdentifier: Entry] = [:]
    var changes: UInt64 = 0

    mutating func nextChange() -> UInt64 {
      changes &+= 1
      return changes
    }
  }
  private let state = Mutex(State())
  private let mostConnections: Int

  init(mostConnections: Int) { self.mostConnections = max(1, mostConnections) }

  var count: Int { state.withLock { $0.entries.count } }

  /// Takes a new connection in. Where all places are taken, the oldest idle connection is closed, or else the one whose
  /// request has been on its way longest.
  /// - Returns: false where every connection waits for an answer.
  func admit(_ channel: any Channel) -> Bool {
    let (isAdmitted, leaving) = state.withLock { state -> (Bool, (any Channel)?) in
      var leaving: (any Channel)?
      if state.entries.count >= mostConnections {
        guard let (id, entry) = Self.leastNeeded(state.entries) else { return (false, nil) }
        leaving = entry.channel
        state.entries[id] = nil
      }
      state.entries[ObjectIdentifier(channel)] = Entry(channel: channel, since: state.nextChange())
      return (true, leaving)
    }
    leaving?.close(promise: nil)
    return isAdmitted
  }

  private static func leastNeeded(_ entries: [ObjectIdentifier: Entry]) -> (ObjectIdentifier, Entry)? {
    for activity in [Activity.idle, .receiving] {
      let candidates = entries.lazy.filter { $0.value.activity == activity }
      if let oldest = candidates.min(by: { $0.value.since < $1.value.since }) { return (oldest.key, oldest.value) }
    }
    return nil
  }

  func note(_ channel: any Channel, _ activity: Activity) {
    state.withLock { state in
      let change = state.nextChange()
      state.entries[ObjectIdentifier(channel)]?.activity = activity
      state.entries[ObjectIdentifier(channel)]?.since = change
    }
  }

  func remove(_ channel: any Channel) {
    state.withLock { _ = $0.entries.removeValue(forKey: ObjectIdentifier(channel)) }
  }
}
