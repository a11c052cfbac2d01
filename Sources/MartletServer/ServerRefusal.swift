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
        "the port \(port) of \(host) is in use by another program; stop that program, or choose another port with --port "
        + "(0 takes a free one)"
    case let error as IOError where error.errnoCode == EADDRNOTAVAIL:
      message =
        "this machine has no address \(host); give one of its addresses with --host: 127.0.0.1 is reachable from this "
        + "machine only, 0.0.0.0 stands for all addresses"
    case let error as IOError where error.errnoCode == EACCES:
      message =
        "the port \(port) of \(host) needs special permissions; choose a port above 1023 with --port, or run the server with the permission"
    case let error as IOError:
      message =
        "the server cannot listen on \(shown): \(String(cString: strerror(error.errnoCode))); choose another "
        + "address with --host and --port"
    case is SocketAddressError.UnknownHost, is SocketAddressError:
      message =
        "the host \(host) (port \(port)) is not known; give an address of this machine with --host, e.g. 127.0.0.1 or 0.0.0.0"
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
      "answers that were not finished \(seconds) s after the server was told to stop are cut off; --shutdown-timeout sets this time"
    case .interrupted: "a second signal arrived: unfinished answers are cut off"
    }
  }
}
