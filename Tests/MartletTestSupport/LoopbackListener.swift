import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A free port of the loopback interface that a test listens on, for endpoints whose every byte it chooses.
public final class LoopbackListener: Sendable {
  public let port: Int
  private let descriptor: Int32
  private let isOpen = Atomic(true)

  /// - Throws: the system's error where it cannot listen.
  public init() throws {
    #if canImport(Glibc)
      descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #else
      descriptor = socket(AF_INET, SOCK_STREAM, 0)
    #endif
    let descriptor = descriptor
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) == 0 && listen(descriptor, 64) == 0 && getsockname(descriptor, $0, &length) == 0
      }
    }
    guard isBound else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EADDRNOTAVAIL) }
    port = Int(UInt16(bigEndian: address.sin_port))
  }

  /// Waits for the next connection, which the caller closes; nil once nobody listens.
  public func next() -> Int32? {
    let connection = accept(descriptor, nil, nil)
    return connection < 0 ? nil : connection
  }

  /// Calls `serve` for every connection, on a thread of its own, and closes it then; until nobody listens.
  public func serveEach(_ serve: @escaping @Sendable (Int32) -> Void) {
    Thread.detachNewThread { [self] in
      while let connection = next() {
        Thread.detachNewThread {
          serve(connection)
          closeConnection(connection)
        }
      }
    }
  }

  /// Ends it. Calls after the first do nothing: another socket may have the same number by then.
  public func close() {
    guard isOpen.exchange(false, ordering: .relaxed) else { return }
    shutdown(descriptor, Int32(SHUT_RDWR))
    closeConnection(descriptor)
  }

  deinit { close() }

  /// The head of a request, without the empty line at its end, and the body that it announces; nil where it breaks off.
  public static func request(on connection: Int32) -> (head: String, body: [UInt8])? {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    var bytes: [UInt8] = []
    while true {
      let count = recv(connection, &buffer, buffer.count, 0)
      if count <= 0 { return nil }
      bytes += buffer[..<count]
      guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { continue }
      let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
      let size = head.lowercased().firstMatch(of: /content-length: (\d+)/).flatMap { Int($0.1) } ?? 0
      let body = Array(bytes[end.upperBound...])
      if body.count >= size { return (head, body) }
    }
  }
}

/// Closes a connection; the function of the system has the name of a method here.
private func closeConnection(_ descriptor: Int32) {
  #if canImport(Glibc)
    _ = Glibc.close(descriptor)
  #else
    _ = Darwin.close(descriptor)
  #endif
}
