import Foundation

/// When requests to an endpoint may be sent: not more than so many in a minute, and none while it has asked for patience.
actor RequestPace {
  /// The longest time that is waited because a server asks for it, in seconds.
  static let longestWait = 900.0
  private let interval: Duration?
  private var next = ContinuousClock.now

  init(requestsPerMinute: Int?) { interval = requestsPerMinute.map { .seconds(60) / max(1, $0) } }

  /// Waits for the turn of a request.
  func wait() async throws {
    let turn = max(next, .now)
    if let interval { next = turn + interval }
    var until = turn
    // A pause that was asked for in the meantime holds for those that wait already.
    while until > .now {
      try await Task.sleep(until: until, clock: .continuous)
      if let paused, paused > until { until = paused }
    }
    if let paused, paused > .now { try await Task.sleep(until: paused, clock: .continuous) }
  }

  private var paused: ContinuousClock.Instant?

  /// Lets no request through for some seconds.
  func pause(_ seconds: Double) {
    let until = ContinuousClock.now + .seconds(seconds)
    paused = max(paused ?? until, until)
  }

  /// The seconds that the header `Retry-After` asks for: a number, or a date (RFC 9110, 10.2.3).
  static func seconds(ofRetryAfter header: String?, now: Date = Date()) -> Double? {
    guard let header = header?.trimmingCharacters(in: .whitespaces), !header.isEmpty else { return nil }
    if let seconds = Double(header) { return seconds.isFinite ? max(0, seconds) : nil }
    let format = DateFormatter()
    format.locale = Locale(identifier: "en_US_POSIX")
    format.timeZone = TimeZone(identifier: "GMT")
    format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
    return format.date(from: header).map { max(0, $0.timeIntervalSince(now)) }
  }
}
