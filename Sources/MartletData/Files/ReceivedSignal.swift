#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A signal with the time of its arrival. All members may be used in signal handlers.
///
/// One request to terminate can arrive as several signals: `timeout` signals a process and its process group, and a
/// script may forward a signal that the terminal has sent to both.
package struct ReceivedSignal: Sendable {
  /// `SIGTERM`, `SIGINT`, ...
  package let number: Int32
  /// Milliseconds of a clock that is never set.
  let time: UInt64

  init(_ number: Int32, time: UInt64) { (self.number, self.time) = (number, time) }

  /// A signal that arrives now.
  package init(_ number: Int32) {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    self.init(number, time: UInt64(now.tv_sec) &* 1000 &+ UInt64(now.tv_nsec) / 1_000_000)
  }

  /// Whether `later` repeats this signal: it has the same number and arrived less than a quarter of a second later,
  /// which is too soon for a person. Two threads may receive two signals in either order.
  package func isRepeated(by later: ReceivedSignal) -> Bool {
    number == later.number && later.time < time &+ 250
  }

  /// The signal and its time encoded in one nonzero number, for atomics.
  package var word: UInt64 { time << 8 | UInt64(truncatingIfNeeded: number) & 255 }

  /// Decodes a ``word``; nil for 0.
  package init?(word: UInt64) {
    guard word != 0 else { return nil }
    self.init(Int32(word & 255), time: word >> 8)
  }
}
