import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The temporary files of this process, recorded so that a signal handler can remove them.
package enum OpenFiles {
  private static let count = 64
  /// The addresses of C strings; 0 for a free slot. This is plain memory, because a signal handler must not wait for a
  /// lock.
  private nonisolated(unsafe) static let slots: UnsafeMutablePointer<Atomic<UInt>> = {
    let slots = UnsafeMutablePointer<Atomic<UInt>>.allocate(capacity: count)
    for place in 0..<count { (slots + place).initialize(to: Atomic(0)) }
    return slots
  }()

  /// Call this before you install a signal handler that calls ``removeAll()``.
  package static func prepare() { _ = slots }

  static func add(_ path: String) -> Int? {
    guard let text = strdup(path) else { return nil }
    let address = UInt(bitPattern: text)
    for place in 0..<count
    where slots[place].compareExchange(expected: 0, desired: address, ordering: .sequentiallyConsistent).exchanged {
      return place
    }
    free(text)
    return nil
  }

  static func remove(_ slot: Int?) {
    guard let slot else { return }
    free(UnsafeMutableRawPointer(bitPattern: slots[slot].exchange(0, ordering: .sequentiallyConsistent)))
  }

  /// Removes the temporary files. It is safe to call this from a signal handler.
  package static func removeAll() {
    for place in 0..<count {
      let address = slots[place].exchange(0, ordering: .sequentiallyConsistent)
      if let text = UnsafePointer<CChar>(bitPattern: address) { unlink(text) }
    }
  }
}
