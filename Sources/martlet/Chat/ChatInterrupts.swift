import Foundation
import MartletData
import Synchronization

/// What ends or interrupts a chat from outside: Ctrl-C stops the answer that is being given, or ends the program where
/// there is none; SIGTERM and SIGHUP end it. The terminal is put in order first.
final class ChatInterrupts: Sendable {
  private struct State {
    var isAnswering = false
    var count = 0
    var stop: (@Sendable () -> Void)?
    /// What stopped the last answer that was stopped.
    var last: ReceivedSignal?
  }

  private let state = Mutex(State())
  private let device: TerminalDevice?

  init(_ device: TerminalDevice?) { self.device = device }

  /// Begins to listen.
  func start() {
    for number in [SIGINT, SIGTERM, SIGHUP, SIGCONT] {
      // What `nohup` has had ignored stays so.
      if number == SIGHUP, EndingSignals.isIgnored(number) { continue }
      if number != SIGCONT { signal(number, SIG_IGN) }
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global(qos: .userInteractive))
      source.setEventHandler { [weak self] in self?.received(number) }
      source.resume()
      // A source that is let go ends; these live as long as the program.
      _ = Unmanaged.passRetained(source as AnyObject)
    }
  }

  private func received(_ number: Int32) {
    if number == SIGCONT { return device?.reapply() ?? () }
    let signal = ReceivedSignal(number)
    let stop: (@Sendable () -> Void)? = state.withLock { state in
      // The answer may have ended by the time that the same signal comes again.
      if !state.isAnswering, let last = state.last, last.isRepeated(by: signal) { return {} }
      guard number == SIGINT, state.isAnswering, state.count < 2 else { return nil }
      if state.count == 0 { state.last = signal }
      state.count += 1
      return state.stop ?? {}
    }
    if let stop { return stop() }
    device?.restore()
    OpenFiles.removeAll()
    _exit(128 + number)
  }

  /// An answer begins: Ctrl-C now stops it.
  func beginAnswer() { state.withLock { $0 = State(isAnswering: true, last: $0.last) } }

  /// How the answer is stopped; at once where Ctrl-C came before this.
  func stopAnswer(by stop: @escaping @Sendable () -> Void) {
    let isStopped = state.withLock { state in
      state.stop = stop
      return state.count > 0
    }
    if isStopped { stop() }
  }

  /// - Returns: whether the answer was stopped.
  func endAnswer() -> Bool {
    state.withLock { state in
      defer { state = State(last: state.last) }
      return state.count > 0
    }
  }
}
