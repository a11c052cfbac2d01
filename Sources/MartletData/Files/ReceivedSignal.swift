#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A signal and when it came. Everything here may be used in signal handlers.
///
/// One wish to end can come as several signals: `timeout` sends its own to a process and to the group that the process
/// is in, and a script passes on what its terminal has sent to both.
public struct ReceivedSignal: Sendable {
  /// `SIGTERM`, `SIGINT`, ...
  public let number: Int32
  /// Milliseconds of a clock that is never set.
  let time: UInt64

  init(_ number: Int32, time: UInt64) { (self.number, self.time) = (number, time) }

  /// A signal that came now.
  public init(_ number: Int32) {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    self.init(number, time: UInt64(now.tv_sec) &* 1000 &+ UInt64(now.tv_nsec) / 1_000_000)
  }

  /// Whether `later` says what this one said: of the same kind and less than a quarter of a second after it, which is too
  /// soon for a person. Two threads may hear two signals in the other order than they came.
  public func isRepeated(by later: ReceivedSignal) -> Bool {
    number == later.number && later.time < time &+ 250
  }

  /// All of it in one number that is not 0, for atomics.
  public var word: UInt64 { time << 8 | UInt64(truncatingIfNeeded: number) & 255 }

  /// - Returns: nil for 0.
  public init?(word: UInt64) {
    guard word != 0 else { return nil }
    self.init(Int32(word & 255), time: word >> 8)
  }
}
