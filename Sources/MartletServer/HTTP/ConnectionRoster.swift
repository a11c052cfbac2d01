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

  /// What becomes of a new connection.
  enum Admission {
    case admitted
    /// It is told that there is no place, and then closed.
    case refused
    /// It is closed at once: too many are being told.
    case closed
  }

  private struct Entry {
    let channel: any Channel
    var activity = Activity.idle
    /// When the activity began, in the order of all changes.
    var since: UInt64
  }
  private struct State {
    var entries: [ObjectIdentifier: Entry] = [:]
    /// Connections that are being told that there is no place for them.
    var refused: Set<ObjectIdentifier> = []
    var changes: UInt64 = 0

    mutating func nextChange() -> UInt64 {
      changes &+= 1
      return changes
    }
  }
  private let state = Mutex(State())
  private let mostConnections: Int
  /// Of those that are refused with a reason. Their descriptors are beside those of the other connections.
  static let mostRefused = 32

  init(mostConnections: Int) { self.mostConnections = max(1, mostConnections) }

  /// Takes a new connection in. Where all places are taken, the oldest idle connection is closed, or else the one whose
  /// request has been on its way longest; where every connection waits for an answer, the new one is refused.
  func admit(_ channel: any Channel) -> Admission {
    let id = ObjectIdentifier(channel)
    let (admission, leaving) = state.withLock { state -> (Admission, (any Channel)?) in
      var leaving: (any Channel)?
      if state.entries.count >= mostConnections {
        guard let (id, entry) = Self.leastNeeded(state.entries) else {
          guard state.refused.count < Self.mostRefused else { return (.closed, nil) }
          state.refused.insert(ObjectIdentifier(channel))
          return (.refused, nil)
        }
        leaving = entry.channel
        state.entries[id] = nil
      }
      state.entries[id] = Entry(channel: channel, since: state.nextChange())
      return (.admitted, leaving)
    }
    leaving?.close(promise: nil)
    return admission
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

  /// The connection's place is free.
  func remove(_ channel: any Channel) {
    state.withLock { _ = $0.entries.removeValue(forKey: ObjectIdentifier(channel)) }
  }

  /// The connection is closed altogether.
  func forget(_ channel: any Channel) {
    state.withLock {
      _ = $0.entries.removeValue(forKey: ObjectIdentifier(channel))
      $0.refused.remove(ObjectIdentifier(channel))
    }
  }
}
