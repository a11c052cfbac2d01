import Foundation
import NIOCore

/// Why the server does not start, and what to do.
public struct ServerRefusal: Error, CustomStringConvertible {
  /// Why, in a sentence with the cure.
  public let description: String

  init(_ description: String) { self.description = description }

  /// The address cannot be had; nil where an error has other causes.
  init?(address host: String, port: Int, _ error: any Error) {
    let shown = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    switch error {
    case let error as IOError where error.errnoCode == EADDRINUSE:
      description =
        "the port \(port) of \(host) is in use by another program; stop that one, or choose another port with --port "
        + "(0 takes a free one)"
    case let error as IOError where error.errnoCode == EADDRNOTAVAIL:
      description =
        "this machine has no address \(host); give one of its own with --host: 127.0.0.1 is reached from this machine "
        + "alone, 0.0.0.0 is all of them"
    case let error as IOError where error.errnoCode == EACCES:
      description =
        "the port \(port) of \(host) is not free to everyone; choose one above 1023 with --port, or give the right to it"
    case let error as IOError:
      description =
        "\(shown) cannot be listened on: \(String(cString: strerror(error.errnoCode))); choose another "
        + "address with --host and --port"
    case is SocketAddressError.UnknownHost, is SocketAddressError:
      description =
        "the host \(host) (port \(port)) is not known; give an address of this machine with --host, as 127.0.0.1 or 0.0.0.0"
    default: return nil
    }
  }
}

/// How a server ended that did not finish its answers.
public enum ServerEnd: Error, CustomStringConvertible {
  /// They took longer than the server was to wait for them.
  case brokenOff(seconds: Int)
  /// A second signal came.
  case interrupted

  /// What happened, in a sentence.
  public var description: String {
    switch self {
    case .brokenOff(let seconds):
      "answers that still ran \(seconds) s after the server was told to stop are broken off; --shutdown-timeout gives them longer"
    case .interrupted: "a second signal came: answers that still ran are broken off"
    }
  }
}
