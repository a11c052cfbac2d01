import Foundation
import MartletData
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Prints a line, as Swift's own `print` does, which however says nothing where it fails: every command of this module
/// that prints ends with an error when its output is lost.
func print(_ items: Any..., separator: String = " ", terminator: String = "\n") {
  StandardOutput.write(items.map { "\($0)" }.joined(separator: separator) + terminator)
}

/// The output of a command. What cannot be written ends it with a sentence and a code, at once, or in order where work
/// would be lost.
enum StandardOutput {
  private static let problem = Atomic<Int32>(0)
  private static let endsInOrder = Atomic<Bool>(false)
  private static let failureCode = Atomic<Int32>(1)

  /// Whether something could not be written. Loops of commands that end in order look at it.
  static var hasFailed: Bool { problem.load(ordering: .relaxed) != 0 }

  /// Makes failures visible, before anything is opened or written.
  static func prepare() {
    // A closed descriptor would be given to the next file that is opened, and receive what is printed.
    for descriptor: Int32 in 0...2 where fcntl(descriptor, F_GETFD) < 0 {
      _ = open("/dev/null", descriptor == 2 ? O_WRONLY : O_RDONLY)
    }
    // Errors of writing instead of signals that end the process without a word.
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
  }

  /// Commands that would lose work go on after a failure until they have saved it, then end with ``finish(_:)``.
  static func endInOrder() { endsInOrder.store(true, ordering: .relaxed) }

  /// The exit code of a failure, for commands whose 1 means something else.
  static func setFailureCode(_ code: Int32) { failureCode.store(code, ordering: .relaxed) }

  static func write(_ text: String) { write(Array(text.utf8)) }

  static func write(_ bytes: some Collection<UInt8>) {
    guard !hasFailed, !Array(bytes).withUnsafeBytes({ writeAll($0, to: 1) }) else { return }
    problem.store(errno, ordering: .relaxed)
    if !endsInOrder.load(ordering: .relaxed) { finish(0) }
  }

  /// Ends the process with `code`, or with that of lost output, whose reason is said.
  static func finish(_ code: Int32) -> Never {
    // What libraries have printed waits in the buffer of C's library.
    if !hasFailed, fflush(nil) != 0 { problem.store(errno, ordering: .relaxed) }
    guard hasFailed else { exit(code) }
    let reason = OutputTarget.reason(problem.load(ordering: .relaxed))
    StandardError.write("Error: standard output cannot be written: \(reason)\n")
    OpenFiles.removeAll()
    _exit(failureCode.load(ordering: .relaxed))
  }
}

/// Messages. Where they cannot be written there is nobody to tell.
enum StandardError {
  static func write(_ text: String) { write(Array(text.utf8)) }

  static func write(_ bytes: some Collection<UInt8>) {
    _ = Array(bytes).withUnsafeBytes { writeAll($0, to: 2) }
  }
}
