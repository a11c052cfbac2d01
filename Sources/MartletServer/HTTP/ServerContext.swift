import Hummingbird
import NIOCore

/// What handlers know of a request beside the request.
struct ServerContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  let channel: any Channel
  let record = RequestRecord()
  /// What follows the part of the path that chose the handler: `12` of /martlet/edits/12.
  var pathTail = ""

  init(source: ApplicationRequestContextSource) {
    coreContext = CoreRequestContextStorage(source: source)
    channel = source.channel
  }

  var watch: ConnectionWatch {
    get async throws {
      try await channel.pipeline.handler(type: ConnectionWatchHandler.self).map(\.watch).get()
    }
  }
}
