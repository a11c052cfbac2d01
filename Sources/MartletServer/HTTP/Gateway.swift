import Foundation
import HTTPTypes
import Hummingbird
import Logging

/// What every request passes: who may call, what comes back when something is wrong, what is counted and logged.
struct Gateway: RouterMiddleware {
  typealias Context = ServerContext

  let configuration: ServerConfiguration
  let metrics: ServerMetrics
  /// Methods by path; a path that ends in `/*` stands for all below it.
  let routes: [String: Set<String>]

  private static let publicPaths: Set<String> = ["/", "/index.html", "/page.css", "/page.js", "/health", "/v1/health"]

  func handle(
    _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
  ) async throws -> Response {
    let path =
      request.uri.path.count > 1 && request.uri.path.hasSuffix("/")
      ? String(request.uri.path.dropLast()) : request.uri.path
    var response: Response
    do {
      response = try await answer(request, path: path, context: context, next: next)
    } catch {
      let problem = APIError(error)
      if problem.status == .internalServerError {
        context.logger.error("request failed", metadata: ["path": "\(path)", "error": "\(error)"])
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
    addCrossOrigin(request, &response)
    // An answer to HEAD has no body; one would be taken for the next answer's beginning.
    if request.method == .head { response.body = ResponseBody() }
    return logged(response, request, path, context)
  }

  private func answer(
    _ request: Request, path: String, context: ServerContext,
    next: (Request, ServerContext) async throws -> Response
  ) async throws -> Response {
    if request.method == .options { return Response(status: .ok) }
    guard let allowed = routes[path] ?? routes[(path as NSString).deletingLastPathComponent + "/*"] else {
      throw APIError.notFound("there is nothing at \(path.prefix(200)); see the README for what there is")
    }
    guard allowed.contains(request.method.rawValue) else {
      var response = APIError(
        status: .methodNotAllowed, type: "invalid_request_error",
        message: "\(path) does not answer \(request.method.rawValue); use \(allowed.sorted().joined(separator: " or "))"
      ).response
      response.headers[.allow] = allowed.sorted().joined(separator: ", ")
      return response
    }
    if !configuration.apiKeys.isEmpty, !Self.publicPaths.contains(path) { try authorize(request) }
    return try await next(request, context)
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

  /// Pages of this machine may call; others where an origin is named, or a key keeps strangers out.
  private func addCrossOrigin(_ request: Request, _ response: inout Response) {
    guard let origin = request.headers[.origin] else { return }
    let host = URL(string: origin)?.host ?? ""
    let isLocal = ["localhost", "127.0.0.1", "::1", "[::1]"].contains(host)
    let named = configuration.corsOrigins
    guard isLocal || named.contains("*") || named.contains(origin) || !configuration.apiKeys.isEmpty else { return }
    response.headers[.accessControlAllowOrigin] = origin
    response.headers[.vary] = "Origin"
    response.headers[.accessControlAllowCredentials] = "true"
    if request.method == .options {
      response.headers[.accessControlAllowMethods] = "GET, POST, DELETE, OPTIONS"
      let wanted = request.headers[.accessControlRequestHeaders]
      response.headers[.accessControlAllowHeaders] = wanted ?? "*"
      response.headers[.accessControlMaxAge] = "600"
    }
  }

  /// Writes the log line and the counts once the answer has gone out whole.
  private func logged(
    _ response: Response, _ request: Request, _ path: String, _ context: ServerContext
  ) -> Response {
    let body = response.body
    let known = routes[path] == nil ? (path.hasPrefix("/v1/models/") ? "/v1/models/{id}" : "other") : path
    let status = response.status.code
    let finish: @Sendable (String) -> Void = { ending in
      let record = context.record.current
      let seconds = Date().timeIntervalSince(record.started)
      metrics.countRequest(path: known, status: status, seconds: seconds)
      if let first = record.firstText { metrics.countFirstToken(seconds: first) }
      if let skeleton = record.skeleton { metrics.countSkeleton(skeleton) }
      var fields: Logger.Metadata = [
        "method": "\(request.method.rawValue)", "path": "\(known)", "status": "\(status)",
        "ms": "\(Int((seconds * 1000).rounded()))", "ending": "\(ending)",
      ]
      if let usage = record.usage {
        fields["prompt_tokens"] = "\(usage.promptTokens)"
        fields["cached_tokens"] = "\(usage.cachedTokens)"
        fields["completion_tokens"] = "\(usage.completionTokens)"
      }
      if let skeleton = record.skeleton { fields["skeleton"] = "\(skeleton)" }
      if configuration.logsText {
        if let prompt = record.prompt { fields["prompt"] = "\(prompt)" }
        if !record.answer.isEmpty { fields["answer"] = "\(record.answer)" }
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
}

/// A body writer that stands for another.
private struct PassedOn: ResponseBodyWriter {
  var writer: any ResponseBodyWriter
  mutating func write(_ buffer: ByteBuffer) async throws { try await writer.write(buffer) }
  consuming func finish(_ trailingHeaders: HTTPFields?) async throws { try await writer.finish(trailingHeaders) }
}

extension HTTPField.Name {
  static let apiKey = HTTPField.Name("x-api-key") ?? .authorization
}
