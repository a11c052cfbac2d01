import Foundation

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// One exchange with a server. Redirects are not followed but handed back, so that who asks decides what goes along.
final class HubConnection: NSObject, URLSessionDataDelegate, @unchecked Sendable {
  /// Where the server sends on to, and what it told of the file.
  struct Redirect {
    let target: URL
    let response: HTTPURLResponse
  }

  // The delegate's calls come one by one on the session's queue; `run` waits for the last.
  private let receive: (HTTPURLResponse) throws -> Void
  private let take: (Data) throws -> Void
  private var redirect: Redirect?
  private var failure: (any Error)?
  private var continuation: CheckedContinuation<Redirect?, any Error>?

  /// - Parameters:
  ///   - receive: a callback that is called with the response before its body; an error that it throws ends the
  ///     exchange.
  ///   - take: gets the body in pieces.
  init(
    receive: @escaping (HTTPURLResponse) throws -> Void, take: @escaping (Data) throws -> Void
  ) {
    self.receive = receive
    self.take = take
  }

  /// - Returns: a redirect, or nil when the whole body was taken.
  func run(_ request: URLRequest) async throws -> Redirect? {
    let configuration = URLSessionConfiguration.ephemeral
    configuration.httpCookieStorage = nil
    configuration.urlCredentialStorage = nil
    configuration.urlCache = nil
    let session = URLSession(configuration: configuration, delegate: self, delegateQueue: nil)
    defer { session.finishTasksAndInvalidate() }
    return try await withCheckedThrowingContinuation { continuation in
      self.continuation = continuation
      session.dataTask(with: request).resume()
    }
  }

  func urlSession(
    _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
    newRequest request: URLRequest, completionHandler: @escaping (URLRequest?) -> Void
  ) {
    if let target = request.url { redirect = Redirect(target: target, response: response) }
    completionHandler(nil)
    task.cancel()
  }

  func urlSession(
    _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
    completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
  ) {
    guard redirect == nil, failure == nil else { return completionHandler(.cancel) }
    do {
      guard let response = response as? HTTPURLResponse else { throw ModelError("the hub's answer is not HTTP") }
      try receive(response)
      completionHandler(.allow)
    } catch {
      failure = error
      completionHandler(.cancel)
    }
  }

  func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
    guard redirect == nil, failure == nil else { return }
    do { try take(data) } catch {
      failure = error
      dataTask.cancel()
    }
  }

  func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
    if let failure {
      continuation?.resume(throwing: failure)
    } else if let redirect {
      continuation?.resume(returning: redirect)
    } else if let error {
      continuation?.resume(throwing: error)
    } else {
      continuation?.resume(returning: nil)
    }
    continuation = nil
  }
}
