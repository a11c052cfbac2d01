import HTTPTypes
import MartletEngine
import NIOCore
import NIOHTTP1

/// Tells ``HTTPRulesHandler`` that the body of the request is wanted, so a client that waits for `100 Continue` gets it.
struct BodyIsWanted {}

/// What HTTP/1 asks of a server beyond the parser (RFC 9112, RFC 9110): one Host, old versions answered in their own
/// way, `Expect`, closing where it was asked for, and an answer with a reason to what is no HTTP.
///
/// Stands between the parser and Hummingbird. An answer of its own waits until earlier ones have gone out.
final class HTTPRulesHandler: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart
  typealias OutboundIn = HTTPServerResponsePart
  typealias OutboundOut = HTTPServerResponsePart

  /// A request that waits for its answer.
  private struct Exchange {
    /// HTTP/1.0, which has neither chunked bodies nor persistent connections.
    var isOld = false
    /// The client requests a persistent connection.
    var staysOpen = true
    /// The client sends the body once it is told to go on.
    var waitsToContinue = false
    var isReceived = false
  }

  private struct Refusal {
    let error: APIError
    /// It concerns the request that is being received, not one behind it.
    let isOfOpenRequest: Bool
  }

  private let roster: ConnectionRoster
  private let admission: ConnectionRoster.Admission
  private var exchanges: [Exchange] = []
  /// The head of the oldest exchange's answer has gone out.
  private var hasBegun = false
  private var closesAfterAnswer = false
  private var refusal: Refusal?
  /// The last answer has gone out.
  private var isOver = false

  init(roster: ConnectionRoster, admission: ConnectionRoster.Admission) {
    self.roster = roster
    self.admission = admission
  }

  // MARK: what comes

  func channelActive(context: ChannelHandlerContext) {
    switch admission {
    case .admitted: break
    case .refused: refuse(.unavailable("all connections of this server are in use; try again later"), context)
    case .closed:
      isOver = true
      context.close(promise: nil)
    }
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    isOver = true
    roster.forget(context.channel)
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    // Behind a request that is refused nothing is read.
    guard !isOver, refusal == nil else { return }
    switch unwrapInboundIn(data) {
    case .head(var head):
      do {
        let exchange = try Self.exchange(for: &head)
        exchanges.append(exchange)
        roster.note(context.channel, .receiving)
        context.fireChannelRead(wrapInboundOut(.head(head)))
      } catch {
        refuse(APIError(error), context)
      }
    case .body:
      context.fireChannelRead(data)
    case .end:
      if let last = exchanges.indices.last {
        exchanges[last].isReceived = true
        exchanges[last].waitsToContinue = false
      }
      roster.note(context.channel, .answering)
      context.fireChannelRead(data)
    }
  }

  private static func exchange(for head: inout HTTPRequestHead) throws -> Exchange {
    let isOld = head.version.major < 1 || (head.version.major == 1 && head.version.minor < 1)
    var exchange = Exchange(isOld: isOld)
    let hosts = head.headers["Host"]
    guard hosts.count == 1 || (hosts.isEmpty && isOld) else {
      throw APIError.invalid("the request has \(hosts.count) `Host` headers; HTTP/1.1 requires exactly one")
    }
    // A target with its own authority outranks the header.
    if let authority = authority(of: head.uri) { head.headers.replaceOrAdd(name: "Host", value: authority) }
    let connection = head.headers[canonicalForm: "Connection"].map { $0.lowercased() }
    exchange.staysOpen = isOld ? connection.contains("keep-alive") : !connection.contains("close")
    // The parser reads nothing behind a request that offers another protocol.
    if connection.contains("upgrade") { exchange.staysOpen = false }
    if let expectation = head.headers.first(name: "Expect"), !isOld {
      guard expectation.lowercased() == "100-continue" else {
        throw APIError(
          status: .expectationFailed, type: "invalid_request_error",
          message: "`Expect` is `\(expectation.prefix(40))`; only 100-continue is supported")
      }
      exchange.waitsToContinue = true
    }
    return exchange
  }

  /// `host:port` of a target in absolute form, `http://host:port/path`.
  private static func authority(of target: String) -> String? {
    guard !target.hasPrefix("/"), let scheme = target.firstRange(of: "://") else { return nil }
    let authority = target[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    return authority.isEmpty ? nil : String(authority)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard let error = error as? HTTPParserError else { return context.fireErrorCaught(error) }
    if isOver || refusal != nil { return }
    var problem = APIError.invalid("the request is not valid HTTP (\(error)); send it as RFC 9112 requires")
    if error == .headerOverflow {
      problem.status = .requestHeaderFieldsTooLarge
      problem.message = "the request's headers are too large; send less"
    }
    refuse(problem, context)
  }

  // MARK: what goes

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    guard !isOver else {
      promise?.fail(ChannelError.ioOnClosedChannel)
      return
    }
    switch unwrapOutboundIn(data) {
    case .head(var head):
      let exchange = exchanges.first ?? Exchange()
      hasBegun = true
      head.version = exchange.isOld ? .http1_0 : .http1_1
      closesAfterAnswer = !staysOpen(after: head, exchange)
      if closesAfterAnswer {
        head.headers.replaceOrAdd(name: "Connection", value: "close")
      } else if exchange.isOld {
        head.headers.replaceOrAdd(name: "Connection", value: "keep-alive")
      }
      context.write(wrapOutboundOut(.head(head)), promise: promise)
    case .body:
      context.write(data, promise: promise)
    case .end:
      if !exchanges.isEmpty { exchanges.removeFirst() }
      hasBegun = false
      if closesAfterAnswer { return end(context, data, promise) }
      context.write(data, promise: promise)
      roster.note(context.channel, exchanges.last.map { $0.isReceived ? .answering : .receiving } ?? .idle)
      settle(context)
    }
  }

  private func staysOpen(after head: HTTPResponseHead, _ exchange: Exchange) -> Bool {
    if head.headers[canonicalForm: "Connection"].contains("close") { return false }
    // An old client knows the end of an answer without a length by the end of the connection.
    if exchange.isOld, !head.headers.contains(name: "Content-Length") { return false }
    // A body that was not asked for may come or not.
    return exchange.staysOpen && !exchange.waitsToContinue
  }

  func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
    guard event is BodyIsWanted else { return context.triggerUserOutboundEvent(event, promise: promise) }
    if !isOver, !hasBegun, exchanges.first?.waitsToContinue == true {
      exchanges[0].waitsToContinue = false
      context.writeAndFlush(
        wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: nil)
    }
    promise?.succeed()
  }

  // MARK: refusing

  private func refuse(_ error: APIError, _ context: ChannelHandlerContext) {
    refusal = Refusal(error: error, isOfOpenRequest: exchanges.last?.isReceived == false)
    settle(context)
  }

  /// Sends the refusal once it is its turn.
  private func settle(_ context: ChannelHandlerContext) {
    guard let refusal, !isOver, exchanges.count <= (refusal.isOfOpenRequest ? 1 : 0) else { return }
    if hasBegun {
      // The answer to the very request is on its way already.
      closesAfterAnswer = true
      return
    }
    var body: [UInt8] = []
    refusal.error.body.write(to: &body)
    var headers = HTTPHeaders([
      ("Content-Type", "application/json; charset=utf-8"), ("Content-Length", "\(body.count)"),
      ("Connection", "close"), ("Server", "martlet"),
    ])
    if let seconds = refusal.error.retryAfter { headers.add(name: "Retry-After", value: "\(seconds)") }
    let status = HTTPResponseStatus(
      statusCode: refusal.error.status.code, reasonPhrase: refusal.error.status.reasonPhrase)
    context.write(
      wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))), promise: nil)
    context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil)
    end(context, wrapOutboundOut(.end(nil)), nil)
  }

  /// Writes the last of all parts and closes our side, and all of it a little after that has gone out: what the client
  /// still sends must not make the last answer be lost.
  private func end(_ context: ChannelHandlerContext, _ last: NIOAny, _ promise: EventLoopPromise<Void>?) {
    isOver = true
    let channel = context.channel
    let isOut = promise ?? channel.eventLoop.makePromise(of: Void.self)
    isOut.futureResult.whenComplete { _ in
      channel.eventLoop.scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
    }
    context.writeAndFlush(last, promise: isOut)
    // It needs no place any more, and a client that does not read its answer keeps it for so long at most.
    roster.remove(channel)
    context.close(mode: .output, promise: nil)
    channel.eventLoop.scheduleTask(in: Self.longestEnd) { channel.close(promise: nil) }
  }

  private static let longestEnd = TimeAmount.seconds(30)
}
