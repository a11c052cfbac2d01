import HTTPTypes
import Hummingbird

/// What answers which method and path.
struct RouteTable: Sendable {
  typealias Handler = @Sendable (Request, ServerContext) async throws -> Response

  /// By path; one that ends in `/*` stands for all below it.
  private(set) var handlers: [String: [HTTPRequest.Method: Handler]] = [:]

  /// The paths to call, in the order in which they were added, other names of one left out.
  private(set) var names: [String] = []

  mutating func add(_ method: HTTPRequest.Method, _ paths: String..., handler: @escaping Handler) {
    if let name = paths.first, !names.contains(name) { names.append(name) }
    for path in paths {
      handlers[path, default: [:]][method] = handler
      // What can be read can be asked for without its body.
      if method == .get { handlers[path, default: [:]][.head] = handler }
    }
  }

  /// The route of a canonical path, and what follows it where it stands for all below it.
  func route(_ path: String) -> (name: String, tail: String)? {
    if handlers[path] != nil { return (path, "") }
    for name in handlers.keys where name.hasSuffix("/*") {
      let start = name.dropLast()
      if path.hasPrefix(start), path.count > start.count { return (name, String(path.dropFirst(start.count))) }
    }
    return nil
  }
}
