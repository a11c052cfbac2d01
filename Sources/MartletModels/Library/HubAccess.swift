import Foundation

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// The hub (or a mirror of it) and the token for it: which requests carry the token, and which redirects are followed.
struct HubAccess: Sendable {
  let endpoint: URL
  private let token: String?

  /// - Throws: ``ModelError`` if the address is not valid, or the token would be sent unencrypted.
  init(endpoint: String, token: String?) throws {
    var text = endpoint.trimmingCharacters(in: .whitespaces)
    while text.hasSuffix("/") { text.removeLast() }
    guard let url = URL(string: text), let scheme = url.scheme?.lowercased(), ["http", "https"].contains(scheme),
      let host = url.host, !host.isEmpty, url.query == nil, url.fragment == nil
    else {
      throw ModelError("HF_ENDPOINT is \(endpoint), which is not an address; write it like https://huggingface.co")
    }
    let token = token?.trimmingCharacters(in: .whitespacesAndNewlines)
    if let token, !token.isEmpty {
      guard token.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
        throw ModelError("HF_TOKEN contains characters that are not allowed in a token; copy it again")
      }
      guard scheme == "https" || Self.isLoopback(host) else {
        throw ModelError(
          "HF_TOKEN would be sent to \(host) over plain http, where others can read it; set HF_ENDPOINT to an https address, or unset HF_TOKEN"
        )
      }
      self.token = token
    } else {
      self.token = nil
    }
    self.endpoint = url
  }

  private static func isLoopback(_ host: String) -> Bool {
    let host = host.lowercased()
    let numbers = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
    return host == "localhost" || host == "::1" || host == "[::1]"
      || (numbers.count == 4 && numbers[0] == 127 && !numbers.contains(nil))
  }

  /// Scheme, host and port: what a token was given for.
  private static func origin(_ url: URL) -> String {
    let scheme = url.scheme?.lowercased() ?? ""
    return "\(scheme)://\(url.host?.lowercased() ?? ""):\(url.port ?? (scheme == "https" ? 443 : 80))"
  }

  /// Whether an address belongs to the hub itself.
  func isHub(_ url: URL) -> Bool { Self.origin(url) == Self.origin(endpoint) }

  /// A request; the token goes to the hub's own scheme, host and port and nowhere else.
  func request(_ url: URL, range: Int?) -> URLRequest {
    var request = URLRequest(url: url)
    request.timeoutInterval = 60
    // A packed body has another length than the file.
    request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
    if let token, isHub(url) { request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization") }
    if let range { request.setValue("bytes=\(range)-", forHTTPHeaderField: "Range") }
    return request
  }

  /// - Throws: ``ModelError`` where a redirect leads from https to plain http, or to no web address.
  func check(redirectFrom source: URL, to target: URL) throws {
    guard let scheme = target.scheme?.lowercased(), ["http", "https"].contains(scheme), target.host != nil else {
      throw ModelError("the hub redirects to \(target.absoluteString.prefix(200)), which is not a web address")
    }
    if source.scheme?.lowercased() == "https", scheme == "http" {
      throw ModelError(
        "the hub redirects from https to plain http (\(target.host ?? "")), where others could change the file; the redirect is not followed"
      )
    }
  }

  /// Asks until there is an answer that is no redirect.
  ///
  /// - Parameters:
  ///   - receive: a callback that is called with every response, including redirects, and its address.
  ///   - take: gets the last answer's body.
  func exchange(
    _ url: URL, range: Int? = nil, receive: @escaping (HTTPURLResponse, _ isLast: Bool) throws -> Void,
    take: @escaping (Data) throws -> Void
  ) async throws {
    var url = url
    for _ in 0..<10 {
      let connection = HubConnection(receive: { try receive($0, true) }, take: take)
      let redirect: HubConnection.Redirect?
      do {
        redirect = try await connection.run(request(url, range: range))
      } catch {
        guard (error as NSError).domain == NSURLErrorDomain else { throw error }
        throw ModelError(
          "the connection to \(url.host ?? "the hub") failed (\(ConnectionFailure.reason(error))); run the same command again to resume"
        )
      }
      guard let redirect else { return }
      try receive(redirect.response, false)
      try check(redirectFrom: url, to: redirect.target)
      url = redirect.target
    }
    throw ModelError("the hub redirects without end; try again later")
  }
}
