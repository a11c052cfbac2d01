import Hummingbird
import MartletData
import MartletEngine
import NIOCore

/// Server-sent events as OpenAI's clients read them.
struct EventStream {
  /// An answer whose body is what `events` become; `[DONE]` ends it, or an error event without `[DONE]`.
  ///
  /// The client's leaving ends the work. While nothing is said a comment is sent every `pingInterval` seconds.
  static func response(
    _ events: AnswerEvents, watch: ConnectionWatch, pingInterval: Double,
    first: [JSONValue], chunks: @escaping @Sendable (AnswerEvent) -> [JSONValue]
  ) -> Response {
    let body = ResponseBody { writer in
      let items = Self.withPings(events, every: pingInterval)
      let gone = watch.onClose { items.cancel() }
      defer {
        watch.remove(gone)
        items.cancel()
      }
      func send(_ values: [JSONValue], end: String = "") async throws {
        var bytes: [UInt8] = []
        for value in values {
          bytes += "data: ".utf8
          value.write(to: &bytes)
          bytes += "\n\n".utf8
        }
        bytes += end.utf8
        if !bytes.isEmpty { try await writer.write(ByteBuffer(bytes: bytes)) }
      }
      try await send(first)
      do {
        for try await item in items.stream {
          switch item {
          case .ping: try await writer.write(ByteBuffer(string: ":\n\n"))
          case .event(let event): try await send(chunks(event))
          }
        }
      } catch let error where !(error is ChannelError) {
        let problem = APIError(error)
        try await send([problem.body])
        return try await writer.finish(nil)
      }
      try await send([], end: "data: [DONE]\n\n")
      try await writer.finish(nil)
    }
    return Response(
      status: .ok, headers: [.contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-cache"], body: body)
  }

  private enum Item: Sendable {
    case event(AnswerEvent)
    case ping
  }

  /// Events with pings between them, and a way to end both.
  private struct Items: Sendable {
    let stream: AsyncThrowingStream<Item, any Error>
    let cancel: @Sendable () -> Void
  }

  private static func withPings(_ events: AnswerEvents, every seconds: Double) -> Items {
    let (stream, continuation) = AsyncThrowingStream.makeStream(of: Item.self)
    let reading = Task {
      do {
        for try await event in events { continuation.yield(.event(event)) }
        if Task.isCancelled { throw CancellationError() }
        continuation.finish()
      } catch {
        continuation.finish(throwing: error)
      }
    }
    let pinging = Task {
      while !Task.isCancelled {
        try? await Task.sleep(for: .seconds(seconds))
        if !Task.isCancelled { continuation.yield(.ping) }
      }
    }
    continuation.onTermination = { _ in
      reading.cancel()
      pinging.cancel()
    }
    return Items(stream: stream) {
      reading.cancel()
      pinging.cancel()
    }
  }
}
