import Foundation
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTPTypesHTTP1

/// A connection of the server: Hummingbird's HTTP/1, with ``HTTPRulesHandler`` behind the parser and a place in the
/// ``ConnectionRoster``.
struct ServerChannel: ServerChildChannel, HTTPChannelHandler {
  typealias Value = HTTP1Channel.Value

  private let http: HTTP1Channel
  private let roster: ConnectionRoster

  init(responder: @escaping HTTPChannelHandler.Responder, idleTimeout: TimeAmount, roster: ConnectionRoster) {
    http = HTTP1Channel(
      responder: responder,
      configuration: .init(additionalChannelHandlers: [ConnectionWatchHandler()], idleTimeout: idleTimeout))
    self.roster = roster
  }

  var responder: HTTPChannelHandler.Responder { http.responder }

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    let admission = roster.admit(channel)
    return http.setup(channel: channel, logger: logger).flatMapThrowing { [roster] value in
      let pipeline = channel.pipeline.syncOperations
      let codec = try pipeline.handler(type: HTTP1ToHTTPServerCodec.self)
      try pipeline.addHandler(HTTPRulesHandler(roster: roster, admission: admission), position: .before(codec))
      return value
    }
  }

  func handle(value: Value, logger: Logger) async { await http.handle(value: value, logger: logger) }

  /// How many connections of `wanted` the process may have open, once its limit of descriptors is raised as far as it
  /// goes; some are left for files.
  static func mostConnections(wanted: Int) -> Int {
    var limit = rlimit()
    #if canImport(Glibc)
      let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
      let resource = RLIMIT_NOFILE
    #endif
    let spare = 64
    guard getrlimit(resource, &limit) == 0 else { return wanted }
    let needed = rlim_t(clamping: wanted) + rlim_t(spare)
    if limit.rlim_cur < needed {
      limit.rlim_cur = min(needed, limit.rlim_max)
      _ = setrlimit(resource, &limit)
      _ = getrlimit(resource, &limit)
    }
    return min(wanted, max(1, Int(clamping: limit.rlim_cur) - spare))
  }
}
