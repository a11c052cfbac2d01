import Hummingbird
import NIOCore
import Synchronization

/// Tells when the client of a connection has gone, so that its work can be given up.
final class ConnectionWatch: Sendable {
  private struct State {
    var isClosed = false
    var next = 0
    var actions: [Int: @Sendable () -> Void] = [:]
  }
  private let state = Mutex(State())

  /// Calls `action` once when the client goes; at once if it has gone.
  /// - Returns: a number for ``remove(_:)``.
  func onClose(_ action: @escaping @Sendable () -> Void) -> Int {
    let (id, isClosed) = state.withLock { state in
      state.next += 1
      if !state.isClosed { state.actions[state.next] = action }
      return (state.next, state.isClosed)
    }
    if isClosed { action() }
    return id
  }

  func remove(_ id: Int) { state.withLock { _ = $0.actions.removeValue(forKey: id) } }

  fileprivate func close() {
    let actions = state.withLock { state in
      state.isClosed = true
      defer { state.actions = [:] }
      return Array(state.actions.values)
    }
    for action in actions { action() }
  }

  /// Runs `work`, and cancels it when the client goes.
  func cancelling<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) async throws -> Value {
    let task = Task { try await work() }
    let id = onClose { task.cancel() }
    defer { remove(id) }
    return try await withTaskCancellationHandler {
      try await task.value
    } onCancel: {
      task.cancel()
    }
  }
}

/// Watches one connection: the client has gone when its side of the connection is closed.
final class ConnectionWatchHandler: ChannelInboundHandler, RemovableChannelHandler, Sendable {
  typealias InboundIn = Any
  let watch = ConnectionWatch()

  func channelInactive(context: ChannelHandlerContext) {
    watch.close()
    context.fireChannelInactive()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .inputClosed? = event as? ChannelEvent { watch.close() }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    watch.close()
    context.fireErrorCaught(error)
  }
}
