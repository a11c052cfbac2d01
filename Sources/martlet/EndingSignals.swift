import MartletData

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Signals that end a command: it says so, and takes its half-written files with it. Commands that save first, or finish
/// answers, set up handlers of their own.
enum EndingSignals {
  static func prepare() {
    OpenFiles.prepare()
    for number in [SIGTERM, SIGHUP, SIGINT] {
      if isIgnored(number) { continue }
      signal(number) { number in
        OpenFiles.removeAll()
        let message: StaticString =
          switch number {
          case SIGTERM: "Error: ended by SIGTERM; unfinished output was discarded\n"
          case SIGHUP: "Error: ended by SIGHUP; unfinished output was discarded\n"
          default: "\nInterrupted\n"
          }
        _ = message.utf8Start.withMemoryRebound(to: UInt8.self, capacity: message.utf8CodeUnitCount) {
          write(2, $0, message.utf8CodeUnitCount)
        }
        _exit(128 + number)
      }
    }
  }

  /// What is ignored from the start (by nohup, or in the background) stays ignored.
  static func isIgnored(_ number: Int32) -> Bool {
    var action = sigaction()
    guard sigaction(number, nil, &action) == 0 else { return false }
    #if canImport(Glibc)
      let handler = action.__sigaction_handler.sa_handler
    #else
      let handler = action.__sigaction_u.__sa_handler
    #endif
    return unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }
}
