import Foundation
import MartletData
import NIOCore

/// Why the server cannot start: one sentence with the remedy.
public struct ServerRefusal: ExplainedError {
  /// One sentence that names what is wrong and what helps.
  public let message: String

  init(_ message: String) { self.message = message }

  /// The address cannot be had; nil where an error has other causes.
  init?(address host: String, port: Int, _ error: any Error) {
    let shown = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    switch error {
    case let error as IOError where error.errnoCode == EADDRINUSE:
      message =
        "the port \(port) of \(host) is in use by another program; stop that one, or choose another port with --port "
        + "(0 takes a free one)"
    case let error as IOError where error.errnoCode == EADDRNOTAVAIL:
      message =
        "this machine has no address \(host); give one of its own with --host: 127.0.0.1 is reached from this machine "
        + "alone, 0.0.0.0 is all of them"
    case let error as IOError where error.errnoCode == EACCES:
      message =
        "the port \(port) of \(host) is not free to everyone; choose one above 1023 with --port, or give the right to it"
    case let error as IOError:
      message =
        "\(shown) cannot be listened on: \(String(cString: strerror(error.errnoCode))); choose another "
        + "address with --host and --port"
    case is SocketAddressError.UnknownHost, is SocketAddressError:
      message =
        "the host \(host) (port \(port)) is not known; give an address of this machine with --host, as 127.0.0.1 or 0.0.0.0"
    default: return nil
    }
  }
}

/// Why a server stopped before all of its answers were finished.
public enum ServerEnd: ExplainedError {
  /// The answers took longer than the server was configured to wait for them.
  case brokenOff(seconds: Int)
  /// A second signal arrived.
  case interrupted

  /// One sentence that says what happened and what helps.
  public var message: String {
    switch self {
    case .brokenOff(let seconds):
      "answers that still ran \(seconds) s after the server was told to stop are broken off; --shutdown-timeout gives them longer"
    case .interrupted: "a second signal came: answers that still ran are broken off"
    }
  }
}
