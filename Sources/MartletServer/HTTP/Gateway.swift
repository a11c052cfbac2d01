import Foundation
import HTTPTypes
import Hummingbird
import Logging
import MartletData
import MartletEngine

/// What every request passes: who may call, what comes back when something is wrong, what is counted and logged.
struct Gateway: HTTPResponder {
  typealias Context = ServerContext

  let configuration: ServerConfiguration
  let metrics: ServerMetrics
  let routes: RouteTable
  let rules: WebRules
  /// What of requests is logged; the level of what Hummingbird says of itself is another one.
  let logLevel: Logger.Level

  init(configuration: ServerConfiguration, metrics: ServerMetrics, routes: RouteTable, logLevel: Logger.Level) {
    self.configuration = configuration
    self.logLevel = logLevel
    self.metrics = metrics
    self.routes = routes
    rules = WebRules(configuration)
  }

  private static let publicPaths = Set(["/", "/health", "/v1/health"] + PageRoutes.files.map { "/" + $0 })

  func respond(to request: Request, context: ServerContext) async throws -> Response {
    var context = context
    context.logger.logLevel = logLevel
    return try await respond(to: request, logging: context)
  }

  private func respond(to request: Request, logging context: ServerContext) async throws -> Response {
    let path = RequestPath.canonical(request.uri.path)
    let route = routes.route(path)
    var response: Response
    do {
      response = try await answer(request, path: path, route: route, context: context)
    } catch {
      let problem = APIError(error)
      if problem.status == .internalServerError {
        context.logger.error(
          "request failed", metadata: ["path": "\(route?.name ?? "other")", "error": "\(Self.printable("\(error)"))"])
      }
      response = problem.response
      // What is still on its way is not waited for.
      if problem.status == .contentTooLarge || problem.status == .requestTimeout {
        response.headers[.connection] = "close"
        let channel = context.channel
        channel.eventLoop.scheduleTask(in: .seconds(problem.status == .requestTimeout ? 1 : 10)) {
          channel.close(promise: nil)
        }
      }
    }
    addCrossOrigin(request, context, &response)
    // An answer to HEAD has no body, which would be taken for the next answer's beginning, but the length of one.
    if request.method == .head {
      let length = response.headers[.contentLength]
      response.body = ResponseBody()
      response.headers[.contentLength] = length
    }
    return logged(response, request, route?.name ?? "other", context)
  }

  private func answer(
    _ request: Request, path: String, route: (name: String, tail: String)?, context: ServerContext
  ) async throws -> Response {
    let isReading = request.method == .get || request.method == .head
    try rules.check(
      host: request.head.authority, origin: request.headers[.origin], port: context.channel.localAddress?.port ?? 0,
      isEncrypted: Self.isEncrypted(request), isPublic: isReading && Self.publicPaths.contains(path))
    let handlers = route.flatMap { routes.handlers[$0.name] } ?? [:]
    let methods = handlers.keys.map(\.rawValue).sorted()
    if request.method == .options {
      return Response(status: .ok, headers: methods.isEmpty ? [:] : [.allow: methods.joined(separator: ", ")])
    }
    guard let route else {
      let advice =
        RequestPath.advice(for: path, routes: routes.handlers.keys) ?? RequestPath.choice(for: path, of: routes.names)
      throw APIError.notFound("there is no endpoint \(path.prefix(200)); " + advice)
    }
    guard let handler = handlers[request.method] else {
      var response = APIError(
        status: .methodNotAllowed, type: "invalid_request_error",
        message: "\(route.name) does not accept \(request.method.rawValue.prefix(40)); use "
          + methods.joined(separator: " or ")
      ).response
      response.headers[.allow] = methods.joined(separator: ", ")
      return response
    }
    if !configuration.apiKeys.isEmpty, !Self.publicPaths.contains(path) { try authorize(request) }
    var context = context
    context.pathTail = route.tail
    return try await handler(request, context)
  }

  /// A proxy that ends encryption says so; a web page cannot without asking first.
  private static func isEncrypted(_ request: Request) -> Bool {
    // Each proxy on the way adds what it was asked by; the first was asked by the client.
    request.headers[.forwardedProtocol]?.lowercased().split(separator: ",").first?.trimmingCharacters(in: .whitespaces)
      == "https"
  }

  private func authorize(_ request: Request) throws {
    var given: String?
    if let header = request.headers[.authorization], header.lowercased().hasPrefix("bearer ") {
      given = String(header.dropFirst(7)).trimmingCharacters(in: .whitespaces)
    }
    given = given ?? request.headers[.apiKey]
    guard let given, configuration.apiKeys.contains(where: { Self.areEqual($0, given) }) else {
      throw APIError.unauthorized
    }
  }

  /// Takes the same time wherever the two differ.
  private static func areEqual(_ a: String, _ b: String) -> Bool {
    let a = Array(a.utf8), b = Array(b.utf8)
    guard a.count == b.count else { return false }
    return zip(a, b).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
  }

  /// Lets pages that may call read the answer.
  private func addCrossOrigin(_ request: Request, _ context: ServerContext, _ response: inout Response) {
    guard let origin = request.headers[.origin] else { return }
    response.headers[.vary] = "Origin"
    let isAllowed = rules.allows(
      origin: origin, host: request.head.authority.flatMap(Authority.init),
      port: context.channel.localAddress?.port ?? 0, isEncrypted: Self.isEncrypted(request))
    guard isAllowed else { return }
    response.headers[.accessControlAllowOrigin] = origin
    response.headers[.accessControlAllowCredentials] = "true"
    if request.method == .options {
      response.headers[.accessControlAllowMethods] = "GET, POST, DELETE, OPTIONS"
      let wanted = request.headers[.accessControlRequestHeaders]
      response.headers[.accessControlAllowHeaders] = wanted ?? "*"
      response.headers[.accessControlMaxAge] = "600"
      // Browsers ask apart before a page of the web reaches a private network.
      if request.headers[.requestPrivateNetwork] != nil { response.headers[.allowPrivateNetwork] = "true" }
    }
  }

  /// Writes the log line and the counts once the answer has gone out whole.
  private func logged(
    _ response: Response, _ request: Request, _ route: String, _ context: ServerContext
  ) -> Response {
    let body = response.body
    let known =
      route == "/v1/models/*" ? "/v1/models/{id}" : route == "/martlet/edits/*" ? "/martlet/edits/{id}" : route
    let status = response.status.code
    let finish: @Sendable (String) -> Void = { ending in
      let record = context.record.current
      let seconds = Date().timeIntervalSince(record.started)
      metrics.countRequest(path: known, status: status, seconds: seconds)
      if let first = record.firstText { metrics.countFirstToken(seconds: first) }
      if let skeleton = record.skeleton { metrics.countSkeleton(skeleton) }
      var fields: Logger.Metadata = [
        "method": "\(request.method.rawValue)", "path": "\(known)", "status": "\(status)",
        "ms": "\(Int((min(seconds, 1e9) * 1000).rounded()))", "ending": "\(ending)",
      ]
      if let usage = record.usage {
        fields["prompt_tokens"] = "\(usage.promptTokens)"
        fields["cached_tokens"] = "\(usage.cachedTokens)"
        fields["completion_tokens"] = "\(usage.completionTokens)"
      }
      if let skeleton = record.skeleton { fields["skeleton"] = "\(skeleton)" }
      if !record.edits.isEmpty {
        fields["edits"] = "\(Set(record.edits).sorted().map(String.init).joined(separator: ","))"
      }
      if let held = record.heldEdits.first { fields["edit_held_back"] = "\(Self.printable(held))" }
      if configuration.logsText {
        if let prompt = record.prompt { fields["prompt"] = "\(Self.printable(prompt))" }
        if !record.answer.isEmpty { fields["answer"] = "\(Self.printable(record.answer))" }
      }
      context.logger.info("request", metadata: fields)
    }
    var response = response
    guard response.headers[.contentType]?.hasPrefix("text/event-stream") == true else {
      finish("whole")
      return response
    }
    response.body = ResponseBody { writer in
      do {
        // `write` hands the writer on and ends it.
        try await body.write(PassedOn(writer: writer))
        finish("whole")
      } catch {
        finish("broken off")
        throw error
      }
    }
    return response
  }

  /// A client's text for the log: what would steer a terminal, or look like a line of its own, is written out.
  private static func printable(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else { return text }
    return text.unicodeScalars.map { scalar in
      scalar.properties.generalCategory == .control ? scalar.escaped(asASCII: true) : String(scalar)
    }.joined()
  }
}

/// A body writer that stands for another.
private struct PassedOn: ResponseBodyWriter {
  var writer: any ResponseBodyWriter
  mutating func write(_ buffer: ByteBuffer) async throws { try await writer.write(buffer) }
  consuming func finish(_ trailingHeaders: HTTPFields?) async throws { try await writer.finish(trailingHeaders) }
}

extension HTTPField.Name {
  static let apiKey = HTTPField.Name("x-api-key") ?? .authorization
  fileprivate static let requestPrivateNetwork =
    HTTPField.Name("access-control-request-private-network") ?? .via
  fileprivate static let allowPrivateNetwork = HTTPField.Name("access-control-allow-private-network") ?? .via
  fileprivate static let forwardedProtocol = HTTPField.Name("x-forwarded-proto") ?? .via
}
