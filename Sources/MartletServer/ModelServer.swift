import Foundation
import Hummingbird
import HummingbirdCore
import Logging
import MartletData
import MartletEditing
import MartletEngine
import MartletModels
import MartletSkeleton
import NIOCore
import ServiceLifecycle
import UnixSignals

/// Serves one model over HTTP with an API that is compatible with OpenAI's.
///
///     connection -> Gateway (key, origin, errors, log) -> route -> Engine, or SkeletonRun over it -> events
public struct ModelServer: Sendable {
  /// The configuration.
  public let configuration: ServerConfiguration
  private let logger: Logger
  private let load: @Sendable () throws -> LoadedModel

  /// - Parameters:
  ///   - configuration: the configuration.
  ///   - logger: the log.
  ///   - load: loads the model; the server answers with status 503 until it is loaded.
  public init(
    _ configuration: ServerConfiguration, logger: Logger, load: @escaping @Sendable () throws -> LoadedModel
  ) {
    self.configuration = configuration
    self.logger = logger
    self.load = load
  }

  /// Serves until the process receives SIGTERM or SIGINT; running answers are finished first. The model is loaded after
  /// the server has started to listen.
  /// - Parameter onListening: called with the port when connections are accepted.
  /// - Throws: ``ServerRefusal`` if the server cannot listen on the address, or if a safe host is required and the host
  ///   is not safe; ``ServerEnd`` if answers were cancelled at the end; the errors of `load`.
  public func run(onListening: @escaping @Sendable (Int) async -> Void = { _ in }) async throws {
    let model = ServedModel()
    let metrics = ServerMetrics()
    let host = HostWatch(root: configuration.hostRoot)
    try host.tell(logger, isRequired: configuration.requiresSafeHost)
    let gateway = Gateway(
      configuration: configuration, metrics: metrics, routes: try routes(model, metrics, host),
      logLevel: logger.logLevel)
    let roster = ConnectionRoster(
      mostConnections: ServerChannel.mostConnections(wanted: configuration.maxConnections))
    let idleTimeout = TimeAmount.seconds(Int64(configuration.readTimeout))
    let (listening, address) = AsyncStream.makeStream(of: Void.self)
    // It would log that it listens, as `onListening` does.
    var applicationLogger = logger
    applicationLogger.logLevel = max(logger.logLevel, .notice)
    let application = Application(
      responder: gateway,
      server: HTTPServerBuilder { ServerChannel(responder: $0, idleTimeout: idleTimeout, roster: roster) },
      configuration: .init(
        address: .hostname(configuration.host, port: configuration.port), serverName: "martlet"),
      onServerRunning: { channel in
        await onListening(channel.localAddress?.port ?? 0)
        address.yield()
      }, logger: applicationLogger)
    let loading = ModelLoadingService(
      model: model, configuration: configuration, logger: logger, listening: listening, load: load)
    var services = ServiceGroupConfiguration(
      services: [
        // A model that cannot be loaded ends the server in order, without errors of connections in the log.
        .init(service: loading, failureTerminationBehavior: .gracefullyShutdownGroup), .init(service: application),
      ],
      gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    services.maximumGracefulShutdownDuration = Duration.seconds(configuration.shutdownTimeout)
    do { try await run(ServiceGroup(configuration: services)) } catch {
      throw ServerRefusal(address: configuration.host, port: configuration.port, error) ?? error
    }
  }

  /// Runs the services until they end; a second signal does not wait for answers.
  private func run(_ services: ServiceGroup) async throws {
    try await withThrowingTaskGroup(of: ServerEnd?.self) { group in
      group.addTask {
        try await services.run()
        return nil
      }
      group.addTask {
        var first: ReceivedSignal?
        for await signal in await UnixSignalsSequence(trapping: .sigterm, .sigint) {
          let signal = ReceivedSignal(signal.rawValue)
          if let first, !first.isRepeated(by: signal) { break }
          first = first ?? signal
        }
        try Task.checkCancellation()
        return .interrupted
      }
      // The task that ends first cancels the other.
      defer { group.cancelAll() }
      do {
        if let end = try await group.next() ?? nil { throw end }
      } catch is CancellationError where !Task.isCancelled {
        throw ServerEnd.brokenOff(seconds: configuration.shutdownTimeout)
      }
    }
  }

  private func routes(_ model: ServedModel, _ metrics: ServerMetrics, _ host: HostWatch) throws -> RouteTable {
    var features: [any FeatureRoutes] = [
      ChatRoute(configuration: configuration, model: model),
      CompletionRoute(configuration: configuration, model: model),
      EmbeddingRoute(configuration: configuration, model: model),
      ModelRoutes(configuration: configuration, model: model),
      MetricsRoute(model: model, metrics: metrics, host: host),
      EditRoutes(configuration: configuration, model: model),
      TokenRoutes(configuration: configuration, model: model),
    ]
    if let path = configuration.recoveryPath {
      features.append(SensingRoutes(configuration: configuration, recovery: try ServedRecovery(path)))
    }
    if configuration.servesPage { features.append(PageRoutes()) }
    var routes = RouteTable()
    for feature in features { feature.add(to: &routes) }
    return routes
  }
}

/// Loads the model while the server is running, after it has started to listen.
private struct ModelLoadingService: Service {
  let model: ServedModel
  let configuration: ServerConfiguration
  let logger: Logger
  let listening: AsyncStream<Void>
  let load: @Sendable () throws -> LoadedModel

  func run() async throws {
    for await _ in listening { break }
    try Task.checkCancellation()
    let started = Date()
    let loaded = try load()
    let starts = try StartStates(configuration.startStates, loaded: loaded)
    if let warning = loaded.chatFormat.warning { logger.warning("\(warning)") }
    var options = configuration.engine
    options.script = configuration.script?(loaded)
    let edits = configuration.editsPath.map { path in
      LiveEdits(path: path, loaded: loaded) { [logger] in logger.note($0, path: path) }
    }
    options.interventions = edits
    let engine = Engine(loaded, options: options)
    let editCount = try await edits?.open() ?? 0
    let templates = try await TemplateStates(
      engine, prompts: configuration.skeleton.prompts, folder: configuration.stateFolder)
    model.set(ServedModel.Ready(engine: engine, templates: templates, edits: edits, starts: starts))
    let description = engine.loaded.model.description
    logger.info(
      "model ready",
      metadata: [
        "model": "\(configuration.modelName)", "architecture": "\(description.architecture)",
        "parameters": "\(description.parameterCount)", "edits": "\(editCount)",
        "device": "\(description.device ?? "cpu")",
        "seconds": "\(String(format: "%.2f", Date().timeIntervalSince(started)))",
      ])
    let following = Task { await edits?.follow() }
    defer { following.cancel() }
    try await gracefulShutdown()
  }
}

extension Logger {
  /// Logs what other processes did with the file of edits.
  fileprivate func note(_ news: LiveEdits.News, path: String) {
    func list(_ edits: [Int]) -> String {
      edits.prefix(20).map(String.init).joined(separator: ",") + (edits.count > 20 ? ",…" : "")
    }
    switch news {
    case .changed(let change, let inForce):
      var metadata: Logger.Metadata = ["in_force": "\(inForce)"]
      if !change.inForce.isEmpty { metadata["added"] = "\(list(change.inForce))" }
      if !change.withdrawn.isEmpty { metadata["withdrawn"] = "\(list(change.withdrawn))" }
      info("another process has changed the edits", metadata: metadata)
    case .removed:
      warning("the file of edits was removed, so no edits are applied", metadata: ["file": "\(path.printable)"])
    case .unusable(let problem):
      warning(
        "the file of edits cannot be read; the edits read before are still applied",
        metadata: ["error": "\(problem.printable)"])
    }
  }
}
