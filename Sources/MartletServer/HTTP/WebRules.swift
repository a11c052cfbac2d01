import Foundation
import MartletData
/// Which web pages may call the server, and under which names it may be reached.
///
/// A browser lets every page of the world send requests to this machine; only the `Origin` header tells. And a name of
/// the world can be made to mean this machine (DNS rebinding), which makes a stranger's page look like the server's
/// own; only the `Host` header tells.
struct WebRules: Sendable {
  private let isLoopback: Bool
  private let hasKeys: Bool
  private let origins: Set<String>
  private let hosts: [Authority]
  private let takesAllHosts: Bool
  /// Names of this machine that its operator has given it.
  private let ownNames: Set<String>

  init(_ configuration: ServerConfiguration) {
    isLoopback = configuration.isLoopback
    hasKeys = !configuration.apiKeys.isEmpty
    origins = Set(configuration.corsOrigins.map { Self.normalized(origin: $0) })
    takesAllHosts = configuration.allowedHosts.contains("*")
    hosts = configuration.allowedHosts.compactMap(Authority.init)
    let machine = Self.machineName.lowercased()
    ownNames = [configuration.host.lowercased(), machine, machine + ".local"]
  }

  /// Without asking a name server, as Foundation would.
  private static var machineName: String {
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, name.count - 1) == 0 else { return "" }
    return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  private static func normalized(origin: String) -> String {
    let origin = origin.lowercased()
    return origin.hasSuffix("/") ? String(origin.dropLast()) : origin
  }

  /// - Parameters:
  ///   - host: the `Host` header.
  ///   - origin: the `Origin` header; nil where no web page asks.
  ///   - port: the port on which the server listens.
  ///   - isEncrypted: a proxy says that the client came by https.
  ///   - isPublic: reads nothing but the page and whether the server is well.
  /// - Throws: ``APIError`` 403 with the option that would let the request pass.
  func check(host: String?, origin: String?, port: Int, isEncrypted: Bool, isPublic: Bool) throws {
    let authority = host.flatMap(Authority.init)
    if let host, !isTrusted(authority), isLoopback || !hosts.isEmpty {
      throw APIError.forbidden(
        "the host name `\(host.prefix(100))` is not allowed; use the IP address or localhost, or start the server with "
          + "--allowed-host NAME", code: "host_not_allowed")
    }
    guard let origin, !isPublic else { return }
    guard allows(origin: origin, host: authority, port: port, isEncrypted: isEncrypted) else {
      throw APIError.forbidden(
        "web pages of `\(origin.prefix(100))` may not call this server; to allow them, start it with --cors-origin "
          + "\(origin.prefix(100))", code: "origin_not_allowed")
    }
  }

  /// Whether web pages of `origin` may call.
  func allows(origin: String, host: Authority?, port: Int, isEncrypted: Bool) -> Bool {
    if origins.contains("*") || origins.contains(Self.normalized(origin: origin)) { return true }
    let scheme = isEncrypted ? "https://" : "http://"
    guard origin.lowercased().hasPrefix(scheme), let page = Authority(String(origin.dropFirst(scheme.count))) else {
      return false
    }
    let standard = isEncrypted ? 443 : 80
    let pagePort = page.port ?? standard
    if page.isLoopback, isLoopback || host?.isLoopback == true, pagePort == port { return true }
    // A name that anyone may have given this machine proves nothing, but a stranger's page has no key.
    guard let host, isTrusted(host) || hasKeys else { return false }
    return page.name == host.name && pagePort == host.port ?? standard
  }

  /// An address, or a name that cannot have been made up elsewhere.
  private func isTrusted(_ authority: Authority?) -> Bool {
    if takesAllHosts { return true }
    guard let authority else { return false }
    return authority.isAddress || authority.isLoopback || (!isLoopback && ownNames.contains(authority.name))
      || hosts.contains { $0.name == authority.name && ($0.port ?? authority.port) == authority.port }
  }
}

/// `name` or `name:port`, as in a URL.
struct Authority: Sendable, Equatable {
  /// In small letters, without brackets and without the dot that may end a name.
  let name: String
  let port: Int?

  /// nil where the text is none.
  init?(_ text: String) {
    var name = text.lowercased()
    var port: Int?
    let end = name.lastIndex(of: "]") ?? name.startIndex
    if let colon = name[end...].lastIndex(of: ":") {
      let digits = name[name.index(after: colon)...]
      guard digits.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
      // `name:` means the scheme's own port.
      if !digits.isEmpty {
        guard let number = Int(digits), (0...65_535).contains(number) else { return nil }
        port = number
      }
      name = String(name[..<colon])
    }
    if name.hasPrefix("["), name.hasSuffix("]") {
      name = String(name.dropFirst().dropLast())
      guard Self.isAddress(name, AF_INET6) else { return nil }
    } else {
      if name.hasSuffix(".") { name.removeLast() }
      let signs = name.unicodeScalars
      guard !signs.isEmpty,
        signs.allSatisfy({ $0.properties.isAlphabetic || "0123456789-._".unicodeScalars.contains($0) })
      else { return nil }
    }
    self.name = name
    self.port = port
  }

  var isAddress: Bool { Self.isAddress(name, AF_INET) || Self.isAddress(name, AF_INET6) }

  var isLoopback: Bool {
    name == "localhost" || name.hasSuffix(".localhost") || name == "::1"
      || (name.hasPrefix("127.") && Self.isAddress(name, AF_INET))
  }

  private static func isAddress(_ text: String, _ family: Int32) -> Bool {
    var bytes = in6_addr()
    return inet_pton(family, text, &bytes) == 1
  }
}
