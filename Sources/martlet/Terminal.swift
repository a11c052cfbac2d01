import Foundation
import MartletData
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The first signal to end that came, as a word; 0 before.
private let interrupt = Atomic<UInt64>(0)

/// What the commands print, and how.
enum Terminal {
  /// Whether standard output is a terminal that knows colours, and nobody has asked for none (https://no-color.org).
  static let showsColor: Bool = {
    let environment = ProcessInfo.processInfo.environment
    return isatty(1) == 1 && (environment["NO_COLOR"] ?? "").isEmpty
      && !["", "dumb"].contains(environment["TERM"] ?? "")
  }()
  static let isInteractive = isatty(2) == 1

  static func dim(_ text: String) -> String { showsColor ? "\u{1b}[2m\(text)\u{1b}[0m" : text }
  static func bold(_ text: String) -> String { showsColor ? "\u{1b}[1m\(text)\u{1b}[0m" : text }

  /// Writes text at once, without a line break.
  static func write(_ text: String) { StandardOutput.write(text) }

  /// Says why a command failed. Whatever the message quotes of files is made safe to show.
  static func showError(_ message: String) {
    note("Error: " + message.split(separator: "\n").map { String($0).printable }.joined(separator: "\n"))
  }

  static func note(_ text: String) { StandardError.write(text + "\n") }

  /// The same for programs: `{"error": …, "exit_code": …}` on standard error.
  static func showJSONError(_ message: String, code: Int32) {
    let text = try? json(["error": message, "exit_code": code])
    note(text ?? "Error: \(message.printable)")
  }

  /// Prints one JSON object on one line.
  static func printJSON(_ object: [String: Any]) throws {
    StandardOutput.write(try json(object) + "\n")
  }

  /// JSON escapes control characters but for those above 0x7e, which steer terminals too.
  private static func json(_ object: [String: Any]) throws -> String {
    let data = try JSONSerialization.data(
      withJSONObject: finite(object), options: [.sortedKeys, .withoutEscapingSlashes])
    return String(decoding: data, as: UTF8.self).replacing(/[\u{7f}-\u{9f}]/) { match in
      match.output.unicodeScalars.map { String(format: "\\u%04x", $0.value) }.joined()
    }
  }

  /// JSON has no NaN and no infinity; null stands for both.
  private static func finite(_ value: Any) -> Any {
    switch value {
    case let object as [String: Any]: object.mapValues(finite)
    case let list as [Any]: list.map(finite)
    case let number as Double where !number.isFinite: NSNull()
    case let number as Float: number.isFinite ? Double("\(number)") ?? 0 : NSNull()
    default: value
    }
  }

  /// Standard input to its end. Where it cannot be read (a folder), the command ends.
  static func readInput() -> [UInt8] {
    var input: [UInt8] = [], piece = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(0, &piece, piece.count)
      if count > 0 { input += piece[..<count] }
      if count == 0 { return input }
      if count < 0, errno != EINTR {
        showError("standard input cannot be read: \(errno == EISDIR ? "it is a folder" : OutputTarget.reason(errno))")
        StandardOutput.finish(1)
      }
    }
  }

  // Ctrl-C sets a flag that loops look at, so that they can end in order.
  // With `andTermination`, SIGTERM (what `kill` and service managers send) does the same.
  static func catchInterrupts(andTermination: Bool = false) {
    for number in andTermination ? [SIGINT, SIGTERM] : [SIGINT] {
      // A parent may have blocked it, and children inherit that.
      var signals = sigset_t()
      sigemptyset(&signals)
      sigaddset(&signals, number)
      pthread_sigmask(SIG_UNBLOCK, &signals, nil)
      signal(number) { number in
        let signal = ReceivedSignal(number)
        let before = interrupt.compareExchange(expected: 0, desired: signal.word, ordering: .relaxed).original
        // A second Ctrl-C ends the process whatever it does.
        if let first = ReceivedSignal(word: before), !first.isRepeated(by: signal) { _exit(128 + number) }
      }
    }
  }
  /// What a process that a signal has ended exits with: 130 for Ctrl-C, 143 for SIGTERM.
  static var interruptCode: Int32 {
    128 + (ReceivedSignal(word: interrupt.load(ordering: .relaxed))?.number ?? SIGINT)
  }
  /// Whether loops should end: at Ctrl-C, and where nobody gets to see what is printed.
  static var isInterrupted: Bool { interrupt.load(ordering: .relaxed) != 0 || StandardOutput.hasFailed }
}

/// A line on standard error with rate and time left; nothing when that is not a terminal, or for work under two
/// seconds.
final class Progress: Sendable {
  private let label: String
  private let start = Date()
  private let state = Mutex(State())

  private struct State {
    /// When the line was last written.
    var last = Date.distantPast
    var isShown = false
  }

  init(_ label: String) { self.label = label }

  func update(_ done: Int, of total: Int?, unit: String = "MB", scale: Double = 1e6) {
    state.withLock { state in
      let now = Date(), elapsed = now.timeIntervalSince(start)
      guard Terminal.isInteractive, elapsed > 2, now.timeIntervalSince(state.last) > 0.2 else { return }
      state.last = now
      state.isShown = true
      let rate = Double(done) / elapsed
      var line = String(
        format: "\r\u{1b}[K%@ %.0f %@, %.1f %@/s", label, Double(done) / scale, unit, rate / scale, unit)
      if let total, total > 0, rate > 0 {
        line += String(format: ", %d %%, %.0f s left", done * 100 / total, Double(total - done) / rate)
      }
      StandardError.write(line)
    }
  }

  func finish() {
    state.withLock { if $0.isShown { StandardError.write("\r\u{1b}[K") } }
  }
}
