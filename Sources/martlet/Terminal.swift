import Foundation
import MartletCheckpoints
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

private let interrupts = Atomic<Int>(0)

/// What the commands print, and how.
enum Terminal {
  static let showsColor = isatty(1) == 1 && getenv("NO_COLOR") == nil
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

  /// One JSON object on one line. JSON escapes control characters but for those above 0x7e, which steer terminals too.
  static func printJSON(_ object: [String: Any]) throws {
    let data = try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
    let text = String(decoding: data, as: UTF8.self).replacing(/[\u{7f}-\u{9f}]/) { match in
      match.output.unicodeScalars.map { String(format: "\\u%04x", $0.value) }.joined()
    }
    StandardOutput.write(text + "\n")
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
  static func catchInterrupts() {
    signal(SIGINT) { _ in
      // A second Ctrl-C ends the process whatever it does.
      if interrupts.wrappingAdd(1, ordering: .relaxed).newValue > 1 { _exit(130) }
    }
  }
  /// Whether loops should end: at Ctrl-C, and where nobody gets to see what is printed.
  static var isInterrupted: Bool { interrupts.load(ordering: .relaxed) > 0 || StandardOutput.hasFailed }
  static func clearInterrupt() { interrupts.store(0, ordering: .relaxed) }
}

/// A line on standard error with rate and time left; nothing when that is not a terminal, or for work under two
/// seconds.
final class Progress: @unchecked Sendable {
  private let label: String
  private let start = Date()
  private var last = Date.distantPast
  private var shown = false
  private let lock = NSLock()

  init(_ label: String) { self.label = label }

  func update(_ done: Int, of total: Int?, unit: String = "MB", scale: Double = 1e6) {
    lock.lock()
    defer { lock.unlock() }
    let now = Date(), elapsed = now.timeIntervalSince(start)
    guard Terminal.isInteractive, elapsed > 2, now.timeIntervalSince(last) > 0.2 else { return }
    last = now
    shown = true
    let rate = Double(done) / elapsed
    var line = String(format: "\r\u{1b}[K%@ %.0f %@, %.1f %@/s", label, Double(done) / scale, unit, rate / scale, unit)
    if let total, total > 0, rate > 0 {
      line += String(format: ", %d %%, %.0f s left", done * 100 / total, Double(total - done) / rate)
    }
    StandardError.write(line)
  }

  func finish() {
    lock.lock()
    defer { lock.unlock() }
    if shown { StandardError.write("\r\u{1b}[K") }
  }
}
