import Foundation
import Synchronization

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// An HTTP answer as it arrives; Foundation on Linux has no `bytes(for:)`.
final class StreamedTransfer: NSObject, URLSessionDataDelegate, Sendable {
  enum Part: Sendable {
    case head(status: Int, headers: [String: String])
    case bytes([UInt8])
  }

  private let continuation = Mutex<AsyncThrowingStream<Part, any Error>.Continuation?>(nil)
  private let rest = Mutex<AsyncThrowingStream<Part, any Error>?>(nil)

  func run(_ request: URLRequest) -> AsyncThrowingStream<Part, any Error> {
    let session = URLSession(configuration: .ephemeral, delegate: self, delegateQueue: nil)
    let task = session.dataTask(with: request)
    let stream = AsyncThrowingStream<Part, any Error> { continuation in
      continuation.onTermination = { _ in
        task.cancel()
        session.finishTasksAndInvalidate()
      }
      self.continuation.withLock { $0 = continuation }
    }
    rest.withLock { $0 = stream }
    task.resume()
    return stream
  }

  /// The remainder of the body as text, at most `limit` bytes.
  func body(limit: Int) async -> String {
    guard let stream = rest.withLock({ $0 }) else { return "" }
    var bytes: [UInt8] = []
    do {
      for try await part in stream where bytes.count < limit {
        if case .bytes(let more) = part { bytes += more }
      }
    } catch {}  // what came is what there is to say
    return String(decoding: bytes.prefix(limit), as: UTF8.self)
  }

  func urlSession(
    _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
    completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
  ) {
    let http = response as? HTTPURLResponse
    var headers: [String: String] = [:]
    for (key, value) in http?.allHeaderFields ?? [:] { headers["\(key)".lowercased()] = "\(value)" }
    _ = continuation.withLock { $0?.yield(.head(status: http?.statusCode ?? 0, headers: headers)) }
    completionHandler(.allow)
  }

  func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
    _ = continuation.withLock { $0?.yield(.bytes([UInt8](data))) }
  }

  func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
    continuation.withLock { $0?.finish(throwing: error) }
  }
}
