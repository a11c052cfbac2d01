import Foundation
import Hummingbird
import HummingbirdCore
import Logging
import MartletEngine
import MartletModels
import MartletSkeleton
import ServiceLifecycle

/// Serves one model over HTTP, in the way OpenAI's clients expect.
///
///     connection -> Gateway (key, origin, errors, log) -> route -> Engine, or SkeletonRun over it -> events
public struct ModelServer: Sendable {
  public let configuration: ServerConfiguration
  private let logger: Logger
  private let load: @Sendable () throws -> LoadedModel

  /// - Parameter load: loads the model; the server answers 503 until it is there.
  public init(
    _ configuration: ServerConfiguration, logger: Logger, load: @escaping @Sendable () throws -> LoadedModel
  ) {
    self.configuration = configuration
    self.logger = logger
    self.load = load
  }

  /// Serves until the process is told to stop (SIGTERM, SIGINT); running answers are finished first.
  /// - Throws: when the model cannot be loaded, the address cannot be had, or the host is not safe and has to be.
  public func run(onListening: @escaping @Sendable (Int) async -> Void = { _ in }) async throws {
    let model = ServedModel()
    let metrics = ServerMetrics()
    let host = HostWatch(root: configuration.hostRoot)
    try host.tell(logger, isRequired: configuration.requiresSafeHost)
    let router = routes(model, metrics, host)
    let application = Application(
      router: router,
      server: .http1(
        configuration: .init(
          additionalChannelHandlers: [ConnectionWatchHandler()],
          idleTimeout: .seconds(Int64(configuration.readTimeout)))),
      configuration: .init(
        address: .hostname(configuration.host, port: configuration.port), serverName: "martlet",
        availableConnectionsDelegate: MaximumAvailableConnections(configuration.maxConnections)),
      onServerRunning: { channel in await onListening(channel.localAddress?.port ?? 0) }, logger: logger)
    let loading = ModelLoadingService(model: model, configuration: configuration, logger: logger, load: load)
    var services = ServiceGroupConfiguration(
      services: [.init(service: loading), .init(service: application)],
      gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    services.maximumGracefulShutdownDuration = Duration.seconds(configuration.shutdownTimeout)
    try await ServiceGroup(configuration: services).run()
  }

  private func routes(_ model: ServedModel, _ metrics: ServerMetrics, _ host: HostWatch) -> Router<ServerContext> {
    let chat = ChatRoute(configuration: configuration, model: model)
    let completion = CompletionRoute(configuration: configuration, model: model)
    let embedding = EmbeddingRoute(configuration: configuration, model: model)
    let plain = PlainRoutes(configuration: configuration, model: model, metrics: metrics, host: host)
    let router = Router(context: ServerContext.self, options: .autoGenerateHeadEndpoints)
    var known: [String: Set<String>] = [:]
    typealias Handler = @Sendable (Request, ServerContext) async throws -> Response
    var handlers: [(String, HTTPRequest.Method, Handler)] = []
    func add(_ method: HTTPRequest.Method, _ paths: [String], _ handler: @escaping Handler) {
      for path in paths {
        known[path, default: []].formUnion(method == .get ? ["GET", "HEAD"] : [method.rawValue])
        handlers.append((path, method, handler))
      }
    }
    add(.post, ["/v1/chat/completions", "/chat/completions"]) { try await chat($0, $1) }
    add(.post, ["/v1/completions", "/completions"]) { try await completion($0, $1) }
    add(.post, ["/v1/embeddings", "/embeddings"]) { try await embedding($0, $1) }
    add(.get, ["/v1/models", "/models"]) { _, _ in try plain.models() }
    add(.get, ["/health", "/v1/health"]) { _, _ in try plain.health() }
    add(.get, ["/metrics"]) { _, _ in plain.metricsText() }
    let edits = EditRoutes(configuration: configuration, model: model)
    add(.get, ["/martlet/edits"]) { try await edits.list($0, $1) }
    add(.post, ["/martlet/edits"]) { try await edits.add($0, $1) }
    add(.post, ["/tokenize"]) { try await plain.tokenize($0, $1) }
    add(.post, ["/detokenize"]) { try await plain.detokenize($0, $1) }
    if configuration.servesPage {
      add(.get, ["/", "/index.html"]) { _, _ in PlainRoutes.page("index.html", type: "text/html; charset=utf-8") }
      add(.get, ["/page.css"]) { _, _ in PlainRoutes.page("page.css", type: "text/css; charset=utf-8") }
      add(.get, ["/page.js"]) { _, _ in PlainRoutes.page("page.js", type: "text/javascript; charset=utf-8") }
    }
    known["/v1/models/*"] = ["GET", "HEAD"]
    known["/martlet/edits/*"] = ["DELETE"]
    router.add(middleware: Gateway(configuration: configuration, metrics: metrics, routes: known))
    for (path, method, handler) in handlers {
      router.on(RouterPath(path), method: method, use: handler)
    }
    router.get("/v1/models/**") { request, _ in
      try plain.model(String(request.uri.path.dropFirst("/v1/models/".count)))
    }
    router.delete("/martlet/edits/:id") { try await edits.undo($0, $1) }
    return router
  }
}

/// Loads the model beside the running server.
private struct ModelLoadingService: Service {
  let model: ServedModel
  let configuration: ServerConfiguration
  let logger: Logger
  let load: @Sendable () throws -> LoadedModel

  func run() async throws {
    let started = Date()
    let loaded = try load()
    if let warning = loaded.chatFormat.warning { logger.warning("\(warning)") }
    var options = configuration.engine
    options.script = configuration.script?.replies(for: loaded)
    let edits = configuration.editsPath.map(ServedEdits.init(path:))
    options.editor = edits
    let engine = Engine(loaded, options: options)
    let editCount = try await edits?.openIfPresent(engine) ?? 0
    let templates = try await TemplateStates(
      engine, prompts: configuration.skeleton.prompts, folder: configuration.stateFolder)
    model.set(ServedModel.Ready(engine: engine, templates: templates, edits: edits))
    let description = engine.loaded.model.description
    logger.info(
      "model ready",
      metadata: [
        "model": "\(configuration.modelName)", "architecture": "\(description.architecture)",
        "parameters": "\(description.parameterCount)", "edits": "\(editCount)",
        "seconds": "\(String(format: "%.2f", Date().timeIntervalSince(started)))",
      ])
    try await gracefulShutdown()
  }
}
