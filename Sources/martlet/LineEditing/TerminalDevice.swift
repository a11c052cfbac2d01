import Foundation
import MartletData
import Synchronization

/// The terminal that a person writes on: its modes, its size, and the bytes that come from it. Modes are put back
/// whatever ends the program, see ``restore()``.
final class TerminalDevice: Sendable {
  /// How the terminal treats what is typed.
  enum Mode: Sendable {
    /// As the shell left it.
    case original
    /// Every key comes as it is, Ctrl-C too.
    case editing
    /// Keys wait unseen, of any number; Ctrl-C interrupts.
    case waiting
  }

  let input: Int32, output: Int32
  /// Whether the terminal knows escape sequences.
  let isCapable: Bool
  private let original: termios
  private let mode = Mutex(Mode.original)
  private let continuations = Atomic(0)

  /// Standard input with the terminal that is seen, standard output or error.
  /// - Returns: nil when standard input is no terminal, or nothing that is written is seen.
  /// - Parameter usesOutput: whether standard output may be drawn on.
  init?(usesOutput: Bool) {
    var settings = termios()
    guard isatty(0) == 1, tcgetattr(0, &settings) == 0 else { return nil }
    if usesOutput, isatty(1) == 1 {
      output = 1
    } else if isatty(2) == 1 {
      output = 2
    } else {
      return nil
    }
    input = 0
    original = settings
    let kind = ProcessInfo.processInfo.environment["TERM"] ?? ""
    isCapable = !["", "dumb", "unknown"].contains(kind)
  }

  func enter(_ wanted: Mode) {
    mode.withLock { mode in
      guard mode != wanted else { return }
      if isCapable, mode == .editing { write("\u{1b}[?2004l") }
      mode = wanted
      apply(wanted)
      if isCapable, wanted == .editing { write("\u{1b}[?2004h") }
    }
  }

  /// Makes the terminal again what it was before the program.
  func restore() { enter(.original) }

  /// Sets the modes again, which the shell has changed while the program stood still.
  func reapply() {
    mode.withLock { mode in
      apply(mode)
      if isCapable, mode == .editing { write("\u{1b}[?2004h") }
    }
    continuations.add(1, ordering: .relaxed)
  }

  /// How often the program has gone on after it stood still; what others wrote meanwhile hides what was drawn.
  var continuationCount: Int { continuations.load(ordering: .relaxed) }

  private func apply(_ mode: Mode) {
    var settings = original
    if mode != .original {
      settings.c_lflag &= ~tcflag_t(ICANON | ECHO | IEXTEN)
      settings.c_iflag &= ~tcflag_t(IXON | ICRNL | INLCR | IGNCR | ISTRIP)
      Self.setControl(&settings, VMIN, 1)
      Self.setControl(&settings, VTIME, 0)
    }
    switch mode {
    case .original: break
    case .editing: settings.c_lflag &= ~tcflag_t(ISIG)
    case .waiting:
      settings.c_lflag |= tcflag_t(ISIG)
      // Only Ctrl-C: a program that is stopped or killed here would leave the terminal silent.
      let none = UInt8(truncatingIfNeeded: fpathconf(input, Int32(_PC_VDISABLE)))
      Self.setControl(&settings, VQUIT, none)
      Self.setControl(&settings, VSUSP, none)
    }
    while tcsetattr(input, TCSADRAIN, &settings) != 0, errno == EINTR {}
  }

  private static func setControl(_ settings: inout termios, _ place: Int32, _ value: UInt8) {
    withUnsafeMutableBytes(of: &settings.c_cc) { $0[Int(place)] = value }
  }

  var size: LineView.Size {
    var window = winsize()
    guard ioctl(output, UInt(TIOCGWINSZ), &window) == 0, window.ws_col > 0, window.ws_row > 0 else {
      return LineView.Size()
    }
    return LineView.Size(columns: Int(window.ws_col), rows: Int(window.ws_row))
  }

  func write(_ text: String) {
    // A terminal that is gone is noticed when it is read.
    _ = Array(text.utf8).withUnsafeBytes { writeAll($0, to: output) }
  }

  /// What has been typed.
  /// - Parameter milliseconds: how long to wait.
  /// - Returns: no bytes when nothing came in time, nil at the end of input.
  func read(within milliseconds: Int32) -> [UInt8]? {
    var descriptor = pollfd(fd: input, events: Int16(POLLIN), revents: 0)
    guard poll(&descriptor, 1, milliseconds) > 0 else { return [] }
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = bytes.withUnsafeMutableBytes { Foundation.read(input, $0.baseAddress, $0.count) }
    if count > 0 { return Array(bytes[..<count]) }
    return count < 0 && (errno == EINTR || errno == EAGAIN) ? [] : nil
  }
}
